/** A declared kind of stream: its ids, its state, how many there may be. */
import { TidewheelError } from '../journal/errors.js'
import { type DataOf, type Fields, type InputOf, reference } from '../journal/schema/field-types.js'
import type { IdType } from '../journal/schema/id-type.js'
import type { Domain } from './domain.js'
import type { EventType, Evolve } from './event-type.js'
import type { ObjectState } from './object-state.js'
import { type IdFieldType, type IdInput, idTypeOf, type Reference } from './stream-reference.js'

/** Streams reserved for each aggregate unless its declaration says otherwise. */
const CAPACITY_DEFAULT = 4 * 1024 * 1024
const CAPACITY_MAX = 2 ** 30

export interface AggregateOptions<I = IdFieldType, S = Fields | ObjectState<object>> {
  /** Type of the ids: `text`, `u32`, `u64` or `uuid`. */
  readonly id: I
  /** Fields of a record, or {@link object}. */
  readonly state: S
  /** How many streams there may be; memory is reserved, and used as streams come. */
  readonly capacity?: number
}

export class Aggregate<Id = unknown, State = unknown> {
  declare readonly $types: { id: Id; state: State }
  readonly name: string
  readonly domain: Domain
  /** As a field of a command or an event: names one stream of this aggregate. */
  readonly id: Reference<Id, IdInput<Id>>
  readonly idType: IdType
  readonly state: Fields | ObjectState<object>
  readonly capacity: number
  /** Place in the domain's list of aggregates. */
  readonly index: number

  constructor(domain: Domain, name: string, options: AggregateOptions, index: number) {
    this.name = name
    this.domain = domain
    this.idType = idTypeOf(name, options.id)
    this.id = reference(() => this) as unknown as Reference<Id, IdInput<Id>>
    this.state = options.state
    this.capacity = capacityOf(name, options.capacity ?? CAPACITY_DEFAULT)
    this.index = index
  }

  /** Declares an event of this aggregate. Names are unique in the domain. */
  event<const F extends Fields>(
    name: string,
    fields: F,
    evolve: Evolve<State, DataOf<F>, Id>,
  ): EventType<Id, DataOf<F>, InputOf<F>> {
    return this.domain.$addEvent(this, name, fields, evolve as Evolve<never, never, never>)
  }
}

function capacityOf(name: string, capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= CAPACITY_MAX) return capacity
  throw new TidewheelError(
    'INVALID_DOMAIN',
    `aggregate ${name} has capacity ${capacity}; give an integer from 1 to ${CAPACITY_MAX}`,
  )
}
