/** What a handler may ask of the world, and what it may do: the second argument of `decide`. */
import type { Aggregate, DeepReadonly, EventType, IdInput } from './domain.js'

export interface Transaction {
  /** Journal time in microseconds since 1970; the same for all commands of a batch. */
  readonly time: number
  /**
   * State of a stream as it was when the command began; the initial state if it has no events.
   * Read-only, and invalid after the handler. Throws READ_AFTER_EMIT for a stream that this command
   * has already emitted to: read first, then emit.
   */
  get<Id, State>(aggregate: Aggregate<Id, State>, id: IdInput<Id>): DeepReadonly<State>
  /** Whether the stream had events when the command began. */
  exists<Id>(aggregate: Aggregate<Id, unknown>, id: IdInput<Id>): boolean
  /** How many events the stream had when the command began. */
  version<Id>(aggregate: Aggregate<Id, unknown>, id: IdInput<Id>): number
  /** Adds an event to the transaction. Applied after the handler, in the order emitted. */
  emit<Id, Data, Input>(event: EventType<Id, Data, Input>, id: IdInput<Id>, data: Input): undefined
  /**
   * Refuses the command: none of its events happen, whatever follows.
   *
   * @param code   short and stable, for programs: at most 256 bytes
   * @param detail plain data for people: at most 4 KiB as msgpack
   */
  reject(code: string, detail?: unknown): undefined
  /** A random (version 4) UUID. */
  uuid(): string
  /** A random number, 0 ≤ n < 1. */
  random(): number
}
