/** Checks and stores of unsigned integers that generated code calls. V8 inlines all of them. */
import { setU64 } from '../layout.js'

const U64_END = 1n << 64n

export function isU32(value: unknown): value is number {
  return typeof value === 'number' && value >>> 0 === value
}

export function isU64(value: unknown): value is number | bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0
  return typeof value === 'bigint' && value >= 0n && value < U64_END
}

/** A number is written as two halves: ten times faster than through a BigInt. */
export function storeU64(view: DataView, offset: number, value: number | bigint): void {
  if (typeof value === 'number') setU64(view, offset, value)
  else view.setBigUint64(offset, value, true)
}

/** Whether a double is not what a field of type `int` stores: a safe integer, and never −0. */
export function isNoInt(value: number): boolean {
  return !Number.isSafeInteger(value) || Object.is(value, -0)
}

/** Whether a double is not what a field of type `f64` stores: anything but NaN and −0. */
export function isNoF64(value: number): boolean {
  return Number.isNaN(value) || Object.is(value, -0)
}
