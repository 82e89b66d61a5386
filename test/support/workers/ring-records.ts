/** Records of the byte ring's stress test: length and content follow from their number. */
import { RING_LENGTH_BYTES } from '../../../engine/ring/byte-ring.js'

/** Between 8 and 135 bytes, not only whole words. */
export function lengthOf(number: number): number {
  return 8 + (Math.imul(number, 0x9e37_79b1) >>> 25)
}

export function writeRecord(bytes: Uint8Array, offset: number, number: number): void {
  const end = offset + lengthOf(number)
  for (let i = offset + RING_LENGTH_BYTES, k = 0; i < end; i++, k++) bytes[i] = number + k * 7
}

export function checkRecord(
  bytes: Uint8Array,
  offset: number,
  lengthBytes: number,
  number: number,
): boolean {
  const exact = lengthOf(number)
  if (lengthBytes !== Math.ceil(exact / 8) * 8) return false
  for (let i = offset + RING_LENGTH_BYTES, k = 0; i < offset + exact; i++, k++) {
    if (bytes[i] !== ((number + k * 7) & 0xff)) return false
  }
  return true
}
