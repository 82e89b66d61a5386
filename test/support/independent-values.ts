/**
 * A second implementation of the values in a journal (checksums, payload layout, plain data, content
 * hash), by docs/file-format.md alone, to prove that the page is enough. So it imports nothing of
 * tidewheel, and its numbers are those of the page.
 */
import type { Buffer } from 'node:buffer'

export class Damage extends Error {
  override readonly name = 'Damage'
}

export function damaged(what: string): never {
  throw new Damage(what)
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte
  for (let bit = 0; bit < 8; bit++) {
    register = (register >>> 1) ^ ((register & 1) === 1 ? 0xedb88320 : 0)
  }
  return register
})

export function seededCrc32(bytes: Uint8Array, seed: number): number {
  let register = ~seed
  for (const byte of bytes) {
    register = (register >>> 8) ^ (CRC_TABLE[(register ^ byte) & 0xff] as number)
  }
  return ~register >>> 0
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    return damaged('text is not UTF-8')
  }
}

export function decodeUuid(bytes: Buffer): string {
  const digits = bytes.toString('hex')
  const starts = [0, 8, 12, 16, 20, 32]
  return starts
    .slice(0, -1)
    .map((start, i) => digits.slice(start, starts[i + 1]))
    .join('-')
}

// Payload layout.

/** As in the catalogue. A reference of a command has the type of its ids instead. */
export interface IndependentField {
  readonly name: string
  readonly type: string
  readonly values?: readonly string[]
  readonly aggregate?: string
}

const RANKS = new Map([
  ['bool', 1],
  ['oneOf', 1],
  ['i32', 4],
  ['u32', 4],
  ['reference', 4],
  ['text', 4],
  ['bytes', 4],
  ['any', 4],
  ['int', 8],
  ['u64', 8],
  ['f64', 8],
  ['uuid', 8],
])

export interface IndependentPlace {
  readonly field: IndependentField
  readonly offset: number
}

export function placeFields(fields: readonly IndependentField[]): {
  places: readonly IndependentPlace[]
  fixedEnd: number
  fixedBytes: number
} {
  const rankOf = ({ type }: IndependentField): number =>
    RANKS.get(type) ?? damaged(`type ${type} is not known`)
  const sorted = [8, 4, 1].flatMap((rank) => fields.filter((field) => rankOf(field) === rank))
  const places: IndependentPlace[] = []
  let offset = 0
  for (const field of sorted) {
    places.push({ field, offset })
    offset += field.type === 'uuid' ? 16 : rankOf(field)
  }
  return { places, fixedEnd: offset, fixedBytes: roundUp(offset, 8) }
}

/** `idOf` gives the id of a stream by aggregate name and slot. */
export function decodePayload(
  payload: Buffer,
  fields: readonly IndependentField[],
  idOf: (aggregate: string, slot: number) => unknown,
): Record<string, unknown> {
  const { places, fixedEnd, fixedBytes } = placeFields(fields)
  if (payload.length < fixedBytes) damaged('a payload is shorter than its fixed part')
  if (payload.subarray(fixedEnd, fixedBytes).some((byte) => byte !== 0)) damaged('used padding')
  const found = new Map<string, unknown>()
  let start = fixedBytes
  for (const { field, offset } of places) {
    if (['text', 'bytes', 'any'].includes(field.type)) {
      const end = payload.readUInt32LE(offset)
      if (end < start || end > payload.length || end - start > 262_144) damaged('an END')
      found.set(field.name, decodeVariable(field.type, payload.subarray(start, end)))
      start = end
    } else if (field.type === 'reference') {
      found.set(field.name, idOf(field.aggregate as string, payload.readUInt32LE(offset)))
    } else found.set(field.name, decodeFixed(field, payload, offset))
  }
  if (start !== payload.length) damaged('a payload is longer than its fields')
  return Object.fromEntries(fields.map(({ name }) => [name, found.get(name)]))
}

function decodeVariable(type: string, bytes: Buffer): unknown {
  if (type === 'text') return decodeText(bytes)
  return type === 'bytes' ? Uint8Array.from(bytes) : decodePlainValue(bytes)
}

