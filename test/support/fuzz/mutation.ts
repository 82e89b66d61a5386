/**
 * Changes of bytes that decoders have to live with: flipped bits, odd values, lengths set to
 * extremes, pieces moved, doubled, taken out or cut off. Everything is a function of the generator.
 */
import type { SeededRandom } from '../seeded-random.js'

const CHANGES_MAX = 5
const ODD_BYTES = [0, 1, 2, 7, 8, 0x0f, 0x10, 0x1f, 0x7f, 0x80, 0xc1, 0xd4, 0xfe, 0xff]
const EXTREMES = [
  0, 1, 7, 8, 9, 15, 16, 17, 31, 255, 256, 4095, 4096, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x10_0000,
  0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff,
]

type Change = (bytes: Uint8Array, random: SeededRandom) => Uint8Array

/** In place where the length stays. */
export function mutateBytes(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (random.below(40) === 0) return randomBytes(random.below(300), random)
  let changed = bytes
  for (let left = 1 + random.below(CHANGES_MAX); left > 0 && changed.length > 0; left--) {
    const change = CHANGES[random.below(CHANGES.length)] as Change
    changed = change(changed, random)
  }
  return changed
}

export function randomBytes(lengthBytes: number, random: SeededRandom): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  for (let at = 0; at < lengthBytes; at++) bytes[at] = random.below(256)
  return bytes
}

export function flipBit(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const at = random.below(bytes.length)
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
  return bytes
}

function oddByte(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const value =
    random.below(2) === 0 ? random.below(256) : ODD_BYTES[random.below(ODD_BYTES.length)]
  bytes[random.below(bytes.length)] = value as number
  return bytes
}

/** An integer of any width, at a place where fields lie. */
function oddInteger(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const width = [2, 4, 8][random.below(3)] as number
  if (bytes.length < width) return oddByte(bytes, random)
  const step = Math.min(width, 4)
  const at = random.below(Math.floor((bytes.length - width) / step) + 1) * step
  const value = integerLike(bytes.length, random)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (width === 2) view.setUint16(at, value & 0xffff, true)
  else view.setUint32(at, value, true)
  if (width === 8) view.setUint32(at + 4, integerLike(bytes.length, random), true)
  return bytes
}

function integerLike(lengthBytes: number, random: SeededRandom): number {
  switch (random.below(3)) {
    case 0:
      return EXTREMES[random.below(EXTREMES.length)] as number
    case 1:
      return Math.max(0, lengthBytes - 20 + random.below(40))
    default:
      return random.below(lengthBytes + 1)
  }
}

/** One more or one less, in a place where a small change passes other checks. */
function nudge(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const at = random.below(bytes.length)
  bytes[at] = (bytes[at] as number) + (random.below(2) === 0 ? 1 : 255)
  return bytes
}

function copyPiece(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const lengthBytes = 1 + random.below(Math.min(64, bytes.length))
  const from = random.below(bytes.length - lengthBytes + 1)
  bytes.copyWithin(random.below(bytes.length), from, from + lengthBytes)
  return bytes
}

function zeroPiece(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = random.below(bytes.length)
  return bytes.fill(0, from, from + 1 + random.below(64))
}

function takeOut(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = random.below(bytes.length)
  const to = Math.min(bytes.length, from + 1 + random.below(32))
  return joined(bytes.subarray(0, from), bytes.subarray(to))
}

function repeatPiece(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const from = random.below(bytes.length)
  const to = Math.min(bytes.length, from + 1 + random.below(64))
  return joined(bytes.subarray(0, to), bytes.subarray(from))
}

function cutOff(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  return bytes.slice(0, random.below(bytes.length))
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** What keeps the length is tried more often: a wrong length is seen first. */
const CHANGES: readonly Change[] = [
  flipBit,
  flipBit,
  oddByte,
  oddByte,
  oddInteger,
  oddInteger,
  oddInteger,
  nudge,
  copyPiece,
  zeroPiece,
  takeOut,
  repeatPiece,
  cutOff,
]

/** The changes that leave every byte where it is, for inputs whose length is checked before all else. */
export function mutateInPlace(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (bytes.length === 0 || random.below(8) === 0) return mutateBytes(bytes, random)
  for (let left = 1 + random.below(CHANGES_MAX); left > 0; left--) {
    const change = CHANGES[random.below(CHANGES.indexOf(takeOut))] as Change
    change(bytes, random)
  }
  return bytes
}
