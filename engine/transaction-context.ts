/**
 * The transaction of the running command: what `decide` sees as `tx`. It writes records straight
 * into the event ring, behind the place of the frame's header, and touches no state: applying them
 * is the applier's, after the handler.
 *
 *   frame header (processor, at the end) │ stream opened │ event │ event │ …   ▲ offset
 *
 * All or nothing: until the processor keeps the frame, everything here can be taken back by
 * {@link rollBack}: pending counts, newly opened streams, and the bytes, which are written over.
 */
import type { Buffer } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { TidewheelError } from '../journal/errors.js'
import { alignWord } from '../journal/layout.js'
import {
  EVENTS_A_TRANSACTION_MAX,
  FRAME_HEADER_BYTES,
  ID_BYTES_MAX,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  STREAM_OPENED_AGGREGATE,
  STREAM_OPENED_ID,
  STREAM_OPENED_ID_BYTES,
  STREAM_OPENED_RECORD,
  STREAM_VERSION_MAX,
  TRANSACTION_BYTES_MAX,
} from '../journal/record-layout.js'
import { writeRecordVersion } from '../journal/record-version.js'
import { type IdValue, isId } from '../journal/schema/id-type.js'
import { bytesOver } from '../journal/schema/text-bytes.js'
import type { AggregateStore } from './aggregate-store.js'
import type { CommandBatch } from './command-batch.js'
import type { CommandRuntime } from './command-runtime.js'
import { compileReader, type ReadingTransaction, type StreamReader } from './compiled-reader.js'
import type { Aggregate, DeepReadonly, Domain, EventType, IdInput } from './domain.js'
import type { DomainRuntime } from './domain-runtime.js'
import { refuseEnded } from './event-runtime.js'
import { refuseId } from './id-refusal.js'
import { compileLiveEvent, type EventSink, type LiveEvent } from './live-event.js'
import type { EngineRejection } from './receipt.js'
import type { Transaction } from './transaction.js'

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const HEADER_BYTES = FRAME_HEADER_BYTES
const BYTES_MAX = TRANSACTION_BYTES_MAX

export class TransactionContext implements Transaction, EventSink, ReadingTransaction {
  readonly view: DataView
  readonly bytes: Buffer
  /** Of each event emitted: which one it is (an index in the domain), and where its record lies. */
  readonly eventIndexes = new Uint16Array(EVENTS_A_TRANSACTION_MAX)
  readonly records = new Int32Array(EVENTS_A_TRANSACTION_MAX)
  /** What can be emitted, by an event's index in the domain. */
  readonly events: readonly LiveEvent[]
  time = 0
  /** Where the next record goes, in `view`. */
  offset = 0
  eventCount = 0
  rejected = false
  /** The handler has returned: what it kept of this must not change another command. */
  ended = true
  code = ''
  detail: unknown
  /** What a handler did wrong; set even if the handler caught it. */
  failure: unknown
  /** Where the transaction must end. */
  payloadLimit = 0
  private frameOffset = 0
  private command: CommandRuntime | undefined
  /** Where the command is from, and its index there. */
  private readonly batch: CommandBatch
  private index = 0
  private readonly domain: Domain
  private readonly stores: readonly AggregateStore[]
  private readonly readers: readonly StreamReader[]
  private readonly opened: AggregateStore[] = []
  private openedCount = 0
  /** Stores that have handed out views. */
  private readonly viewed: AggregateStore[] = []
  private viewedCount = 0
  private readonly nextRandom: () => number

  constructor(
    view: DataView,
    runtime: DomainRuntime,
    batch: CommandBatch,
    nextRandom: () => number,
  ) {
    this.view = view
    this.bytes = bytesOver(view)
    this.batch = batch
    this.domain = runtime.domain
    this.stores = runtime.stores
    this.nextRandom = nextRandom
    // All that they take of this transaction is there now.
    this.readers = runtime.stores.map((store) => compileReader(store, this))
    this.events = runtime.events.map((event) =>
      compileLiveEvent(event, this, runtime.undo, runtime.meta),
    )
  }

  /** The processor's: a command begins, with room for the largest transaction at `frameOffset`. */
  begin(frameOffset: number, command: CommandRuntime, index: number): void {
    this.command = command
    this.index = index
    this.frameOffset = frameOffset
    this.offset = frameOffset + HEADER_BYTES
    this.payloadLimit = frameOffset + BYTES_MAX
    this.eventCount = 0
    this.rejected = false
    this.ended = false
    this.failure = undefined
    this.openedCount = 0
  }

  /** The handler threw, or returned something. What follows a rejection does not change it. */
  failWith(error: unknown): void {
    if (!this.rejected) this.failure ??= error ?? new Error('the handler threw nothing')
  }

  /** The processor's: the handler has returned, and what it was given is dead from here on. */
  end(): void {
    this.ended = true
    while (this.viewedCount > 0) this.viewed[--this.viewedCount]!.releaseViews()
  }

  get<Id, State>(aggregate: Aggregate<Id, State>, id: IdInput<Id>): DeepReadonly<State> {
    if (aggregate.domain !== this.domain) refuseForeign(aggregate.name)
    return this.readers[aggregate.index]!.read(id) as DeepReadonly<State>
  }

  exists<Id>(aggregate: Aggregate<Id, unknown>, id: IdInput<Id>): boolean {
    return this.version(aggregate, id) !== 0
  }

  version<Id>(aggregate: Aggregate<Id, unknown>, id: IdInput<Id>): number {
    if (aggregate.domain !== this.domain) refuseForeign(aggregate.name)
    const store = this.stores[aggregate.index]!
    return store.version(this.find(store, id))
  }

