/**
 * Pieces of JavaScript for one field of one storage, from which compiled codecs and flyweights are
 * put together. Nothing of a user's reaches the source except field names, which are identifiers
 * (names.ts), and numbers of ours; everything else is passed in as a constant.
 *
 * The pieces use these names: `view` and `bytes` (the same memory, as DataView and Buffer), `o`
 * (the payload's offset in them), and `values[i]` (the values of a oneOf field).
 */
import { assert } from '../errors.js'
import { byteCount, readBytes, writeBytes } from './byte-values.js'
import { isOneOf } from './field-types.js'
import { isNoF64, isNoInt, isU64, storeU64 } from './integers.js'
import { fieldNameProblem } from './names.js'
import {
  type FixedStorage,
  isVariable,
  type PayloadLayout,
  type PlacedField,
} from './payload-layout.js'
import { plainDamage } from './plain-damage.js'
import { packPlain, unpackPlain } from './plain-data.js'
import { bytesOver, isText, readText, textBytes, writeText } from './text-bytes.js'
import { isUuid, loadUuid, storeUuid } from './uuid-bytes.js'

/** What generated code calls. */
const RUNTIME = {
  isNoInt,
  isNoF64,
  isU64,
  storeU64,
  isUuid,
  storeUuid,
  loadUuid,
  bytesOver,
  textBytes,
  writeText,
  readText,
  isText,
  byteCount,
  writeBytes,
  readBytes,
  packPlain,
  unpackPlain,
  plainDamage,
}

/** Runs generated source, which returns a class, with the runtime and `constants` in scope. */
export function generate<T>(source: string, constants: Readonly<Record<string, unknown>>): T {
  const scope = { ...RUNTIME, ...constants }
  const run = new Function(...Object.keys(scope), `'use strict'\n${source}`)
  return run(...Object.values(scope)) as T
}

/** A field's name, where it becomes part of the source. */
export function nameInCode(field: PlacedField): string {
  assert(fieldNameProblem(field.name) === undefined, 'field names are checked when declared')
  return field.name
}

/** The values of oneOf fields by field index, and the index of each value: `values`, `indexes`. */
export function oneOfConstants(layout: PayloadLayout): Record<string, unknown> {
  const values: (readonly string[] | undefined)[] = []
  const indexes: (ReadonlyMap<string, number> | undefined)[] = []
  for (const { type } of layout.fields) {
    values.push(isOneOf(type) ? type.values : undefined)
    indexes.push(isOneOf(type) ? new Map(type.values.map((value, i) => [value, i])) : undefined)
  }
  return { values, indexes }
}

/** `o + 16`, or `o`. */
export function at(offset: number, payload = 'o'): string {
  return offset === 0 ? payload : `${payload} + ${offset}`
}

interface FixedCode {
  /** True of a value that the field does not take. */
  readonly refuses: (value: string, index: number) => string
  readonly store: (value: string, at: string, index: number) => string
  readonly load: (at: string, index: number, view: string) => string
  /** True of bytes that hold no value. Undefined: all bytes do. */
  readonly damaged?: (at: string, index: number) => string
}

/** Longer lists of values are looked up in a Map, shorter ones compared one by one. */
const COMPARED_VALUES_MAX = 8

