/**
 * The commands of one type inside one engine, and a generated piece of the batch's sweep: handing the
 * ids in a payload to the lookups of their aggregates. Generated for
 * `{ from: Account.id (u32), to: Account.id (u32), order: Order.id (u64) }`:
 *
 *   return {
 *     gather(view, o, lookups, places, next) {
 *       const l0 = lookups[0], n0 = l0.count
 *       l0.words[n0 + 0] = view.getInt32(o + 8, true)
 *       l0.words[n0 + 1] = view.getInt32(o + 12, true)
 *       l0.count = n0 + 2
 *       const l1 = lookups[1], n1 = l1.count
 *       l1.offsets[n1 + 0] = o
 *       l1.lengths[n1 + 0] = 8
 *       places[next + 2] = n1 + 0
 *       l1.count = n1 + 1
 *     },
 *     ordinalOf(aggregateIndex, id) { return flyweight.$ordinalOf(aggregateIndex, id) },
 *   }
 */
import type { Codec } from '../journal/schema/codec.js'
import { createFlyweight, type Flyweight } from '../journal/schema/flyweight.js'
import { generate, loadU32Code, at as place } from '../journal/schema/generated-code.js'
import type { IdValue } from '../journal/schema/id-type.js'
import type { PayloadLayout, PlacedField } from '../journal/schema/payload-layout.js'
import type { CommandType } from './domain.js'
import type { IdLookup } from './memory/id-lookup.js'
import type { Transaction } from './transaction.js'

/**
 * Generated functions are fields of one class and not methods of generated classes: a domain has more
 * commands than V8 keeps apart at one place of the code.
 */
export class CommandRuntime {
  readonly name: string
  /** In the domain. */
  readonly index: number
  readonly codec: Codec
  readonly flyweight: Flyweight
  /** How many ids a command of this type names. */
  readonly referenceCount: number
  /** In the journal's catalogue. */
  number = 0
  readonly gather: CommandCode['gather']
  readonly decide: (command: unknown, tx: Transaction) => unknown
  readonly ordinalOf: CommandCode['ordinalOf']

  constructor(type: CommandType) {
    const { layout } = type.$codec
    this.name = type.name
    this.index = type.index
    this.codec = type.$codec
    this.flyweight = createFlyweight(layout)
    this.referenceCount = layout.references.length
    this.decide = type.decide as (command: unknown, tx: Transaction) => unknown
    const { gather, ordinalOf } = generateCode(type, this.flyweight)
    this.gather = gather
    this.ordinalOf = ordinalOf
  }

  /** How many ids of one aggregate. */
  referencesTo(aggregateIndex: number): number {
    return referencesTo(this.codec.layout, aggregateIndex).length
  }
}

interface CommandCode {
  /**
   * Adds the ids in a payload, which `check` has passed, to the lookups, one an aggregate. Where
   * finding an id costs a hash, `places[next + ordinal]` is set to its index in its lookup.
   */
  gather(
    view: DataView,
    payload: number,
    lookups: readonly IdLookup[],
    places: Int32Array,
    next: number,
  ): void
  // Of the flyweight, see there:
  ordinalOf(aggregateIndex: number, id: IdValue): number
}

function generateCode(type: CommandType, flyweight: Flyweight): CommandCode {
  const { layout } = type.$codec
  const aggregates = new Set(layout.references.map(({ reference }) => reference!.aggregateIndex))
  const source = `return {
  gather(view, o, lookups, places, next) {
    ${[...aggregates].flatMap((index) => gatherCode(layout, index)).join('\n    ')}
  },
  ordinalOf(aggregateIndex, id) { return flyweight.$ordinalOf(aggregateIndex, id) },
}`
  return generate<CommandCode>(source, { flyweight })
}

/** Adds the ids of one aggregate. */
function gatherCode(layout: PayloadLayout, aggregateIndex: number): string[] {
  const lookup = `l${aggregateIndex}`
  const count = `n${aggregateIndex}`
  const fields = referencesTo(layout, aggregateIndex)
  return [
    `const ${lookup} = lookups[${aggregateIndex}], ${count} = ${lookup}.count`,
    ...fields.flatMap((field, i) => addCode(layout, field, lookup, `${count} + ${i}`)),
    `${lookup}.count = ${count} + ${fields.length}`,
  ]
}

function addCode(layout: PayloadLayout, field: PlacedField, lookup: string, at: string): string[] {
  const { offset, reference, storage, variableIndex } = field
  if (storage === 'u32') return [`${lookup}.words[${at}] = view.getInt32(${place(offset)}, true)`]
  let start = place(offset)
  let lengthBytes = String(ID_BYTES[storage as keyof typeof ID_BYTES])
  if (storage === 'text') {
    const previous = layout.variableFields[variableIndex - 1]
    const begin = previous === undefined ? String(layout.fixedBytes) : loadU32Code(previous.offset)
    start = `o + ${begin}`
    lengthBytes = `${loadU32Code(offset)} - ${begin}`
  }
  return [
    `${lookup}.offsets[${at}] = ${start}`,
    `${lookup}.lengths[${at}] = ${lengthBytes}`,
    `places[next + ${reference!.ordinal}] = ${at}`,
  ]
}

const ID_BYTES = { u64: 8, uuid: 16 } as const

function referencesTo(layout: PayloadLayout, aggregateIndex: number): PlacedField[] {
  return layout.references.filter(({ reference }) => reference?.aggregateIndex === aggregateIndex)
}
