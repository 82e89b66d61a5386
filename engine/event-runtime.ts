/** The events of one type inside one engine, as a replay applies them (compiled-event.ts). */
import { TidewheelError } from '../journal/errors.js'
import type { Codec } from '../journal/schema/codec.js'
import type { Flyweight } from '../journal/schema/flyweight.js'
import type { AggregateStore } from './aggregate-store.js'
import type { EventType } from './domain.js'

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

  /**
   * Applies the record at `record`, once it is known to continue the stream; false, and nothing is
   * done, if it does not. The flyweight is attached to `view`.
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
