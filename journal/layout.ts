/**
 * What all `*-layout.ts` files share: byte layouts are named constants, and each file proves, when
 * it is loaded, that its fields are aligned, do not overlap and end where they should.
 */
import { assert } from './errors.js'

/** [offset, length] in bytes. */
export type Extent = readonly [offset: number, lengthBytes: number]

/** Fields in order of offset, without holes: reserved bytes are named too. */
export function assertLayout(
  name: string,
  extents: readonly Extent[],
  totalBytes: number,
  alignmentMax = 8,
): void {
  let end = 0
  for (const [offset, lengthBytes] of extents) {
    assert(offset === end, `${name}: field at ${offset} should be at ${end}`)
    const alignment = Math.min(lengthBytes, alignmentMax)
    if ((alignment & (alignment - 1)) === 0) {
      assert(offset % alignment === 0, `${name}: field at ${offset} is not aligned`)
    }
    end = offset + lengthBytes
  }
  assert(end === totalBytes, `${name}: is ${end} bytes long, should be ${totalBytes}`)
}

export const WORD_BYTES = 8

/** The next multiple of 8: records, frames and ring positions are aligned to words. */
export function alignWord(bytes: number): number {
  return (bytes + 7) & ~7
}

/** Writes an unsigned integer up to 2⁵³ − 1 as u64, little-endian. Never a BigInt: it is ten times slower. */
export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true)
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** The same for a value that is at hand in two halves of 32 bits. */
export function setU64Halves(view: DataView, offset: number, low: number, high: number): void {
  view.setUint32(offset, low, true)
  view.setUint32(offset + 4, high, true)
}

/**
 * Writes an unsigned integer below 2⁴⁸, little-endian, as a u32 and a u16 that lie apart. Below 2³²
 * there is no division: that is where nearly all values are.
 */
export function setU48(view: DataView, low: number, high: number, value: number): void {
  view.setUint32(low, value >>> 0, true)
  view.setUint16(high, value <= 0xffff_ffff ? 0 : Math.floor(value / 0x1_0000_0000), true)
}

/** Reads what {@link setU48} wrote. A value below 2³² stays an integer for the compiler. */
export function getU48(view: DataView, low: number, high: number): number {
  const highPart = view.getUint16(high, true)
  const lowPart = view.getUint32(low, true)
  return highPart === 0 ? lowPart : lowPart + highPart * 0x1_0000_0000
}

/** Reads a u64, little-endian. A value over 2⁵³ − 1 comes back inexact: the caller checks what it trusts. */
export function getU64(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 0x1_0000_0000
}
