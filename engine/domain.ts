/**
 * How users declare their business: a domain of aggregates, events with `evolve`, and commands with
 * `decide`. Declarations are plain data and types; nothing here runs a command. An engine compiles
 * what is declared when it opens (domain-runtime.ts).
 */
import { TidewheelError } from '../journal/errors.js'
import type { Codec } from '../journal/schema/codec.js'
import {
  assertFields,
  type DataOf,
  type Fields,
  type FieldType,
  type InputOf,
  type ReferenceField,
  reference,
  type StateOf,
  text,
  type ValueOf,
} from '../journal/schema/field-types.js'
import { type IdType, isIdType } from '../journal/schema/id-type.js'
import { assertTypeName } from '../journal/schema/names.js'
import type { Transaction } from './transaction.js'

/** Field types that identify a stream. */
export type IdFieldType = FieldType<string> | FieldType<number> | FieldType<bigint, number | bigint>

/** A field that names a stream. In state it is undefined until it is set. */
export type Reference<T, I = T> = FieldType<T, I> & { readonly kind: 'reference' }

/** What may be given for an id that is read as `Id`: a u64 also as a safe number. */
export type IdInput<Id> = Id extends bigint ? bigint | number : Id

/** State that `decide` may read and not change. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends Map<infer K, infer V>
    ? ReadonlyMap<K, DeepReadonly<V>>
    : T extends Set<infer V>
      ? ReadonlySet<DeepReadonly<V>>
      : T extends object
        ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
        : T

export interface EventMeta<Id> {
  readonly id: Id
  /** Ordinal of this event in its stream, from 1. */
  readonly version: number
  readonly sequence: number
  /** Microseconds since 1970. */
  readonly time: number
}

/** State kept as a JavaScript object, for shapes that fixed fields cannot hold. */
export interface ObjectState<State> {
  readonly kind: 'object'
  create(): State
  /** The whole state as plain data: what a field of type `any` may hold. */
  snapshot(state: State): unknown
  restore(data: unknown): State
}

/** Plain trees need only `create`; anything with classes, Maps or Sets says how it is saved. */
export function object<State extends object>(options: {
  create: () => State
  snapshot?: (state: State) => unknown
  restore?: (data: never) => State
}): ObjectState<State> {
  const { create, snapshot, restore } = options
  if ((snapshot === undefined) !== (restore === undefined)) {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      'object state: give snapshot and restore, or neither',
    )
  }
  return Object.freeze({
    kind: 'object',
    create,
    snapshot: snapshot ?? ((state: State): unknown => state),
    restore: (restore as ((data: unknown) => State) | undefined) ?? ((data) => data as State),
  })
}

/** Applies an event to its aggregate's state. Returns nothing; an `async` function does not compile. */
export type Evolve<State, Data, Id> = (state: State, event: Data, meta: EventMeta<Id>) => undefined

/** Reads state, emits events or rejects. Returns nothing; an `async` function does not compile. */
export type Decide<Data> = (command: Data, tx: Transaction) => undefined

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

export class CommandType<Input = unknown> {
  declare readonly $types: { input: Input }
  readonly name: string
  readonly domain: Domain
  readonly fields: Fields
  readonly decide: Decide<never>
  /** Compiled when an engine first opens the domain. */
  declare $codec: Codec
  /** Place in the domain's list of commands. */
  readonly index: number

  constructor(name: string, domain: Domain, fields: Fields, decide: Decide<never>, index: number) {
    this.name = name
    this.domain = domain
    this.fields = fields
    this.decide = decide
    this.index = index
  }
}

/** Streams reserved for each aggregate unless its declaration says otherwise. */
export const CAPACITY_DEFAULT = 4 * 1024 * 1024
export const CAPACITY_MAX = 2 ** 30

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

export class Domain {
  readonly name: string
  /** URL of the module that declares the domain, so that worker threads can load it. */
  readonly moduleUrl: string
  readonly aggregates: Aggregate[] = []
  readonly events: EventType[] = []
  readonly commands: CommandType[] = []
  /** Set when an engine has opened the domain: nothing can be declared any more. */
  $sealed = false
  private readonly names = new Set<string>()

  constructor(name: string, moduleUrl: string) {
    this.name = name
    this.moduleUrl = moduleUrl
  }

