/** The events of one type inside one engine; what is done with them is in compiled-event.ts. */
import { TidewheelError } from '../journal/errors.js'
import type { Flyweight } from '../journal/schema/flyweight.js'
import type { AggregateStore } from './aggregate-store.js'
import type { EventType } from './domain.js'
import type { TransactionContext } from './transaction-context.js'

export abstract class EventRuntime {
  readonly name: string
  readonly type: EventType
  readonly store: AggregateStore
  readonly flyweight: Flyweight
  /** In the journal's catalogue. */
  number = 0

  constructor(type: EventType, store: AggregateStore, flyweight: Flyweight) {
    this.name = type.name
    this.type = type
    this.store = store
    this.flyweight = flyweight
  }

  /** Adds an event to the running transaction, or has the transaction refused. */
  abstract emit(tx: TransactionContext, id: unknown, value: unknown): void

  /** Applies the record at `record`, whose view the flyweight is attached to. */
  abstract apply(view: DataView, record: number): void
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
