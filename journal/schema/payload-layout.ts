/**
 * Where the fields of a payload lie, computed from the list of fields and nothing else: the same
 * list gives the same bytes on every machine. Little-endian; offsets count from the payload start.
 *
 *    0                                          fixedBytes (a multiple of 8)
 *   ┌─────────────┬─────────┬───────────┬───────┬──────────────┬──────────────┐
 *   │ 8-byte      │ 4-byte  │ 1-byte    │ zeros │ 1st variable │ 2nd variable │
 *   │ fields,     │ fields, │ fields    │ to 8  │ field's bytes│ field's bytes│
 *   │ 16-byte UUID│ ENDs    │           │       │              │              │
 *   └─────────────┴─────────┴───────────┴───────┴──────────────┴──────────────┘
 *
 * Fields lie in order of size, larger first, in order of declaration among equals; so each is
 * naturally aligned. A variable-length field has a u32 END in the fixed part: the offset where its
 * bytes end. They start where the variable field before it ended, the first at fixedBytes. The
 * payload's length is exact: the last END, or fixedBytes.
 *
 * The flavour decides how references and variable-length fields are stored:
 *
 *   command   a reference is the id itself: text (variable), u32, u64 or 16 bytes of UUID
 *   event     a reference is a u32 slot; 0, none, does not occur
 *   state     a reference is a u32 slot, 0 is none; variable-length fields are in columns beside
 *             the slab and take no bytes here
 */
import { assert } from '../errors.js'
import { assertLayout, type Extent, WORD_BYTES } from '../layout.js'
import { ID_BYTES_MAX } from '../record-layout.js'
import { BYTES_MAX } from './byte-values.js'
import {
  aggregateOf,
  assertFields,
  type Fields,
  type FieldType,
  isReference,
} from './field-types.js'
import type { AggregateLike } from './id-type.js'
import { PLAIN_BYTES_MAX } from './plain-data.js'
import { TEXT_BYTES_MAX } from './text-bytes.js'
import { UUID_BYTES } from './uuid-bytes.js'

export type Flavour = 'command' | 'event' | 'state'

export type FixedStorage =
  | 'bool'
  | 'oneOf'
  | 'i32'
  | 'u32'
  | 'slot'
  | 'int'
  | 'u64'
  | 'f64'
  | 'uuid'
type VariableStorage = 'text' | 'bytes' | 'any'
export type Storage = FixedStorage | VariableStorage

const FIXED_BYTES: Readonly<Record<FixedStorage, number>> = {
  bool: 1,
  oneOf: 1,
  i32: 4,
  u32: 4,
  slot: 4,
  int: 8,
  u64: 8,
  f64: 8,
  uuid: UUID_BYTES,
}
const END_BYTES = 4

const VARIABLE_BYTES_MAX: Readonly<Record<VariableStorage, number>> = {
  text: TEXT_BYTES_MAX,
  bytes: BYTES_MAX,
  any: PLAIN_BYTES_MAX,
}

interface PlacedReference {
  readonly aggregate: AggregateLike
  /** What resolvers and id readers call this aggregate. */
  readonly aggregateIndex: number
  /** 0 for the first reference field declared, then 1, … */
  readonly ordinal: number
}

export interface PlacedField {
  readonly name: string
  /** In order of declaration. */
  readonly index: number
  readonly type: FieldType
  readonly storage: Storage
  /** Of the value, or of its END; -1 in a column. */
  readonly offset: number
  /** Of a variable-length field: 0 for the first in the bytes (or the first column); otherwise -1. */
  readonly variableIndex: number
  /** Shortest and longest that a variable-length field may be. */
  readonly bytesMin: number
  readonly bytesMax: number
  readonly reference: PlacedReference | undefined
}

export interface PayloadLayout {
  /** For errors: 'Transfer'. */
  readonly name: string
  readonly flavour: Flavour
  /** In order of declaration. */
  readonly fields: readonly PlacedField[]
  readonly fixedBytes: number
  /** Where the last fixed field ends; zeros from here to `fixedBytes`. */
  readonly fixedEnd: number
  /** In the order of their bytes; in state, columns by `$columns` index. */
  readonly variableFields: readonly PlacedField[]
  readonly references: readonly PlacedField[]
}

