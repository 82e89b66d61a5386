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

/** A BigInt, and the same in the order that this machine has for its halves. */
const whole = new BigUint64Array([1n])
const halves = new Int32Array(whole.buffer)
const LOW = halves[0] === 1 ? 0 : 1
const HIGH = 1 - LOW

/**
 * A number is written as two halves, ten times faster than through a BigInt; and so is a BigInt, since
 * V8 of Node 20 calls a function for `setBigUint64`: 7 ns where this takes 1.
 */
export function storeU64(view: DataView, offset: number, value: number | bigint): void {
  if (typeof value === 'number') return setU64(view, offset, value)
  whole[0] = value
  view.setInt32(offset, halves[LOW]!, true)
  view.setInt32(offset + 4, halves[HIGH]!, true)
}

/** Whether a double is not what a field of type `int` stores: a safe integer, and never −0. */
export function isNoInt(value: number): boolean {
  return !Number.isSafeInteger(value) || Object.is(value, -0)
}

/** Whether a double is not what a field of type `f64` stores: anything but NaN and −0. */
export function isNoF64(value: number): boolean {
  return Number.isNaN(value) || Object.is(value, -0)
}
