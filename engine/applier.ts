/**
 * Applies the records of a frame to the state: the one place where anything changes, live and at
 * replay. `evolve` only ever sees the bytes of a record. Live, the transaction knows where its
 * records are; at replay they are found, and checked, in the frame.
 *
 *   record          live                                replay
 *   event           evolve, new version                 the same, after it is checked
 *   stream opened   done by the transaction already     the id gets its slot
 *   keyed outcome   remembered                          the same
 */
import { assert, TidewheelError } from '../journal/errors.js'
import { getU64 } from '../journal/layout.js'
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  KEYED_OUTCOME_RECORD,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  STREAM_OPENED_AGGREGATE,
  STREAM_OPENED_ID,
  STREAM_OPENED_ID_BYTES,
  STREAM_OPENED_RECORD,
} from '../journal/record-layout.js'
import { readRecordVersion } from '../journal/record-version.js'
import type { DomainRuntime } from './domain-runtime.js'
import type { EventMetaView } from './event-meta.js'
import type { EventRuntime } from './event-runtime.js'
import { rememberOutcome } from './keyed-outcome.js'
import { RecordStore } from './record-store.js'
import type { TransactionContext } from './transaction-context.js'
import type { UndoLog } from './undo-log.js'

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const LENGTH = RECORD_LENGTH
const TYPE = RECORD_TYPE
const HEADER_BYTES = RECORD_HEADER_BYTES
const FIRST_EVENT = FIRST_CATALOGUED_TYPE

export class Applier {
  readonly undo: UndoLog
  private readonly runtime: DomainRuntime
  private readonly meta: EventMetaView
  private attached: DataView | undefined

  constructor(runtime: DomainRuntime) {
    this.runtime = runtime
    this.undo = runtime.undo
    this.meta = runtime.meta
  }

  /**
   * Live: applies the events of the running transaction, whose first gets the sequence after the
   * runtime's.
   *
   * @throws what `evolve` throws; `undo` then holds what was changed.
   */
  applyEmitted(tx: TransactionContext): void {
    const { view, eventCount, eventIndexes, events, records } = tx
    if (view !== this.attached) this.attach(view)
    const { meta, runtime } = this
    this.undo.begin(eventCount)
    meta.time = tx.time
    meta.sequence = runtime.sequence
    for (let i = 0; i < eventCount; i++) {
      const event = events[eventIndexes[i]!]!
      const record = records[i]!
      meta.event = event.runtime
      meta.record = record
      meta.sequence++
      event.apply(record)
    }
    runtime.sequence = meta.sequence
    runtime.latestUs = tx.time
  }

  /** Live: remembers the outcome in the record at `record`, which the transaction ends with. */
  applyOutcome(tx: TransactionContext, record: number): void {
    const { keys, sequence } = this.runtime
    rememberOutcome(keys, tx.view, record, sequence, tx.eventCount, tx.time)
  }

  /**
   * Replay: applies the frame at `offset`, whose first event gets the sequence after the runtime's.
   *
   * @throws what `evolve` throws; TidewheelError REPLAY_FAILED, with the sequence.
   */
  applyFrame(view: DataView, offset: number): void {
    if (view !== this.attached) this.attach(view)
    const { meta, runtime } = this
    const end = offset + view.getUint32(offset + FRAME_LENGTH, true)
    const eventCount = view.getUint16(offset + FRAME_EVENT_COUNT, true)
    this.undo.begin(eventCount)
    meta.time = getU64(view, offset + FRAME_TIME)
    meta.sequence = runtime.sequence
    let record = offset + FRAME_HEADER_BYTES
    while (record < end) {
      const lengthBytes = view.getUint32(record + LENGTH, true)
      const type = view.getUint16(record + TYPE, true)
      if (type >= FIRST_EVENT) this.applyEvent(view, record, lengthBytes, type)
      else if (type === KEYED_OUTCOME_RECORD) {
        rememberOutcome(runtime.keys, view, record, meta.sequence, eventCount, meta.time)
      } else if (type === STREAM_OPENED_RECORD) this.openStream(view, record)
      record += (lengthBytes + 7) & ~7
    }
    assert(record === end, 'records fill their frame')
    runtime.sequence = meta.sequence
    runtime.latestUs = meta.time
  }

