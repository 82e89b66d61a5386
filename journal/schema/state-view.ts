/**
 * Views of record state: one slot of a slab, with the columns beside it. `Writable` is what `evolve`
 * changes, `ReadOnly` what `decide` reads. Neither holds a value: both are moved from slot to slot.
 *
 *   view.$attach(slab, columns, ids)   once
 *   view.$wrap(offset, slot)           each time; `offset` is that of the slot's first field
 *   view.$poison()                     afterwards: every access throws a RangeError
 *
 * Zero bytes and empty columns are the initial state: false, 0, '', no bytes, undefined for `any`,
 * the first value of a oneOf, the zero UUID, undefined for a reference. Generated for
 * `{ balance: int, owner: text }`:
 *
 *   get balance() { return this.$view.getFloat64(this.$offset, true) }
 *   set balance(value) {
 *     if (!Number.isSafeInteger(value)) refuse(0, value)
 *     const view = this.$view, o = this.$offset
 *     view.setFloat64(o, value + 0, true)
 *   }
 *   get owner() { if (this.$offset < 0) poisoned(); return this.$columns[0].get(this.$slot) }
 */
import { Buffer } from 'node:buffer'
import { assert, TidewheelError } from '../errors.js'
import { ChunkedColumn, type Column } from './chunked-column.js'
import { type IdReader, NO_REFERENCES, type ReferenceResolver } from './codec.js'
import { POISON } from './flyweight.js'
import {
  generate,
  loadU32Code,
  nameInCode,
  oneOfConstants,
  at as place,
  refusesCode,
  refusesIdCode,
  storeCode,
  viewGetterCode,
} from './generated-code.js'
import { type IdValue, isId } from './id-type.js'
import { isVariable, type PayloadLayout, type PlacedField } from './payload-layout.js'
import { deepFreeze, packPlain, unpackPlain } from './plain-data.js'
import { describeValue, expectationOf, isAccepted } from './value-check.js'

/** `evolve` wrote a value that the field does not take: nothing was written. */
export class StateRangeError extends RangeError {
  override readonly name = 'StateRangeError'
  readonly field: string
  readonly value: unknown

  constructor(message: string, field: string, value: unknown) {
    super(message)
    this.field = field
    this.value = value
  }
}

/** Of state: looks streams up, never opens one. `slotOf` gives 0 for an id without a stream. */
export type StateIds = IdReader & ReferenceResolver

export interface StateView {
  $view: DataView
  /** Of the slot's first field in `$view`. */
  $offset: number
  /** Index into the columns. */
  $slot: number
  $columns: readonly Column[]
  $ids: StateIds
  $attach(view: DataView, columns: readonly Column[], ids?: StateIds): void
  $wrap(offset: number, slot: number): void
  $poison(): void
  /** The state as a plain object of its own. */
  $copy(): Record<string, unknown>
}

interface StateViewClasses {
  readonly Writable: new () => StateView
  readonly ReadOnly: new () => StateView
}

/** One column for each variable-length field, in the order in which the views use them. */
export function createColumns(layout: PayloadLayout): ChunkedColumn<unknown>[] {
  assert(layout.flavour === 'state', 'only state has columns')
  return layout.variableFields.map(
    ({ storage }) => new ChunkedColumn<unknown>(COLUMN_INITIALS[storage as 'text']),
  )
}

/** What a column holds: text, a private copy of bytes, plain data packed. */
const COLUMN_INITIALS = { text: '', bytes: new Uint8Array(0), any: undefined } as const

export function createStateViews(layout: PayloadLayout): StateViewClasses {
  assert(layout.flavour === 'state', 'only state has state views')
  const getters = layout.fields.map(getterCode).join('\n  ')
  const setters = layout.fields.map(setterCode).join('\n  ')
  const copies = layout.fields.map((field) => `${nameInCode(field)}: this.${nameInCode(field)}`)
  const source = `class ReadOnly {
  constructor() {
    this.$view = EMPTY_VIEW
    this.$offset = POISON
    this.$slot = 0
    this.$columns = NO_COLUMNS
    this.$ids = NO_REFERENCES
  }
  $attach(view, columns, ids = NO_REFERENCES) {
    this.$view = view
    this.$columns = columns
    this.$ids = ids
  }
  $wrap(offset, slot) {
    this.$offset = offset
    this.$slot = slot
  }
  $poison() { this.$offset = POISON }
  $copy() { return { ${copies.join(', ')} } }
  ${getters}
}
class Writable {
  constructor() {
    this.$view = EMPTY_VIEW
    this.$offset = POISON
    this.$slot = 0
    this.$columns = NO_COLUMNS
    this.$ids = NO_REFERENCES
  }
  ${getters}
  ${setters}
}
for (const name of ['$attach', '$wrap', '$poison', '$copy']) {
  Writable.prototype[name] = ReadOnly.prototype[name]
}
return { Writable, ReadOnly }`
  return generate<StateViewClasses>(source, {
    ...oneOfConstants(layout),
    EMPTY_VIEW: new DataView(new ArrayBuffer(0)),
    NO_COLUMNS: [],
    NO_REFERENCES,
    POISON,
    isId,
    slotOrNone,
    copyOfBytes,
    plainOf,
    keep: (index: number, value: unknown): unknown =>
      keep(layout, layout.fields[index] as PlacedField, value),
    refuse: (index: number, value: unknown): never =>
      refuse(layout, layout.fields[index] as PlacedField, value),
    poisoned,
  })
}

