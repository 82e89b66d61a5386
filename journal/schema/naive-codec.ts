/**
 * The codec that interprets the layout, field by field, and allocates as it likes. It is written to
 * be obviously right rather than fast, with other means than the generated one where there are any
 * (TextEncoder, a fatal TextDecoder, hexadecimal), so that the two do not share their mistakes. It
 * never generates code, so tools use it for journals from strangers.
 */
import { Buffer } from 'node:buffer'
import { assert } from '../errors.js'
import { alignWord } from '../layout.js'
import {
  type Codec,
  type IdReader,
  PAST_LIMIT,
  type PayloadSink,
  refuseField,
  refuseReference,
  refuseValue,
} from './codec.js'
import { isOneOf } from './field-types.js'
import type { IdValue } from './id-type.js'
import { isVariable, type PayloadLayout, type PlacedField } from './payload-layout.js'
import { plainDamage } from './plain-damage.js'
import { packPlain, unpackPlain } from './plain-data.js'
import {
  damageOf,
  extentDamageOf,
  isAccepted,
  LENGTH_DAMAGE,
  PADDING_DAMAGE,
  SHORT_DAMAGE,
} from './value-check.js'

const encoder = new TextEncoder()
/** Strict, and leaves a byte order mark where it is: it is a character like any other. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

type Values = Readonly<Record<string, unknown>>

export class NaiveCodec implements Codec {
  readonly layout: PayloadLayout

  constructor(layout: PayloadLayout) {
    assert(layout.flavour !== 'state', 'state is read and written in its slab')
    this.layout = layout
  }

  encode(value: unknown, sink: PayloadSink): number {
    const { layout } = this
    if (typeof value !== 'object' || value === null) refuseValue(layout, value)
    const values: Record<string, unknown> = {}
    for (const field of layout.fields) {
      const given = (value as Values)[field.name]
      if (!isAccepted(field, given)) refuseField(layout, field, given, value)
      values[field.name] = given
    }
    const slots = new Map<PlacedField, number>()
    for (const field of layout.references) {
      if (field.reference === undefined || field.storage !== 'slot') continue
      const id = values[field.name] as IdValue
      const slot = sink.slotOf(field.reference.aggregateIndex, id)
      if (slot === 0) refuseReference(layout, field, id)
      slots.set(field, slot)
    }
    const payload = this.payloadOf(values, slots)
    const { view, payloadOffset: offset, payloadLimit } = sink
    if (offset + alignWord(payload.length) > payloadLimit) return PAST_LIMIT
    const target = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    target.fill(0, offset, offset + alignWord(payload.length))
    target.set(payload, offset)
    return payload.length
  }

  check(view: DataView, offset: number, lengthBytes: number): string | undefined {
    const { layout } = this
    if (lengthBytes < layout.fixedBytes || offset + lengthBytes > view.byteLength) {
      return SHORT_DAMAGE
    }
    const payload = payloadAt(view, offset, lengthBytes)
    for (const field of layout.fields) {
      if (!isVariable(field.storage) && !holdsValue(field, payload)) return damageOf(field)
    }
    for (let i = layout.fixedEnd; i < layout.fixedBytes; i++) {
      if (payload[i] !== 0) return PADDING_DAMAGE
    }
    let start = layout.fixedBytes
    for (const field of layout.variableFields) {
      const end = payload.readUInt32LE(field.offset)
      if (end < start + field.bytesMin || end > start + field.bytesMax || end > lengthBytes) {
        return extentDamageOf(field)
      }
      if (!holdsVariable(field, payload.subarray(start, end))) return damageOf(field)
      start = end
    }
    return start === lengthBytes ? undefined : LENGTH_DAMAGE
  }

  decode(
    view: DataView,
    offset: number,
    lengthBytes: number,
    ids: IdReader,
  ): Record<string, unknown> {
    const { layout } = this
    const payload = payloadAt(view, offset, lengthBytes)
    const value: Record<string, unknown> = {}
    for (const field of layout.fields) {
      if (isVariable(field.storage)) {
        const previous = layout.variableFields[field.variableIndex - 1]
        const start =
          previous === undefined ? layout.fixedBytes : payload.readUInt32LE(previous.offset)
        value[field.name] = variableValue(
          field,
          payload.subarray(start, payload.readUInt32LE(field.offset)),
        )
      } else if (field.reference !== undefined && field.storage === 'slot') {
        const slot = payload.readUInt32LE(field.offset)
        value[field.name] = ids.idOf(field.reference.aggregateIndex, slot)
      } else {
        value[field.name] = fixedValue(field, payload)
      }
    }
    return value
  }

  private payloadOf(values: Values, slots: ReadonlyMap<PlacedField, number>): Buffer {
    const { layout } = this
    const fixed = Buffer.alloc(layout.fixedBytes)
    const parts: Uint8Array[] = [fixed]
    for (const field of layout.fields) {
      if (isVariable(field.storage)) continue
      if (field.storage === 'slot') fixed.writeUInt32LE(slots.get(field) ?? 0, field.offset)
      else putFixed(field, values[field.name], fixed)
    }
    let end = layout.fixedBytes
    for (const field of layout.variableFields) {
      const part = variableBytes(field, values[field.name])
      end += part.length
      fixed.writeUInt32LE(end, field.offset)
      parts.push(part)
    }
    return Buffer.concat(parts)
  }
}

/** A private copy: `TextDecoder` refuses shared memory. */
function payloadAt(view: DataView, offset: number, lengthBytes: number): Buffer {
  return Buffer.from(new Uint8Array(view.buffer, view.byteOffset + offset, lengthBytes))
}