  /**
   * Takes back what {@link applyEmitted} has changed before it threw, where that was record state only.
   * The `evolve` that threw has left its views alive: they end here.
   */
  takeBack(tx: TransactionContext): void {
    const { view, records, eventIndexes } = tx
    const { meta, runtime, undo } = this
    let last = tx.eventCount - 1
    while (last >= 0 && records[last] !== meta.record) last--
    assert(last >= 0, 'what threw is one of the events emitted')
    for (let i = last; i >= 0; i--) {
      const record = records[i]!
      const { store, flyweight } = runtime.events[eventIndexes[i]!]!
      assert(store instanceof RecordStore, 'there is no way back from object state')
      flyweight.$poison()
      store.writer.$poison()
      const slot = view.getUint32(record + RECORD_SLOT, true)
      store.restore(slot, undo)
      store.setVersion(slot, readRecordVersion(view, record) - 1)
    }
  }

  /** Where applying is, or where it threw. */
  get sequenceReached(): number {
    return this.meta.sequence
  }

  get eventReached(): string {
    const { event, id } = this.meta
    return `event ${event?.name} of ${event?.store.name} ${String(id)}`
  }

  private applyEvent(view: DataView, record: number, lengthBytes: number, type: number): void {
    const { meta } = this
    const event = this.runtime.eventByNumber(type)
    meta.event = event
    meta.record = record
    meta.sequence++
    if (!event.replay(view, record, lengthBytes)) this.refuseEvent(view, record, lengthBytes, event)
  }

  /** @throws TidewheelError REPLAY_FAILED always: says why the event does not continue its stream */
  private refuseEvent(
    view: DataView,
    record: number,
    lengthBytes: number,
    event: EventRuntime,
  ): never {
    const { slot, version, sequence } = this.meta
    const { store } = event
    const payloadBytes = lengthBytes - HEADER_BYTES
    const damage = event.codec.check(view, record + HEADER_BYTES, payloadBytes)
    if (damage !== undefined) refuseRecord(`event ${event.name}: ${damage}`, sequence)
    if (slot === 0 || slot > store.ids.count) {
      refuseRecord(`event ${event.name} is of a stream that was never opened`, sequence)
    }
    const known = `${store.name} ${String(store.ids.idOf(slot))} is at ${store.version(slot)}`
    refuseRecord(`event ${event.name} has version ${version}, but ${known}`, sequence)
  }

  private openStream(view: DataView, record: number): void {
    const { runtime, meta } = this
    const store = runtime.storeByNumber(view.getUint16(record + STREAM_OPENED_AGGREGATE, true))
    const idBytes = view.getUint16(record + STREAM_OPENED_ID_BYTES, true)
    const slot = view.getUint32(record + RECORD_SLOT, true)
    if (slot !== store.ids.count + 1) {
      refuseRecord(
        `a stream of ${store.name} is opened in slot ${slot}, out of order`,
        meta.sequence,
      )
    }
    if (store.isFull) {
      throw new TidewheelError(
        'OUT_OF_MEMORY',
        `the journal holds more streams of ${store.name} than its capacity, ${store.capacity}; declare a larger one`,
        { sequence: meta.sequence + 1 },
      )
    }
    store.ids.addBytes(view, record + STREAM_OPENED_ID, idBytes)
  }

  private attach(view: DataView): void {
    this.attached = view
    this.meta.view = view
    for (const { flyweight } of this.runtime.events) flyweight.$attach(view, this.runtime)
  }
}

function refuseRecord(problem: string, sequence: number): never {
  throw new TidewheelError(
    'REPLAY_FAILED',
    `${problem}. The journal does not fit together; restore it from a copy`,
    { sequence },
  )
}
