/**
 * Values of type `any`: plain data as MessagePack. Plain data is null, booleans, numbers except
 * NaN, bigints of 64 bits, well-formed text, Uint8Array, arrays, and objects without a class.
 * `undefined`, functions, class instances, cycles and the key `__proto__` are refused.
 *
 * msgpackr reads and writes; what it is given to read was walked here first. It knows extension
 * types that run code on what they read and records that keep structures between calls, and has no
 * limit of depth. `plainDamage` lets through only the tokens of plain data, nested at most
 * PLAIN_DEPTH_MAX deep, so decoding takes time and memory in proportion to the bytes.
 *
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md, without extension types.
 */
import { Buffer } from 'node:buffer'
import { types } from 'node:util'
import { Packr } from 'msgpackr'
import { TidewheelError } from '../errors.js'
import { FORBIDDEN_KEY, PLAIN_DEPTH_MAX, plainDamage } from './plain-damage.js'
import { textBytes } from './text-bytes.js'

export const PLAIN_BYTES_MAX = 256 * 1024

const I64_START = -(1n << 63n)
const U64_END = 1n << 64n

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  copyBuffers: true,
  useToJSON: false,
})

const SHORT_BYTES = 128
/** Where bytes are put before they are read, so that msgpackr never sees shared memory. */
const scratch = new Uint8Array(PLAIN_BYTES_MAX)

/** Packed bytes, valid until the caller has copied them, or a sentence part that says what is wrong. */
export function packPlain(value: unknown): Buffer | string {
  budgetBytes = PLAIN_BYTES_MAX
  const problem = plainProblem(value, 0)
  if (problem !== undefined) return problem
  const packed = packr.pack(value)
  if (packed.length > PLAIN_BYTES_MAX) return TOO_LARGE
  // An accessor can answer twice differently, and what was packed is what counts.
  return plainDamage(packed, 0, packed.length) ?? packed
}

/** The value in bytes that `plainDamage` has passed; everything in it is a copy. */
export function unpackPlain(bytes: Buffer, start: number, end: number): unknown {
  // Up to here a loop beats the two calls.
  if (end - start > SHORT_BYTES) scratch.set(bytes.subarray(start, end))
  else for (let i = start; i < end; i++) scratch[i - start] = bytes[i] as number
  return packr.unpack(scratch, end - start)
}

/**
 * The value in bytes that nobody has checked yet.
 * @throws TidewheelError JOURNAL_DAMAGED
 */
export function decodePlainData(bytes: Uint8Array): unknown {
  const source = Buffer.from(bytes)
  const damage = source.length > PLAIN_BYTES_MAX ? TOO_LARGE : plainDamage(source, 0, source.length)
  if (damage === undefined) return unpackPlain(source, 0, source.length)
  throw new TidewheelError('JOURNAL_DAMAGED', `these bytes are not plain data: ${damage}`)
}

/** Makes plain data read-only, except the contents of a Uint8Array, which cannot be. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}

const TOO_LARGE = `plain data of at most ${PLAIN_BYTES_MAX} bytes, packed`
const TOO_DEEP = `plain data nested at most ${PLAIN_DEPTH_MAX} deep, without cycles`

/** Counts down while a value is walked, so that a huge or endlessly shared one stops early. */
let budgetBytes = 0

function plainProblem(value: unknown, depth: number): string | undefined {
  budgetBytes -= 1
  switch (typeof value) {
    case 'boolean':
      return undefined
    case 'number':
      return Number.isNaN(value) ? 'plain data without NaN' : undefined
    case 'bigint':
      return value >= I64_START && value < U64_END
        ? undefined
        : 'plain data with bigints of at most 64 bits'
    case 'string':
      return textProblem(value)
    case 'object':
      return value === null ? undefined : objectProblem(value, depth + 1)
    default:
      return `plain data without ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`
  }
}

function textProblem(value: string): string | undefined {
  const lengthBytes = textBytes(value)
  if (lengthBytes < 0) return 'plain data with well-formed text (no lone surrogates)'
  budgetBytes -= lengthBytes
  return budgetBytes < 0 ? TOO_LARGE : undefined
}

function bytesProblem(value: Uint8Array): string | undefined {
  budgetBytes -= value.length
  return budgetBytes < 0 ? TOO_LARGE : undefined
}

function objectProblem(value: object, depth: number): string | undefined {
  if (depth > PLAIN_DEPTH_MAX) return types.isUint8Array(value) ? bytesProblem(value) : TOO_DEEP
  if (Array.isArray(value)) {
    if (value.length > budgetBytes) return TOO_LARGE
    for (let i = 0; i < value.length; i++) {
      const problem = plainProblem(value[i], depth)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype) {
    return types.isUint8Array(value) ? bytesProblem(value) : 'plain data without class instances'
  }
  for (const key of Object.keys(value)) {
    if (key === FORBIDDEN_KEY) return `plain data without the key ${FORBIDDEN_KEY}`
    const problem = textProblem(key) ?? plainProblem((value as Record<string, unknown>)[key], depth)
    if (problem !== undefined) return problem
  }
  return undefined
}
