/** Values of type `bytes`: copied in and copied out, so that nobody holds a window into a ring. */
import type { Buffer } from 'node:buffer'
import { types } from 'node:util'

export const BYTES_MAX = 256 * 1024

/** Length, or -1 when the value is no Uint8Array. */
export function byteCount(value: unknown): number {
  return types.isUint8Array(value) ? value.length : -1
}

/** Writes at most `lengthBytes`, whatever became of the array since it was measured. */
export function writeBytes(
  bytes: Buffer,
  start: number,
  value: Uint8Array,
  lengthBytes: number,
): void {
  bytes.set(value.length === lengthBytes ? value : value.subarray(0, lengthBytes), start)
}

/** A plain Uint8Array in memory of its own. */
export function readBytes(bytes: Buffer, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(Math.max(0, end - start))
  copy.set(bytes.subarray(start, end))
  return copy
}
