/**
 * The commands of one type inside one engine, and a generated piece of the batch's sweep: handing the
 * ids that a command names to the lookups of their aggregates. Generated for
 * `{ from: Account.id (u32), order: Order.id (u64), owner: Owner.id (text) }`:
 *
 *   return class extends CommandRuntime {
 *     gather(view, o, lookups, places, next) {
 *       lookups[0].addWord(view.getInt32(o + 8, true))
 *       places[next + 1] = lookups[1].add(o, 8)
 *       places[next + 2] = lookups[2].add(o + 16, view.getUint32(o + 12, true) - 16)
 *     }
 *   }
 */
import type { Codec } from '../journal/schema/codec.js'
import { createFlyweight, type Flyweight } from '../journal/schema/flyweight.js'
import { generate, loadU32Code, at as place } from '../journal/schema/generated-code.js'
import type { PayloadLayout, PlacedField } from '../journal/schema/payload-layout.js'
import type { CommandType } from './domain.js'
import type { IdLookup } from './memory/id-lookup.js'
import type { Transaction } from './transaction.js'

export abstract class CommandRuntime {
  readonly name: string
  readonly codec: Codec
  readonly flyweight: Flyweight
  /** How many ids a command of this type names. */
  readonly referenceCount: number
  readonly decide: (command: unknown, tx: Transaction) => unknown
  /** In the journal's catalogue. */
  number = 0

  constructor(type: CommandType) {
    const { layout } = type.$codec
    this.name = type.name
    this.codec = type.$codec
    this.flyweight = createFlyweight(layout)
    this.referenceCount = layout.references.length
    this.decide = type.decide as (command: unknown, tx: Transaction) => unknown
  }

  /**
   * Adds the ids in the payload at `payload` to the lookups, one an aggregate. Where finding an id
   * costs a hash, `places[next + ordinal]` is set to its index in its lookup.
   */
  abstract gather(
    view: DataView,
    payload: number,
    lookups: readonly IdLookup[],
    places: Int32Array,
    next: number,
  ): void
}

export function compileCommand(type: CommandType): CommandRuntime {
  const { layout } = type.$codec
  const source = `return class extends CommandRuntime {
  gather(view, o, lookups, places, next) {
    ${layout.references.map((field) => gatherCode(layout, field)).join('\n    ')}
  }
}`
  const Generated = generate<new (type: CommandType) => CommandRuntime>(source, { CommandRuntime })
  return new Generated(type)
}

function gatherCode(layout: PayloadLayout, field: PlacedField): string {
  const { offset, reference, storage, variableIndex } = field
  const { aggregateIndex, ordinal } = reference!
  const lookup = `lookups[${aggregateIndex}]`
  if (storage === 'u32') return `${lookup}.addWord(view.getInt32(${place(offset)}, true))`
  let extent = `${place(offset)}, ${ID_BYTES[storage as keyof typeof ID_BYTES]}`
  if (storage === 'text') {
    const previous = layout.variableFields[variableIndex - 1]
    const start = previous === undefined ? String(layout.fixedBytes) : loadU32Code(previous.offset)
    extent = `o + ${start}, ${loadU32Code(offset)} - ${start}`
  }
  return `places[next + ${ordinal}] = ${lookup}.add(${extent})`
}

const ID_BYTES = { u64: 8, uuid: 16 } as const
