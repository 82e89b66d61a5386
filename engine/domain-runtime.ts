/**
 * A domain inside one engine: its state, and everything that handlers need to run, in arrays by
 * small numbers. The state is all here; the processor and the applier are what changes it.
 */
import type { Catalogue, CatalogueKind, DeclaredEntry } from '../journal/catalogue.js'
import { assert, TidewheelError } from '../journal/errors.js'
import { KEY_WINDOW_DEFAULT } from '../journal/key-window.js'
import { describeFields } from '../journal/schema/field-description.js'
import { type IdValue, isId } from '../journal/schema/id-type.js'
import type { StateIds } from '../journal/schema/state-view.js'
import type { AggregateStore } from './aggregate-store.js'
import { CommandRuntime } from './command-runtime.js'
import { compileEvent } from './compiled-event.js'
import { type Domain, isObjectState } from './domain.js'
import { compileDomain, stateLayoutOf } from './domain-compiler.js'
import { EventMetaView } from './event-meta.js'
import type { EventRuntime } from './event-runtime.js'
import { refuseId } from './id-refusal.js'
import { KeyTable } from './memory/key-table.js'
import { ObjectStore } from './object-store.js'
import { RecordStore } from './record-store.js'
import { UndoLog } from './undo-log.js'

export class DomainRuntime implements StateIds {
  readonly domain: Domain
  readonly stores: readonly AggregateStore[]
  readonly events: readonly EventRuntime[]
  readonly commands: readonly CommandRuntime[]
  readonly keys: KeyTable
  readonly undo: UndoLog
  readonly meta = new EventMetaView()
  /** Of the last event applied. */
  sequence = 0
  /** Journal time of the last frame applied, in µs. */
  latestUs = 0
  private catalogue: Catalogue | undefined
  private readonly eventsByNumber: (EventRuntime | undefined)[] = []
  private readonly storesByNumber: (AggregateStore | undefined)[] = []

  constructor(domain: Domain) {
    compileDomain(domain)
    this.domain = domain
    this.stores = domain.aggregates.map((aggregate) =>
      isObjectState(aggregate.state)
        ? new ObjectStore(aggregate, aggregate.state)
        : new RecordStore(aggregate, stateLayoutOf(domain, aggregate.index), this),
    )
    const records = this.stores.filter((store) => store instanceof RecordStore)
    this.undo = new UndoLog(Math.max(0, ...records.map(({ fieldWords }) => fieldWords)))
    this.events = domain.events.map((event) =>
      compileEvent(event, this.stores[event.aggregateIndex]!, this.undo, this.meta),
    )
    this.commands = domain.commands.map((command) => new CommandRuntime(command))
    this.keys = new KeyTable(KEY_WINDOW_DEFAULT)
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

  /**
   * Takes the numbers that the journal's catalogue gives to what the domain declares, and its
   * window of idempotency keys, which takes effect here: behind the last frame applied.
   */
  bind(catalogue: Catalogue): void {
    this.catalogue = catalogue
    this.keys.changeWindow(catalogue.keyWindow, this.latestUs)
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
