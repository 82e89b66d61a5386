/**
 * Flyweights over the payloads of commands and events: one object a type, moved from payload to
 * payload, that reads a field when it is asked. What handlers get as `command` and `event`.
 *
 *   flyweight.$attach(view, ids)          once a buffer
 *   flyweight.$wrap(offset)               each payload, which `check` has passed
 *   flyweight.$poison()                   afterwards: every getter throws a RangeError
 *
 * The members of the engine begin with `$`, which no field can. In a command, an id that is text,
 * u64 or a UUID is made once a `$wrap` and kept, so that the engine can tell by comparison that a
 * handler asks for a stream that it has looked up already. Generated for the command
 * `{ from: Account.id, amount: int }` with ids of text:
 *
 *   return class {
 *     constructor() { … this.$id0 = undefined }
 *     $attach(view, ids, bytes) { this.$view = view; this.$ids = ids; this.$bytes = bytes }
 *     $wrap(offset) { this.$offset = offset; this.$id0 = undefined }
 *     $poison() { this.$offset = POISON }
 *     $ordinalOf(aggregateIndex, id) {
 *       if (aggregateIndex === 0 && this.$id0 === id) return 0
 *       return -1
 *     }
 *     get from() {
 *       const view = this.$view, bytes = this.$bytes, o = this.$offset
 *       const end = view.getUint32(o + 8, true)
 *       return this.$id0 !== undefined ? this.$id0 : (this.$id0 = readText(bytes, o + 16, o + end))
 *     }
 *     get amount() { return this.$view.getFloat64(this.$offset, true) }
 *   }
 */
import type { Buffer } from 'node:buffer'
import { assert } from '../errors.js'
import { type IdReader, NO_REFERENCES } from './codec.js'
import {
  generate,
  loadCode,
  loadU32Code,
  nameInCode,
  oneOfConstants,
  readVariableCode,
  viewGetterCode,
} from './generated-code.js'
import type { IdValue } from './id-type.js'
import { isVariable, type PayloadLayout, type PlacedField } from './payload-layout.js'

/**
 * An offset at which no view has bytes, however large. Negative, so that it is one whatever is
 * added to it; small enough to stay the same kind of number inside V8.
 */
export const POISON = -0x2000_0000

export interface Flyweight {
  $view: DataView
  /** Of the payload in `$view`. */
  $offset: number
  $ids: IdReader
  /** @param bytes what `bytesOver(view)` gave, where the caller has it already */
  $attach(view: DataView, ids?: IdReader, bytes?: Buffer): void
  $wrap(offset: number): void
  $poison(): void
  /**
   * Of a command: which reference field, in order of declaration, holds this id of this aggregate
   * in the present payload, as far as the id was read or is a u32; -1 for none.
   */
  $ordinalOf(aggregateIndex: number, id: IdValue): number
}

export function createFlyweight(layout: PayloadLayout): Flyweight {
  assert(layout.flavour !== 'state', 'state has views of its own')
  const memos = layout.references.filter(isMemoised).map(memoOf)
  const forget = memos.map((memo) => `${memo} = undefined`).join('; ')
  const source = `return class {
  constructor() {
    this.$view = EMPTY_VIEW
    this.$bytes = undefined
    this.$offset = POISON
    this.$ids = NO_REFERENCES
    ${forget}
  }
  $attach(view, ids = NO_REFERENCES, bytes = bytesOver(view)) {
    this.$view = view
    this.$ids = ids
    this.$bytes = bytes
  }
  $wrap(offset) {
    this.$offset = offset
    ${forget}
  }
  $poison() { this.$offset = POISON }
  $ordinalOf(aggregateIndex, id) {
    ${layout.references.map(ordinalCode).join('\n    ')}
    return -1
  }
  ${layout.fields.map((field) => getterCode(layout, field)).join('\n  ')}
}`
  const Generated = generate<new () => Flyweight>(source, {
    ...oneOfConstants(layout),
    EMPTY_VIEW: new DataView(new ArrayBuffer(0)),
    NO_REFERENCES,
    POISON,
  })
  return new Generated()
}

function isMemoised(field: PlacedField): boolean {
  return field.reference !== undefined && field.storage !== 'slot' && field.storage !== 'u32'
}

function memoOf(field: PlacedField): string {
  return `this.$id${field.reference?.ordinal}`
}

function ordinalCode(field: PlacedField): string {
  const { offset, reference, storage } = field
  if (reference === undefined || storage === 'slot') return ''
  const held =
    storage === 'u32' ? `this.$view.getUint32(this.$offset + ${offset}, true)` : memoOf(field)
  return `if (aggregateIndex === ${reference.aggregateIndex} && ${held} === id) return ${reference.ordinal}`
}

function getterCode(layout: PayloadLayout, field: PlacedField): string {
  const { offset, reference, storage } = field
  const name = nameInCode(field)
  if (storage !== 'slot' && !isVariable(storage) && !isMemoised(field)) {
    return `get ${name}() { ${viewGetterCode(field)} }`
  }
  const lines = ['const view = this.$view, bytes = this.$bytes, o = this.$offset']
  let value: string
  if (storage === 'slot') {
    value = `this.$ids.idOf(${reference?.aggregateIndex}, ${loadU32Code(offset)})`
  } else if (isVariable(storage)) {
    // Read first, kept or not: a poisoned offset throws here.
    lines.push(`const end = ${loadU32Code(offset)}`)
    value = readVariableCode(layout, field, 'end')
  } else {
    value = loadCode(field)
  }
  if (isMemoised(field)) {
    const memo = memoOf(field)
    if (!isVariable(storage)) lines.push('view.getUint8(o)')
    value = `${memo} !== undefined ? ${memo} : (${memo} = ${value})`
  }
  lines.push(`return ${value}`)
  return `get ${name}() {\n    ${lines.join('\n    ')}\n  }`
}
