/**
 * A domain inside one engine: its state, and everything that handlers need to run, in arrays by
 * small numbers. The state is all here; the processor and the applier are what changes it.
 */
import type { Catalogue, CatalogueKind, DeclaredEntry } from '../journal/catalogue.js'
import { assert, TidewheelError } from '../journal/errors.js'
import type { Codec } from '../journal/schema/codec.js'
import { describeFields } from '../journal/schema/field-description.js'
import { createFlyweight, type Flyweight } from '../journal/schema/flyweight.js'
import { type IdValue, isId } from '../journal/schema/id-type.js'
import type { PayloadLayout, PlacedField } from '../journal/schema/payload-layout.js'
import type { StateIds } from '../journal/schema/state-view.js'
import type { AggregateStore } from './aggregate-store.js'
import {
  type CommandType,
  type Domain,
  type EventMeta,
  type EventType,
  isObjectState,
} from './domain.js'
import { compileDomain, stateLayoutOf } from './domain-compiler.js'
import { refuseId } from './id-refusal.js'
import { KeyTable, type KeyWindow } from './memory/key-table.js'
import { ObjectStore } from './object-store.js'
import { RecordStore } from './record-store.js'
import type { Transaction } from './transaction.js'

/** Where the id of a reference lies in a command's payload. */
export class ReferenceExtent {
  readonly aggregateIndex: number
  /** In the view given to {@link locate}. */
  offset = 0
  lengthBytes = 0
  private readonly fixedOffset: number
  private readonly isText: boolean
  private readonly fixedBytes: number
  /** Offset of the END before this one's, or -1: the text starts at `fixedBytes`. */
  private readonly previousEnd: number

  constructor(layout: PayloadLayout, field: PlacedField) {
    this.aggregateIndex = field.reference!.aggregateIndex
    this.fixedOffset = field.offset
    this.isText = field.storage === 'text'
    this.lengthBytes = this.isText ? 0 : ID_BYTES[field.storage as keyof typeof ID_BYTES]
    this.fixedBytes = layout.fixedBytes
    this.previousEnd =
      field.variableIndex > 0 ? layout.variableFields[field.variableIndex - 1]!.offset : -1
  }

  locate(view: DataView, payload: number): void {
    this.offset = payload + this.fixedOffset
    if (!this.isText) return
    const end = view.getUint32(this.offset, true)
    const start =
      this.previousEnd < 0 ? this.fixedBytes : view.getUint32(payload + this.previousEnd, true)
    this.offset = payload + start
    this.lengthBytes = end - start
  }
}

const ID_BYTES = { u32: 4, u64: 8, uuid: 16 } as const

export class CommandRuntime {
  readonly name: string
  readonly codec: Codec
  readonly flyweight: Flyweight
  readonly extents: readonly ReferenceExtent[]
  readonly decide: (command: unknown, tx: Transaction) => unknown
  number = 0

  constructor(type: CommandType) {
    const { layout } = type.$codec
    this.name = type.name
    this.codec = type.$codec
    this.flyweight = createFlyweight(layout)
    this.extents = layout.references.map((field) => new ReferenceExtent(layout, field))
    this.decide = type.decide as (command: unknown, tx: Transaction) => unknown
  }
}

export class EventRuntime {
  readonly name: string
  readonly type: EventType
  readonly store: AggregateStore
  readonly flyweight: Flyweight
  readonly evolve: (state: unknown, event: unknown, meta: EventMeta<unknown>) => unknown
  number = 0

  constructor(type: EventType, store: AggregateStore) {
    this.name = type.name
    this.type = type
    this.store = store
    this.flyweight = createFlyweight(type.$codec.layout)
    this.evolve = type.evolve as EventRuntime['evolve']
  }
}

export class DomainRuntime implements StateIds {
  readonly domain: Domain
  readonly stores: readonly AggregateStore[]
  readonly events: readonly EventRuntime[]
  readonly commands: readonly CommandRuntime[]
  readonly keys: KeyTable
  /** Of the last event applied. */
  sequence = 0
  /** Journal time of the last frame applied, in µs. */
  latestUs = 0
  private catalogue: Catalogue | undefined
  private readonly eventsByNumber: (EventRuntime | undefined)[] = []
  private readonly storesByNumber: (AggregateStore | undefined)[] = []

