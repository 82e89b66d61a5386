/**
 * Checks MessagePack from strangers without building anything: one pass, a counter a depth, no
 * recursion. What passes is one value of plain data (plain-data.ts), whole, and nothing after it.
 */
import type { Buffer } from 'node:buffer'
import { isText, readText } from './text-bytes.js'

export const PLAIN_DEPTH_MAX = 64
/** Assigned as a key it would change the object's prototype. */
export const FORBIDDEN_KEY = '__proto__'

const ENDS_EARLY = 'plain data that ends too early'

/** Of the depths above the present one: values still to come; a map counts its keys and values. */
const remaining = new Float64Array(PLAIN_DEPTH_MAX + 1)
const isMap = new Uint8Array(PLAIN_DEPTH_MAX + 1)

/** Says what is wrong with these bytes, which may be hostile, or undefined. Never throws. */
export function plainDamage(source: Buffer, start: number, end: number): string | undefined {
  let at = start
  let depth = 0
  let left = 1
  let inMap = 0
  for (;;) {
    while (left === 0) {
      if (depth === 0) return at === end ? undefined : 'bytes after the end of plain data'
      depth--
      left = remaining[depth] as number
      inMap = isMap[depth] as number
    }
    const isKey = (inMap & ~left & 1) === 1
    left--
    if (at >= end) return ENDS_EARLY
    const token = source[at] as number
    if (token <= FIXINT_MAX && !isKey) {
      at++
      continue
    }
    const headBytes = HEAD_BYTES[token] as number
    if (headBytes === 0) return `a token that plain data does not have, 0x${token.toString(16)}`
    if (at + headBytes > end) return ENDS_EARLY
    const kind = KINDS[token] as number
    if (isKey && kind !== TEXT) return 'a key that is not text'
    const count = countOf(source, at, token)
    at += headBytes
    if (kind === SCALAR) {
      if (isUnwritten(source, at - headBytes, token)) return 'a number that is never written'
    } else if (kind === ARRAY || kind === MAP) {
      const values = kind === MAP ? count * 2 : count
      if (values > end - at) return ENDS_EARLY
      if (depth === PLAIN_DEPTH_MAX) return `plain data nested over ${PLAIN_DEPTH_MAX} deep`
      remaining[depth] = left
      isMap[depth] = inMap
      depth++
      left = values
      inMap = kind === MAP ? 1 : 0
    } else {
      if (count > end - at) return ENDS_EARLY
      if (kind === TEXT) {
        if (!isText(source, at, at + count)) return 'text that is not UTF-8'
        if (isKey && count === FORBIDDEN_KEY.length) {
          if (readText(source, at, at + count) === FORBIDDEN_KEY) return `the key ${FORBIDDEN_KEY}`
        }
      }
      at += count
    }
  }
}

const SCALAR = 0
const TEXT = 1
const BYTES = 2
const ARRAY = 3
const MAP = 4

/** The most frequent token, and one byte long. */
const FIXINT_MAX = 0x7f
const FLOAT32 = 0xca
const FLOAT64 = 0xcb

/** Kind of a token, and its length with the count that follows it; length 0 is a token refused. */
const KINDS = new Uint8Array(256)
const HEAD_BYTES = new Uint8Array(256)

function declareTokens(first: number, last: number, kind: number, ...headBytes: number[]): void {
  for (let token = first; token <= last; token++) {
    KINDS[token] = kind
    HEAD_BYTES[token] = headBytes[(token - first) % headBytes.length] as number
  }
}
declareTokens(0x00, 0x7f, SCALAR, 1) // 0 to 127
declareTokens(0x80, 0x8f, MAP, 1)
declareTokens(0x90, 0x9f, ARRAY, 1)
declareTokens(0xa0, 0xbf, TEXT, 1)
declareTokens(0xc0, 0xc0, SCALAR, 1) // null
declareTokens(0xc2, 0xc3, SCALAR, 1) // false, true
declareTokens(0xc4, 0xc6, BYTES, 2, 3, 5)
declareTokens(FLOAT32, FLOAT64, SCALAR, 5, 9)
declareTokens(0xcc, 0xcf, SCALAR, 2, 3, 5, 9) // unsigned
declareTokens(0xd0, 0xd3, SCALAR, 2, 3, 5, 9) // signed
declareTokens(0xd9, 0xdb, TEXT, 2, 3, 5)
declareTokens(0xdc, 0xdd, ARRAY, 3, 5)
declareTokens(0xde, 0xdf, MAP, 3, 5)
declareTokens(0xe0, 0xff, SCALAR, 1) // -32 to -1

/** How many bytes, values or pairs follow the token at `at`. */
function countOf(bytes: Buffer, at: number, token: number): number {
  if (KINDS[token] === SCALAR) return 0
  switch (HEAD_BYTES[token]) {
    case 1:
      return token & (KINDS[token] === TEXT ? 31 : 15)
    case 2:
      return bytes[at + 1] as number
    case 3:
      return ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
    default:
      return (
        (bytes[at + 1] as number) * 0x100_0000 +
        (((bytes[at + 2] as number) << 16) |
          ((bytes[at + 3] as number) << 8) |
          (bytes[at + 4] as number))
      )
  }
}

/** NaN and -0, by their bits: they would make equal states differ. */
function isUnwritten(bytes: Buffer, at: number, token: number): boolean {
  if (token !== FLOAT32 && token !== FLOAT64) return false
  const exponentBits = token === FLOAT32 ? 0x7f80 : 0x7ff0
  const high = ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  let rest = 0
  for (let i = at + 3; i < at + (token === FLOAT32 ? 5 : 9); i++) rest |= bytes[i] as number
  const isNan =
    (high & exponentBits) === exponentBits && ((high & ~exponentBits & 0x7fff) | rest) !== 0
  return isNan || (high === 0x8000 && rest === 0)
}