  emit<Id, Data, Input>(
    event: EventType<Id, Data, Input>,
    id: IdInput<Id>,
    data: Input,
  ): undefined {
    try {
      const live = this.events[event.index]
      if ((live?.type as unknown) !== event) refuseForeign(event.name)
      live!.emit(id, data)
    } catch (error) {
      throw this.failed(error)
    }
  }

  reject(code: string, detail?: unknown): undefined {
    if (this.ended) refuseEnded()
    this.refuse(code, detail)
  }

  /** The engine's own rejection, also after the handler. */
  refuse(code: EngineRejection | (string & {}), detail?: unknown): undefined {
    if (this.rejected) return
    this.rejected = true
    this.code = code
    this.detail = detail
  }

  uuid(): string {
    return randomUUID()
  }

  random(): number {
    return this.nextRandom()
  }

  /** A generated reader's: views of this store are handed out. */
  noteViews(store: AggregateStore): void {
    store.hasViews = true
    this.viewed[this.viewedCount++] = store
  }

  /** A generated reader's: what it leaves to others. */
  readOther(store: AggregateStore, slot: number, id: unknown): unknown {
    if (slot === 0 && !isId(store.idType, id)) refuseId(store.name, store.idType, id)
    if (store.isPending(slot)) this.refuseRead(store.name, id)
    if (!store.hasViews) this.noteViews(store)
    return store.readable(slot, id)
  }

  /** The codec's: slot of a stream that an event names. Opens the stream if it is new. */
  slotOf(aggregateIndex: number, id: unknown): number {
    const store = this.stores[aggregateIndex]!
    const slot = this.find(store, id)
    return slot === 0 ? this.openStream(store, id) : slot
  }

  /** The processor's: nothing of this transaction has happened. */
  rollBack(): void {
    const { view, records, eventIndexes } = this
    for (let i = 0; i < this.eventCount; i++) {
      const { store } = this.events[eventIndexes[i]!]!.runtime
      store.clearPending(view.getUint32(records[i]! + RECORD_SLOT, true))
    }
    while (this.openedCount > 0) this.opened[--this.openedCount]!.ids.removeLast()
    this.offset = this.frameOffset + HEADER_BYTES
    this.eventCount = 0
  }

  /** A generated event's: the transaction has no room for it. */
  refuseSize(): number {
    this.refuse('TRANSACTION_TOO_LARGE')
    return 0
  }

  /** A generated event's: the stream's versions have come to their end. */
  refuseVersion({ name: aggregate, ids }: AggregateStore, slot: number): number {
    const id = ids.idOf(slot)
    this.refuse('CAPACITY_EXCEEDED', { aggregate, id, versionMax: STREAM_VERSION_MAX })
    return 0
  }

  /** Slot of the stream, or 0. An id that the command names was hashed by the sweep already. */
  find(store: AggregateStore, id: unknown): number {
    if (this.ended) refuseEnded()
    // A reference that was not read yet is undefined too.
    if (store.hasHashedIds && id !== undefined) {
      const ordinal = this.command!.ordinalOf(store.index, id as IdValue)
      const slot = ordinal < 0 ? 0 : this.batch.slotOf(this.index, store.index, ordinal)
      // An earlier command of the batch may have opened it since.
      if (slot !== 0) return slot
    }
    const slot = store.ids.find(id)
    if (slot === 0 && !isId(store.idType, id)) refuseId(store.name, store.idType, id)
    return slot
  }

  /** Gives a new stream its slot; or 0, and the transaction is refused. */
  openStream(store: AggregateStore, id: unknown): number {
    if (!isId(store.idType, id)) refuseId(store.name, store.idType, id)
    if (store.isFull) {
      this.refuse('CAPACITY_EXCEEDED', { aggregate: store.name, capacity: store.capacity })
      return 0
    }
    if (this.offset + STREAM_OPENED_ID + ID_BYTES_MAX > this.payloadLimit) {
      this.refuse('TRANSACTION_TOO_LARGE')
      return 0
    }
    const { view, offset } = this
    const slot = store.ids.add(id)
    this.opened[this.openedCount++] = store
    const idBytes = store.ids.writeIdBytes(slot, view, offset + STREAM_OPENED_ID)
    const lengthBytes = STREAM_OPENED_ID + idBytes
    view.setUint32(offset + RECORD_LENGTH, lengthBytes, true)
    view.setUint16(offset + RECORD_TYPE, STREAM_OPENED_RECORD, true)
    view.setUint32(offset + RECORD_SLOT, slot, true)
    writeRecordVersion(view, offset, 0)
    view.setUint16(offset + STREAM_OPENED_AGGREGATE, store.catalogueNumber, true)
    view.setUint16(offset + STREAM_OPENED_ID_BYTES, idBytes, true)
    const end = offset + alignWord(lengthBytes)
    for (let i = offset + lengthBytes; i < end; i++) view.setUint8(i, 0)
    this.offset = end
    return slot
  }

  /** An emit that threw fails the command, even if the handler catches the error and goes on. */
  private failed(error: unknown): unknown {
    if (!this.rejected && !this.ended) this.failure ??= error
    return error
  }

  private refuseRead(aggregate: string, id: unknown): never {
    const error = new TidewheelError(
      'READ_AFTER_EMIT',
      `this command has already emitted to ${aggregate} ${String(id)}, whose state still is as before; read first, then emit`,
    )
    this.failure ??= error
    throw error
  }
}

function refuseForeign(name: string): never {
  throw new TidewheelError(
    'UNKNOWN_AGGREGATE',
    `${name} belongs to another domain than the command; use what the command's own domain declares`,
  )
}
