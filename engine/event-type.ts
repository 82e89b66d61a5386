/** A declared event: its fields, and the `evolve` that applies it. Also what is read back of one. */
import type { Codec } from '../journal/schema/codec.js'
import type { Fields } from '../journal/schema/field-types.js'
import type { Aggregate } from './aggregate.js'

export interface EventMeta<Id> {
  readonly id: Id
  /** Ordinal of this event in its stream, from 1. */
  readonly version: number
  readonly sequence: number
  /** Microseconds since 1970. */
  readonly time: number
}

/** Applies an event to its aggregate's state. Returns nothing; an `async` function does not compile. */
export type Evolve<State, Data, Id> = (state: State, event: Data, meta: EventMeta<Id>) => undefined

/** An event as it is read back. */
export interface RecordedEvent<Id = unknown, Data = unknown> {
  readonly sequence: number
  /** Microseconds since 1970. */
  readonly time: number
  /** Name of the event type. */
  readonly type: string
  /** Name of the aggregate. */
  readonly stream: string
  readonly id: Id
  readonly version: number
  readonly data: Data
}

export class EventType<Id = unknown, Data = unknown, Input = unknown> {
  declare readonly $types: { id: Id; data: Data; input: Input }
  readonly name: string
  readonly aggregate: Aggregate<Id, unknown>
  readonly fields: Fields
  readonly evolve: Evolve<never, never, never>
  /** Compiled when an engine first opens the domain. */
  declare $codec: Codec
  /** Place in the domain's list of events. */
  readonly index: number
  readonly aggregateIndex: number

  constructor(
    name: string,
    aggregate: Aggregate<Id, unknown>,
    fields: Fields,
    evolve: Evolve<never, never, never>,
    index: number,
  ) {
    this.name = name
    this.aggregate = aggregate
    this.fields = fields
    this.evolve = evolve
    this.index = index
    this.aggregateIndex = aggregate.index
  }

  /** Narrows an event that was read back to this type. */
  is(event: RecordedEvent): event is RecordedEvent<Id, Data> {
    return event.type === this.name
  }
}