const GET_STORED = (column: number): string => `this.$columns[${column}].get(this.$slot)`

function getterCode(field: PlacedField): string {
  const { offset, reference, storage, variableIndex } = field
  const lines: string[] = []
  if (isVariable(storage)) {
    lines.push('if (this.$offset < 0) poisoned()')
    const stored = GET_STORED(variableIndex)
    if (storage === 'text') lines.push(`return ${stored}`)
    else lines.push(`return ${storage === 'bytes' ? 'copyOfBytes' : 'plainOf'}(${stored})`)
  } else if (storage === 'slot') {
    lines.push('const view = this.$view, o = this.$offset')
    lines.push(`const slot = ${loadU32Code(offset)}`)
    lines.push(`return slot === 0 ? undefined : this.$ids.idOf(${reference?.aggregateIndex}, slot)`)
  } else lines.push(viewGetterCode(field))
  return `get ${nameInCode(field)}() {\n    ${lines.join('\n    ')}\n  }`
}

function setterCode(field: PlacedField): string {
  const { index, offset, reference, storage, variableIndex } = field
  const lines: string[] = []
  if (isVariable(storage)) {
    lines.push('if (this.$offset < 0) poisoned()')
    lines.push(`this.$columns[${variableIndex}].set(this.$slot, keep(${index}, value))`)
  } else if (storage === 'slot') {
    lines.push('let slot = 0')
    lines.push('if (value !== undefined) {')
    lines.push(`  if (${refusesIdCode(field, 'value')}) refuse(${index}, value)`)
    lines.push(`  slot = slotOrNone(this.$ids, ${reference?.aggregateIndex}, value)`)
    lines.push(`  if (slot === 0) refuse(${index}, value)`)
    lines.push('}')
    lines.push('const view = this.$view, o = this.$offset')
    lines.push(`view.setUint32(${place(offset)}, slot, true)`)
  } else {
    lines.push(`if (${refusesCode(field, 'value')}) refuse(${index}, value)`)
    lines.push('const view = this.$view, o = this.$offset')
    lines.push(storeCode(field, 'value'))
  }
  return `set ${nameInCode(field)}(value) {\n    ${lines.join('\n    ')}\n  }`
}

function refuse(layout: PayloadLayout, field: PlacedField, value: unknown): never {
  const isKnown = field.reference !== undefined && isAccepted(field, value)
  const expectation = isKnown
    ? `an id of ${field.reference?.aggregate.name} that has events`
    : expectationOf(field, value)
  throw new StateRangeError(
    `${layout.name}: field '${field.name}' must be ${expectation}, got ${describeValue(value)}`,
    field.name,
    value,
  )
}

function poisoned(): never {
  throw new RangeError('this view of state is used after its handler has returned')
}

function slotOrNone(ids: StateIds, aggregateIndex: number, id: IdValue): number {
  try {
    return ids.slotOf(aggregateIndex, id)
  } catch (error) {
    // A resolver may refuse in words of its own; what is no refusal is a bug and goes up.
    if (error instanceof TidewheelError) return 0
    throw error
  }
}

/** What is stored for a value of a variable-length field: nothing that the caller can still change. */
function keep(layout: PayloadLayout, field: PlacedField, value: unknown): unknown {
  if (field.storage === 'any') {
    if (value === undefined) return undefined
    const packed = packPlain(value)
    return typeof packed === 'string' ? refuse(layout, field, value) : Buffer.from(packed)
  }
  if (!isAccepted(field, value)) refuse(layout, field, value)
  return field.storage === 'bytes' ? Uint8Array.from(value as Uint8Array) : value
}

function copyOfBytes(stored: Uint8Array): Uint8Array {
  return stored.slice()
}

/** Frozen, so that a change to what was read fails instead of being lost. */
function plainOf(stored: Buffer | undefined): unknown {
  return stored === undefined ? undefined : deepFreeze(unpackPlain(stored, 0, stored.length))
}
