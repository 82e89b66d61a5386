/** The events of one type inside one engine; what is done with them is in compiled-event.ts. */
import type { Buffer } from 'node:buffer'
import { TidewheelError } from '../journal/errors.js'
import type { Codec, ReferenceResolver } from '../journal/schema/codec.js'
import type { Flyweight } from '../journal/schema/flyweight.js'
import type { AggregateStore } from './aggregate-store.js'
import type { EventType } from './domain.js'

/** The running transaction, as generated code writes an event's record into it. */
export interface EventSink extends ReferenceResolver {
  readonly view: DataView
  readonly bytes: Buffer
  readonly eventIndexes: Uint16Array
  readonly records: Int32Array
  /** Where the next record goes; `slotOf` and `openStream` may move it. */
  offset: number
  eventCount: number
  /** What follows a rejection does not change it. */
  readonly rejected: boolean
  /** The handler has returned. */
  readonly ended: boolean
  /** Where the transaction must end. */
  readonly payloadLimit: number
  /** Slot of an id that costs a hash to find, or 0. */
  find(store: AggregateStore, id: unknown): number
  /** Slot of a stream that is opened now; 0, and the transaction is refused. */
  openStream(store: AggregateStore, id: unknown): number
  refuseSize(): number
  refuseVersion(store: AggregateStore, slot: number): number
}

export abstract class EventRuntime {
  readonly name: string
  readonly type: EventType
  readonly codec: Codec
  readonly store: AggregateStore
  readonly flyweight: Flyweight
  /** In the journal's catalogue. */
  number = 0

  constructor(type: EventType, store: AggregateStore, flyweight: Flyweight) {
    this.name = type.name
    this.type = type
    this.codec = type.$codec
    this.store = store
    this.flyweight = flyweight
  }

  /** Adds an event to the running transaction, or has the transaction refused. */
  abstract emit(tx: EventSink, id: unknown, value: unknown): void

  /** Applies the record at `record`, whose view the flyweight is attached to. */
  abstract apply(view: DataView, record: number): void

  /**
   * The same for a record that is replayed, once it is known to continue the stream; false, and
   * nothing is done, if it does not.
   */
  abstract replay(view: DataView, record: number, lengthBytes: number): boolean
}

/** @throws TidewheelError always: an `evolve` returned something. */
export function refuseResult(event: string, result: unknown): never {
  // What fails later has been refused already, and must not end the process.
  if (result instanceof Promise) result.catch(() => {})
  throw new TidewheelError(
    'EVOLVE_FAILED',
    `evolve of ${event} returned a value; it must change the state it is given and return nothing`,
  )
}

/** @throws TidewheelError always: a handler has returned, and goes on using its transaction. */
export function refuseEnded(): never {
  throw new TidewheelError(
    'TRANSACTION_ENDED',
    'a handler used its transaction after it had returned; read, emit and reject before that',
  )
}