/**
 * @param aggregateIndexOf what resolvers and id readers are to be given for an aggregate; without
 *   it, aggregates are numbered in the order in which these fields first name them
 * @throws TidewheelError INVALID_DOMAIN
 */
export function layOut(
  name: string,
  fields: Fields,
  flavour: Flavour,
  aggregateIndexOf?: (aggregate: AggregateLike) => number,
): PayloadLayout {
  assertFields(name, fields)
  const indexOf = aggregateIndexOf ?? firstSeenOrder()
  const unplaced: PlacedField[] = []
  let ordinal = 0
  for (const [fieldName, type] of Object.entries(fields)) {
    let reference: PlacedReference | undefined
    if (isReference(type)) {
      const aggregate = aggregateOf(name, fieldName, type)
      reference = { aggregate, aggregateIndex: indexOf(aggregate), ordinal: ordinal++ }
    }
    const storage = storageOf(type, flavour, reference)
    unplaced.push({
      name: fieldName,
      index: unplaced.length,
      type,
      storage,
      offset: -1,
      variableIndex: -1,
      bytesMin: reference === undefined ? 0 : 1,
      bytesMax: variableBytesMax(storage, reference),
      reference,
    })
  }
  return place(name, flavour, unplaced)
}

export function isVariable(storage: Storage): storage is VariableStorage {
  return storage === 'text' || storage === 'bytes' || storage === 'any'
}

/** Bytes of one slot of a slab. */
export function stateBytes(layout: PayloadLayout): number {
  assert(layout.flavour === 'state', 'only state lies in slots')
  return layout.fixedBytes
}

function firstSeenOrder(): (aggregate: AggregateLike) => number {
  const seen: AggregateLike[] = []
  return (aggregate) => {
    const index = seen.indexOf(aggregate)
    return index >= 0 ? index : seen.push(aggregate) - 1
  }
}

function storageOf(
  type: FieldType,
  flavour: Flavour,
  reference: PlacedReference | undefined,
): Storage {
  if (reference !== undefined) return flavour === 'command' ? reference.aggregate.idType : 'slot'
  assert(type.kind !== 'reference', 'a reference has an aggregate')
  return type.kind
}

function variableBytesMax(storage: Storage, reference: PlacedReference | undefined): number {
  if (!isVariable(storage)) return 0
  return reference === undefined ? VARIABLE_BYTES_MAX[storage] : ID_BYTES_MAX
}

function place(name: string, flavour: Flavour, unplaced: readonly PlacedField[]): PayloadLayout {
  const inColumns = flavour === 'state'
  const sizeOf = (field: PlacedField): number => {
    if (!isVariable(field.storage)) return FIXED_BYTES[field.storage]
    return inColumns ? 0 : END_BYTES
  }
  // A UUID needs no more alignment than a word, so it ranks as one. Sorting is stable.
  const rank = (field: PlacedField): number => Math.min(sizeOf(field), WORD_BYTES)
  const fields = [...unplaced]
  const extents: Extent[] = []
  const variableFields: PlacedField[] = []
  let end = 0
  for (const field of unplaced.toSorted((a, b) => rank(b) - rank(a))) {
    const lengthBytes = sizeOf(field)
    const placed: PlacedField = {
      ...field,
      offset: lengthBytes === 0 ? -1 : end,
      variableIndex: isVariable(field.storage) ? variableFields.length : -1,
    }
    fields[field.index] = placed
    if (isVariable(field.storage)) variableFields.push(placed)
    if (lengthBytes > 0) extents.push([end, lengthBytes])
    end += lengthBytes
  }
  assertLayout(`payload of ${name}`, extents, end)
  return {
    name,
    flavour,
    fields,
    fixedEnd: end,
    fixedBytes: Math.ceil(end / WORD_BYTES) * WORD_BYTES,
    variableFields,
    references: fields.filter((field) => field.reference !== undefined),
  }
}
