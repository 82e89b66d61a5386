/**
 * UUIDs: 16 bytes in the order in which they are written, the canonical lower-case form as a
 * string. Only that form is accepted, so that two strings are the same id exactly when they are
 * equal.
 */
import { Buffer } from 'node:buffer'

export const UUID_BYTES = 16
const UUID_CHARACTERS = 36
const HYPHEN = 0x2d
const DIGITS = '0123456789abcdef'

/** Of what is no digit. */
const NO_DIGIT = 128
/** Value of a hexadecimal digit by the low byte of its character code, or NO_DIGIT. */
const NIBBLES = new Uint8Array(256).fill(NO_DIGIT)
for (let i = 0; i < DIGITS.length; i++) NIBBLES[DIGITS.charCodeAt(i)] = i

const DIGIT_CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0))
const scratch = Buffer.alloc(UUID_CHARACTERS, HYPHEN)

function isHyphenPlace(index: number): boolean {
  return index === 8 || index === 13 || index === 18 || index === 23
}

/** The one that was parsed last, as it lies in memory: a command asks about its ids several times. */
let parsed = ''
const parsedWords = new Int32Array(UUID_BYTES / 4)

export function isUuid(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== UUID_CHARACTERS) return false
  return value === parsed || parse(value)
}

/** `value` must have passed `isUuid`. */
export function storeUuid(view: DataView, offset: number, value: string): void {
  if (value !== parsed) parse(value)
  view.setInt32(offset, parsedWords[0] as number, true)
  view.setInt32(offset + 4, parsedWords[1] as number, true)
  view.setInt32(offset + 8, parsedWords[2] as number, true)
  view.setInt32(offset + 12, parsedWords[3] as number, true)
}

/** Checks all characters, and puts them together, in one pass; what is wrong adds up in `wrong`. */
function parse(value: string): boolean {
  let wrong = 0
  let at = 0
  for (let word = 0; word < parsedWords.length; word++) {
    let bytes = 0
    for (let shift = 0; shift < 32; shift += 8) {
      if (isHyphenPlace(at)) wrong |= value.charCodeAt(at++) ^ HYPHEN
      const first = value.charCodeAt(at++)
      const second = value.charCodeAt(at++)
      const high = NIBBLES[first & 0xff] as number
      const low = NIBBLES[second & 0xff] as number
      wrong |= ((first | second) >> 8) | ((high | low) & NO_DIGIT)
      bytes |= ((high << 4) | low) << shift
    }
    parsedWords[word] = bytes
  }
  parsed = wrong === 0 ? value : ''
  return wrong === 0
}

export function loadUuid(view: DataView, offset: number): string {
  let at = offset
  for (let i = 0; i < UUID_CHARACTERS; i += 2) {
    if (isHyphenPlace(i)) i++
    const byte = view.getUint8(at++)
    scratch[i] = DIGIT_CODES[byte >> 4] as number
    scratch[i + 1] = DIGIT_CODES[byte & 15] as number
  }
  return scratch.toString('latin1')
}