const FIXED_CODE: Readonly<Record<Exclude<FixedStorage, 'slot'>, FixedCode>> = {
  bool: {
    refuses: (value) => `${value} !== true && ${value} !== false`,
    store: (value, at) => `view.setUint8(${at}, ${value} ? 1 : 0)`,
    load: (at, _i, view) => `${view}.getUint8(${at}) !== 0`,
    damaged: (at) => `view.getUint8(${at}) > 1`,
  },
  oneOf: {
    refuses: (value, i) => `typeof ${value} !== 'string' || !indexes[${i}].has(${value})`,
    store: (value, at, i) => `view.setUint8(${at}, indexes[${i}].get(${value}))`,
    load: (at, i, view) => `values[${i}][${view}.getUint8(${at})]`,
    damaged: (at, i) => `view.getUint8(${at}) >= values[${i}].length`,
  },
  i32: {
    refuses: (value) => `typeof ${value} !== 'number' || (${value} | 0) !== ${value}`,
    store: (value, at) => `view.setInt32(${at}, ${value}, true)`,
    load: (at, _i, view) => `${view}.getInt32(${at}, true)`,
  },
  u32: {
    refuses: (value) => `typeof ${value} !== 'number' || (${value} >>> 0) !== ${value}`,
    store: (value, at) => `view.setUint32(${at}, ${value}, true)`,
    load: (at, _i, view) => `${view}.getUint32(${at}, true)`,
  },
  int: {
    refuses: (value) => `!Number.isSafeInteger(${value})`,
    // Adding 0 turns -0 into 0.
    store: (value, at) => `view.setFloat64(${at}, ${value} + 0, true)`,
    load: (at, _i, view) => `${view}.getFloat64(${at}, true)`,
    damaged: (at) => `isNoInt(view.getFloat64(${at}, true))`,
  },
  u64: {
    refuses: (value) => `!isU64(${value})`,
    store: (value, at) => `storeU64(view, ${at}, ${value})`,
    load: (at, _i, view) => `${view}.getBigUint64(${at}, true)`,
  },
  f64: {
    refuses: (value) => `typeof ${value} !== 'number' || ${value} !== ${value}`,
    store: (value, at) => `view.setFloat64(${at}, ${value} + 0, true)`,
    load: (at, _i, view) => `${view}.getFloat64(${at}, true)`,
    damaged: (at) => `isNoF64(view.getFloat64(${at}, true))`,
  },
  uuid: {
    refuses: (value) => `!isUuid(${value})`,
    store: (value, at) => `storeUuid(view, ${at}, ${value})`,
    load: (at, _i, view) => `loadUuid(${view}, ${at})`,
  },
}

/** Values that come from the application are compared one by one where that is faster. */
function fixedCodeOf(field: PlacedField): FixedCode {
  const { storage, type } = field
  assert(!isVariable(storage) && storage !== 'slot', 'this field has a fixed place')
  if (!isOneOf(type) || type.values.length > COMPARED_VALUES_MAX) return FIXED_CODE[storage]
  const literals = type.values.map((value) => JSON.stringify(value))
  return {
    ...FIXED_CODE.oneOf,
    refuses: (value) => literals.map((literal) => `${value} !== ${literal}`).join(' && '),
    store: (value, at) =>
      `view.setUint8(${at}, ${literals.map((literal, i) => `${value} === ${literal} ? ${i} : `).join('')}0)`,
  }
}

export function refusesCode(field: PlacedField, value: string): string {
  return fixedCodeOf(field).refuses(value, field.index)
}

export function storeCode(field: PlacedField, value: string): string {
  return fixedCodeOf(field).store(value, at(field.offset), field.index)
}

export function loadCode(field: PlacedField): string {
  return fixedCodeOf(field).load(at(field.offset), field.index, 'view')
}

/**
 * The body of a getter of a view: `$view` at `$offset`. In one expression it is at most 27 bytecodes,
 * which V8 inlines wherever it is called; with constants of its own it is more (docs/decisions/0022).
 */
export function viewGetterCode(field: PlacedField): string {
  const place = at(field.offset, 'this.$offset')
  return `return ${fixedCodeOf(field).load(place, field.index, 'this.$view')}`
}

/** True of bytes that hold no value of this fixed field; undefined when all bytes do. */
export function damagedCode(field: PlacedField): string | undefined {
  const place = at(field.offset)
  if (field.storage === 'slot') return `view.getUint32(${place}, true) === 0`
  return fixedCodeOf(field).damaged?.(place, field.index)
}

/** True of an id that the aggregate of this reference does not take. */
export function refusesIdCode(field: PlacedField, value: string): string {
  assert(field.reference !== undefined, 'this field is a reference')
  switch (field.reference.aggregate.idType) {
    case 'u32':
      return FIXED_CODE.u32.refuses(value, field.index)
    case 'u64':
      return `!isU64(${value})`
    case 'uuid':
      return `!isUuid(${value})`
    case 'text':
      return `!isId('text', ${value})`
  }
}

/** Loads a u32: a slot, or an END. */
export function loadU32Code(offset: number): string {
  return `view.getUint32(${at(offset)}, true)`
}

/** Where the bytes of a variable-length field begin, relative to the payload. */
function startCode(layout: PayloadLayout, field: PlacedField): string {
  const previous = layout.variableFields[field.variableIndex - 1]
  return previous === undefined ? String(layout.fixedBytes) : loadU32Code(previous.offset)
}

const READERS = { text: 'readText', bytes: 'readBytes', any: 'unpackPlain' } as const

/** The value of a variable-length field, given its END. */
export function readVariableCode(layout: PayloadLayout, field: PlacedField, end: string): string {
  assert(isVariable(field.storage), 'this field has a variable length')
  const start = startCode(layout, field)
  return `${READERS[field.storage]}(bytes, o + ${start}, o + ${end})`
}
