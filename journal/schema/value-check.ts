/**
 * Whether a value may be stored in a field, and what to say when it may not. This is the wording of
 * every refusal; generated code has checks of its own and comes here when one of them fails.
 */

import { byteCount } from './byte-values.js'
import { isOneOf } from './field-types.js'
import { ID_EXPECTATIONS, isId } from './id-type.js'
import { isU32, isU64 } from './integers.js'
import type { PlacedField, Storage } from './payload-layout.js'
import { packPlain } from './plain-data.js'
import { textBytes } from './text-bytes.js'
import { isUuid } from './uuid-bytes.js'

export function isAccepted(field: PlacedField, value: unknown): boolean {
  if (field.reference !== undefined) return isId(field.reference.aggregate.idType, value)
  switch (field.storage) {
    case 'bool':
      return typeof value === 'boolean'
    case 'i32':
      return typeof value === 'number' && (value | 0) === value
    case 'u32':
      return isU32(value)
    case 'int':
      return Number.isSafeInteger(value)
    case 'u64':
      return isU64(value)
    case 'f64':
      return typeof value === 'number' && !Number.isNaN(value)
    case 'uuid':
      return isUuid(value)
    case 'oneOf':
      return isOneOf(field.type) && field.type.values.includes(value as string)
    case 'text': {
      const lengthBytes = textBytes(value)
      return lengthBytes >= 0 && lengthBytes <= field.bytesMax
    }
    case 'bytes': {
      const lengthBytes = byteCount(value)
      return lengthBytes >= 0 && lengthBytes <= field.bytesMax
    }
    case 'any':
      return typeof packPlain(value) !== 'string'
    case 'slot':
      return false
  }
}

const EXPECTATIONS: Readonly<Record<Storage, string>> = {
  bool: 'true or false',
  i32: 'an integer from -2147483648 to 2147483647',
  u32: 'an integer from 0 to 4294967295',
  int: 'a safe integer, from -9007199254740991 to 9007199254740991',
  u64: 'an integer from 0 to 18446744073709551615, as a bigint or a safe number',
  f64: 'a number that is not NaN',
  uuid: 'a UUID in lower case, such as 01234567-89ab-cdef-0123-456789abcdef',
  oneOf: 'one of its values',
  slot: 'the id of a stream',
  text: 'text, well-formed (no lone surrogates)',
  bytes: 'a Uint8Array',
  any: 'plain data',
}

/** What the field takes, for the end of "must be …"; `given` is what it refused. */
export function expectationOf(field: PlacedField, given: unknown): string {
  if (field.reference !== undefined) return ID_EXPECTATIONS[field.reference.aggregate.idType]
  if (isOneOf(field.type)) {
    const shown = field.type.values.slice(0, 8).map((value) => JSON.stringify(value))
    const more = field.type.values.length - shown.length
    return `one of ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  }
  if (field.storage === 'text' || field.storage === 'bytes') {
    return `${EXPECTATIONS[field.storage]}, of at most ${field.bytesMax} bytes`
  }
  if (field.storage === 'any' && given !== undefined) {
    const problem = packPlain(given)
    if (typeof problem === 'string') return problem
  }
  return EXPECTATIONS[field.storage]
}

const SHOWN_CHARACTERS = 40

/** A short form for errors. Runs no code of the value's. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length <= SHOWN_CHARACTERS
        ? JSON.stringify(value)
        : `${JSON.stringify(value.slice(0, SHOWN_CHARACTERS))}… (${value.length} characters)`
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint': {
      const digits = String(value)
      return digits.length <= SHOWN_CHARACTERS
        ? `${digits}n`
        : `a bigint of ${digits.length} digits`
    }
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      return byteCount(value) >= 0 ? `${byteCount(value)} bytes` : 'an object'
    case 'boolean':
    case 'undefined':
      return String(value)
    default:
      return `a ${typeof value}`
  }
}

/** What `check` says of a field whose bytes hold no value of its type. */
export function damageOf(field: PlacedField): string {
  return `field '${field.name}' does not hold ${DAMAGE[field.storage]}`
}

const DAMAGE: Readonly<Record<Storage, string>> = {
  bool: '0 or 1',
  oneOf: 'the index of one of its values',
  i32: 'an i32',
  u32: 'a u32',
  slot: 'a slot',
  int: 'a safe integer',
  u64: 'a u64',
  f64: 'a number other than NaN and -0',
  uuid: 'a UUID',
  text: 'well-formed UTF-8',
  bytes: 'bytes',
  any: 'plain data',
}
/** What `check` says of a field whose END lies outside, or whose bytes are too few or too many. */
export function extentDamageOf(field: PlacedField): string {
  return `field '${field.name}' ends outside of its bounds`
}
export const SHORT_DAMAGE =
  'the payload is shorter than its fixed part, or than the memory it lies in'
export const LENGTH_DAMAGE = 'the payload does not end where its last field ends'
export const PADDING_DAMAGE = 'the bytes after the fixed fields are not zero'