function putFixed(field: PlacedField, value: unknown, fixed: Buffer): void {
  const at = field.offset
  switch (field.storage) {
    case 'bool':
      fixed[at] = value === true ? 1 : 0
      break
    case 'oneOf':
      fixed[at] = isOneOf(field.type) ? field.type.values.indexOf(value as string) : 0
      break
    case 'i32':
      fixed.writeInt32LE(value as number, at)
      break
    case 'u32':
      fixed.writeUInt32LE(value as number, at)
      break
    case 'u64':
      fixed.writeBigUInt64LE(BigInt(value as number | bigint), at)
      break
    case 'int':
    case 'f64':
      fixed.writeDoubleLE(value === 0 ? 0 : (value as number), at)
      break
    case 'uuid':
      fixed.write((value as string).replaceAll('-', ''), at, 'hex')
  }
}

function fixedValue(field: PlacedField, payload: Buffer): unknown {
  const at = field.offset
  switch (field.storage) {
    case 'bool':
      return payload[at] === 1
    case 'oneOf':
      return isOneOf(field.type) ? field.type.values[payload[at] as number] : undefined
    case 'i32':
      return payload.readInt32LE(at)
    case 'u64':
      return payload.readBigUInt64LE(at)
    case 'int':
    case 'f64':
      return payload.readDoubleLE(at)
    case 'uuid':
      return payload
        .toString('hex', at, at + 16)
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    default:
      return payload.readUInt32LE(at)
  }
}

function holdsValue(field: PlacedField, payload: Buffer): boolean {
  switch (field.storage) {
    case 'bool':
      return (payload[field.offset] as number) <= 1
    case 'oneOf':
      return fixedValue(field, payload) !== undefined
    case 'slot':
      return payload.readUInt32LE(field.offset) !== 0
    case 'int': {
      const value = payload.readDoubleLE(field.offset)
      return Number.isSafeInteger(value) && !Object.is(value, -0)
    }
    case 'f64': {
      const value = payload.readDoubleLE(field.offset)
      return !Number.isNaN(value) && !Object.is(value, -0)
    }
    default:
      return true
  }
}

function variableBytes(field: PlacedField, value: unknown): Uint8Array {
  if (field.storage === 'text') return encoder.encode(value as string)
  if (field.storage === 'bytes') return value as Uint8Array
  const packed = packPlain(value)
  assert(typeof packed !== 'string', 'the value was checked')
  return Buffer.from(packed)
}

function variableValue(field: PlacedField, part: Buffer): unknown {
  if (field.storage === 'text') return decoder.decode(part)
  if (field.storage === 'bytes') return Uint8Array.from(part)
  return unpackPlain(part, 0, part.length)
}

function holdsVariable(field: PlacedField, part: Buffer): boolean {
  if (field.storage === 'bytes') return true
  if (field.storage === 'any') return plainDamage(part, 0, part.length) === undefined
  try {
    decoder.decode(part)
    return true
  } catch {
    return false
  }
}