  /** Declares a kind of stream, with the state that its events build. */
  aggregate<I extends IdFieldType, State extends object>(
    name: string,
    options: AggregateOptions<I, ObjectState<State>>,
  ): Aggregate<ValueOf<I>, State>
  aggregate<I extends IdFieldType, const S extends Fields>(
    name: string,
    options: AggregateOptions<I, S>,
  ): Aggregate<ValueOf<I>, StateOf<S>>
  aggregate(
    name: string,
    options: AggregateOptions<IdFieldType, Fields | ObjectState<object>>,
  ): unknown {
    this.claimName('aggregate', name)
    if (!isObjectState(options.state)) assertFields(`aggregate ${name}`, options.state)
    const aggregate = new Aggregate(this, name, options, this.aggregates.length)
    this.aggregates.push(aggregate)
    return aggregate
  }

  /** Declares a command. `decide` reads state and emits events, or rejects. */
  command<const F extends Fields>(
    name: string,
    fields: F,
    decide: Decide<DataOf<F>>,
  ): CommandType<InputOf<F>> {
    this.claimName('command', name)
    assertFields(`command ${name}`, fields)
    refuseAsync(`command ${name}`, decide)
    const command = new CommandType<InputOf<F>>(
      name,
      this,
      fields,
      decide as unknown as Decide<never>,
      this.commands.length,
    )
    this.commands.push(command)
    return command
  }

  /** Used by {@link Aggregate.event}. */
  $addEvent<Id, Data, Input>(
    aggregate: Aggregate<Id, unknown>,
    name: string,
    fields: Fields,
    evolve: Evolve<never, never, never>,
  ): EventType<Id, Data, Input> {
    this.claimName('event', name)
    assertFields(`event ${name}`, fields)
    refuseAsync(`event ${name}`, evolve)
    const event = new EventType<Id, Data, Input>(
      name,
      aggregate,
      fields,
      evolve,
      this.events.length,
    )
    this.events.push(event as unknown as EventType)
    return event
  }

  private claimName(kind: string, name: string): void {
    assertTypeName(kind, name)
    if (this.$sealed) {
      throw new TidewheelError(
        'INVALID_DOMAIN',
        `${kind} ${name} is declared after an engine has opened domain ${this.name}; declare everything when the module loads`,
      )
    }
    const key = `${kind} ${name}`
    if (this.names.has(key)) {
      throw new TidewheelError(
        'INVALID_DOMAIN',
        `${key} is declared twice in domain ${this.name}; give one of them another name`,
      )
    }
    this.names.add(key)
  }
}

/**
 * Starts the declaration of a domain.
 *
 * @param name      what the journal calls it
 * @param moduleUrl `import.meta.url` of the module that declares it and exports it as default
 */
export function domain(name: string, moduleUrl: string): Domain {
  assertTypeName('domain', name)
  return new Domain(name, moduleUrl)
}

/**
 * As a field: names a stream of an aggregate that is declared later, or of the one being declared.
 *
 * @param type the aggregate's type of ids
 */
export function ref(aggregate: string): ReferenceField<string>
export function ref<T, I>(aggregate: string, type: FieldType<T, I>): Reference<T, I>
export function ref(aggregate: string, type: FieldType = text): ReferenceField {
  const idType = idTypeOf(aggregate, type as IdFieldType)
  return reference(() => ({ name: aggregate, idType }))
}

export function isObjectState(state: Fields | ObjectState<object>): state is ObjectState<object> {
  return (state as { kind?: unknown }).kind === 'object'
}

function idTypeOf(name: string, type: IdFieldType): IdType {
  const { kind } = type
  if (isIdType(kind)) return kind
  throw new TidewheelError(
    'INVALID_DOMAIN',
    `aggregate ${name} has ids of type ${kind}; use text, u32, u64 or uuid`,
  )
}

function capacityOf(name: string, capacity: number): number {
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= CAPACITY_MAX) return capacity
  throw new TidewheelError(
    'INVALID_DOMAIN',
    `aggregate ${name} has capacity ${capacity}; give an integer from 1 to ${CAPACITY_MAX}`,
  )
}

function refuseAsync(what: string, handler: unknown): void {
  if (typeof handler !== 'function') {
    throw new TidewheelError('INVALID_DOMAIN', `${what} has no handler; give a function`)
  }
  const kind = handler.constructor.name
  if (kind !== 'Function') {
    const shown = kind === 'AsyncFunction' ? 'async' : `a ${kind}`
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `the handler of ${what} is ${shown}; handlers run to their end on one thread, so make it a plain function`,
    )
  }
}
