/**
 * How users declare their business: a domain of aggregates, events with `evolve`, and commands with
 * `decide`. Declarations are plain data and types; nothing here runs a command. An engine compiles
 * what is declared when it opens (domain-compiler.ts).
 *
 *   domain ─▶ aggregate (aggregate.ts) ─▶ event (event-type.ts)
 *          └▶ command (command-type.ts)
 *
 * The rest of the engine takes all declarations from here.
 */
import { TidewheelError } from '../journal/errors.js'
import {
  assertFields,
  type DataOf,
  type Fields,
  type InputOf,
  type StateOf,
  type ValueOf,
} from '../journal/schema/field-types.js'
import { assertTypeName } from '../journal/schema/names.js'
import { describeValue } from '../journal/schema/value-check.js'
import { Aggregate, type AggregateOptions } from './aggregate.js'
import { CommandType, type Decide } from './command-type.js'
import { EventType, type Evolve } from './event-type.js'
import { isObjectState, type ObjectState } from './object-state.js'
import type { IdFieldType } from './stream-reference.js'

export { Aggregate, type AggregateOptions } from './aggregate.js'
export { CommandType, type Decide } from './command-type.js'
export type { DeepReadonly } from './deep-readonly.js'
export { type EventMeta, EventType, type Evolve, type RecordedEvent } from './event-type.js'
export { isObjectState, type ObjectState, object } from './object-state.js'
export { type IdInput, ref } from './stream-reference.js'

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
    if (typeof options?.state !== 'object' || options.state === null) {
      throw new TidewheelError(
        'INVALID_DOMAIN',
        `aggregate ${name} is declared without a state; give { id: text, state: { … } }`,
      )
    }
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
  if (typeof moduleUrl !== 'string' || moduleUrl === '') {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `the module of domain ${name} is ${describeValue(moduleUrl)}; give import.meta.url, so that threads can load it`,
    )
  }
  return new Domain(name, moduleUrl)
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
