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

/** Value of a hexadecimal digit by character code, or 255. */
const NIBBLES = new Uint8Array(128).fill(255)
for (let i = 0; i < DIGITS.length; i++) NIBBLES[DIGITS.charCodeAt(i)] = i

const DIGIT_CODES = Uint8Array.from(DIGITS, (digit) => digit.charCodeAt(0))
const scratch = Buffer.alloc(UUID_CHARACTERS, HYPHEN)

function isHyphenPlace(index: number): boolean {
  return index === 8 || index === 13 || index === 18 || index === 23
}

/** Passed last: one command asks about its ids several times. */
let recentUuid = ''

export function isUuid(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== UUID_CHARACTERS) return false
  if (value === recentUuid) return true
  for (let i = 0; i < UUID_CHARACTERS; i++) {
    const code = value.charCodeAt(i)
    if (isHyphenPlace(i) ? code !== HYPHEN : code >= 128 || NIBBLES[code] === 255) return false
  }
  recentUuid = value
  return true
}

/** `value` must have passed `isUuid`. */
export function storeUuid(view: DataView, offset: number, value: string): void {
  let at = offset
  for (let i = 0; i < UUID_CHARACTERS; i += 2) {
    if (isHyphenPlace(i)) i++
    const high = NIBBLES[value.charCodeAt(i)] as number
    view.setUint8(at++, (high << 4) | (NIBBLES[value.charCodeAt(i + 1)] as number))
  }
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