  constructor(domain: Domain, keyWindow: KeyWindow) {
    compileDomain(domain)
    this.domain = domain
    this.stores = domain.aggregates.map((aggregate) =>
      isObjectState(aggregate.state)
        ? new ObjectStore(aggregate, aggregate.state)
        : new RecordStore(aggregate, stateLayoutOf(domain, aggregate.index), this),
    )
    this.events = domain.events.map(
      (event) => new EventRuntime(event, this.stores[event.aggregateIndex]!),
    )
    this.commands = domain.commands.map((command) => new CommandRuntime(command))
    this.keys = new KeyTable(keyWindow)
  }

  idOf(aggregateIndex: number, slot: number): IdValue | undefined {
    const { ids } = this.stores[aggregateIndex]!
    return slot > 0 && slot <= ids.count ? (ids.idOf(slot) as IdValue) : undefined
  }

  /** Slot of a stream, 0 for none. @throws TidewheelError INVALID_ID for what cannot be an id */
  slotOf(aggregateIndex: number, id: IdValue): number {
    const { ids, idType, name } = this.stores[aggregateIndex]!
    const slot = ids.find(id)
    if (slot === 0 && !isId(idType, id)) refuseId(name, idType, id)
    return slot
  }

  /** A copy of the state of a stream; undefined without events. @throws TidewheelError INVALID_ID */
  copyOf(aggregateIndex: number, id: IdValue): unknown {
    const store = this.stores[aggregateIndex]!
    const slot = this.slotOf(aggregateIndex, id)
    return store.version(slot) === 0 ? undefined : store.copy(slot)
  }

  /** The same, as plain data that can travel to another thread. */
  plainCopyOf(aggregateIndex: number, id: IdValue): unknown {
    const store = this.stores[aggregateIndex]!
    const slot = this.slotOf(aggregateIndex, id)
    const isObject = store.version(slot) !== 0 && store instanceof ObjectStore
    return isObject ? store.snapshotOf(slot) : this.copyOf(aggregateIndex, id)
  }

  /** @throws TidewheelError SCHEMA_CHANGED for a number that the domain has no event for. */
  eventByNumber(number: number): EventRuntime {
    return this.eventsByNumber[number] ?? this.refuseNumber(number)
  }

  /** Where the events of this number belong; undefined if the domain has none. */
  storeOfEvent(number: number): AggregateStore | undefined {
    return this.eventsByNumber[number]?.store
  }

  /** @throws TidewheelError SCHEMA_CHANGED for a number that the domain has no aggregate for. */
  storeByNumber(number: number): AggregateStore {
    return this.storesByNumber[number] ?? this.refuseNumber(number)
  }

  /** What this domain declares, for the journal's catalogue. */
  declaration(): DeclaredEntry[] {
    const { aggregates, events, commands } = this.domain
    return [
      ...aggregates.map(({ name, idType }) => ({ kind: 'aggregate' as const, name, idType })),
      ...events.map(({ name, aggregate, fields }) => ({
        kind: 'event' as const,
        name,
        aggregate: aggregate.name,
        fields: describeFields(fields),
      })),
      ...commands.map(({ name }) => ({ kind: 'command' as const, name })),
    ]
  }

  /** Takes the numbers that the journal's catalogue gives to what the domain declares. */
  bind(catalogue: Catalogue): void {
    this.catalogue = catalogue
    this.eventsByNumber.length = 0
    this.storesByNumber.length = 0
    for (const store of this.stores) {
      store.catalogueNumber = numberOf(catalogue, 'aggregate', store.name)
      this.storesByNumber[store.catalogueNumber] = store
    }
    for (const event of this.events) {
      event.number = numberOf(catalogue, 'event', event.name)
      this.eventsByNumber[event.number] = event
    }
    for (const command of this.commands) {
      command.number = numberOf(catalogue, 'command', command.name)
    }
  }

  /** Views that handlers got are dead from here on. */
  releaseViews(): void {
    const { stores } = this
    for (let i = 0; i < stores.length; i++) stores[i]!.releaseViews()
  }

  private refuseNumber(number: number): never {
    const entry = this.catalogue?.get(number)
    const what = entry === undefined ? `type ${number}` : `${entry.kind} ${entry.name}`
    throw new TidewheelError(
      'SCHEMA_CHANGED',
      `the journal holds records of ${what}, which domain ${this.domain.name} does not declare; declare it again, with the fields it had`,
    )
  }
}

function numberOf(catalogue: Catalogue, kind: CatalogueKind, name: string): number {
  const entry = catalogue.find(kind, name)
  assert(entry !== undefined, `the merged catalogue has ${kind} ${name}`)
  return entry.number
}