function decodeFixed(field: IndependentField, payload: Buffer, offset: number): unknown {
  switch (field.type) {
    case 'bool':
      if ((payload[offset] as number) > 1) damaged('a bool')
      return payload[offset] === 1
    case 'oneOf':
      return field.values?.[payload[offset] as number] ?? damaged('a oneOf')
    case 'i32':
      return payload.readInt32LE(offset)
    case 'u32':
      return payload.readUInt32LE(offset)
    case 'u64':
      return payload.readBigUInt64LE(offset)
    case 'uuid':
      return decodeUuid(payload.subarray(offset, offset + 16))
    default: {
      const value = payload.readDoubleLE(offset)
      if (Number.isNaN(value) || Object.is(value, -0)) damaged('a number that is never written')
      if (field.type === 'int' && !Number.isSafeInteger(value)) damaged('an int')
      return value
    }
  }
}

// Plain data: MessagePack.

export function decodePlainValue(bytes: Buffer): unknown {
  const reader = new PlainReader(bytes)
  const value = reader.value(0)
  if (reader.at !== bytes.length) damaged('bytes behind plain data')
  return value
}

class PlainReader {
  at = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  value(depth: number): unknown {
    const token = this.take(1).readUInt8()
    if (token <= 0x7f) return token
    if (token <= 0x8f) return this.map(token & 15, depth)
    if (token <= 0x9f) return this.array(token & 15, depth)
    if (token <= 0xbf) return decodeText(this.take(token & 31))
    if (token >= 0xe0) return token - 0x100
    switch (token) {
      case 0xc0:
        return null
      case 0xc2:
      case 0xc3:
        return token === 0xc3
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return Uint8Array.from(this.take(this.count(1 << (token - 0xc4))))
      case 0xca:
        return this.take(4).readFloatBE()
      case 0xcb:
        return this.take(8).readDoubleBE()
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.count(1 << (token - 0xcc))
      case 0xcf:
        return this.take(8).readBigUInt64BE()
      case 0xd0:
      case 0xd1:
      case 0xd2: {
        const lengthBytes = 1 << (token - 0xd0)
        return this.take(lengthBytes).readIntBE(0, lengthBytes)
      }
      case 0xd3:
        return this.take(8).readBigInt64BE()
      case 0xd9:
      case 0xda:
      case 0xdb:
        return decodeText(this.take(this.count(1 << (token - 0xd9))))
      case 0xdc:
      case 0xdd:
        return this.array(this.count(2 << (token - 0xdc)), depth)
      case 0xde:
      case 0xdf:
        return this.map(this.count(2 << (token - 0xde)), depth)
      default:
        return damaged('a token that plain data does not have')
    }
  }

  private array(count: number, depth: number): unknown[] {
    this.descend(depth, count)
    return Array.from({ length: count }, () => this.value(depth + 1))
  }

  private map(count: number, depth: number): Record<string, unknown> {
    this.descend(depth, count * 2)
    const map: Record<string, unknown> = {}
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1)
      if (typeof key !== 'string' || key === '__proto__') damaged('a key')
      map[key as string] = this.value(depth + 1)
    }
    return map
  }

  private descend(depth: number, values: number): void {
    if (depth >= 64) damaged('plain data is nested too deep')
    if (values > this.bytes.length - this.at) damaged('plain data ends early')
  }

  private count(lengthBytes: number): number {
    return this.take(lengthBytes).readUIntBE(0, lengthBytes)
  }

  private take(lengthBytes: number): Buffer {
    const end = this.at + lengthBytes
    if (end > this.bytes.length) damaged('plain data ends early')
    const part = this.bytes.subarray(this.at, end)
    this.at = end
    return part
  }
}

// Content hash.

/** Low and high half. */
export function independentContentHash(command: Buffer, commandNumber: number): [number, number] {
  const mixed = Number((BigInt(commandNumber) * 0x9e3779b1n) & 0xffff_ffffn)
  const low = murmur3(command, 0x74696465n) ^ mixed
  return [low >>> 0, murmur3(command, 0x77686565n)]
}

const U32 = 0xffff_ffffn
const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (32n - by))) & U32

function murmur3(bytes: Buffer, seed: bigint): number {
  const scramble = (word: bigint): bigint =>
    (rotate((word * 0xcc9e2d51n) & U32, 15n) * 0x1b873593n) & U32
  let hash = seed
  let at = 0
  for (; at + 4 <= bytes.length; at += 4) {
    hash ^= scramble(BigInt(bytes.readUInt32LE(at)))
    hash = (rotate(hash, 13n) * 5n + 0xe6546b64n) & U32
  }
  const rest = bytes.length - at
  if (rest > 0) hash ^= scramble(BigInt(bytes.readUIntLE(at, rest)))
  hash ^= BigInt(bytes.length)
  hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & U32
  hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & U32
  return Number(hash ^ (hash >> 16n))
}
