/**
 * Runs a domain of object states in memory, as plainly as possible: no rings, no bytes, no journal.
 * Tests of a domain's rules use it for speed; tests of the engine compare with it.
 */
import type { Aggregate, CommandType, EventType } from '../../engine/domain.js'
import type { Transaction } from '../../engine/transaction.js'

export interface NaiveEvent {
  readonly type: string
  readonly id: unknown
  readonly data: Readonly<Record<string, unknown>>
}

export type NaiveReceipt =
  | { readonly accepted: true; readonly events: readonly NaiveEvent[] }
  | { readonly accepted: false; readonly code: string }

interface Stream {
  state: unknown
  version: number
}

type AnyHandler = (...values: unknown[]) => unknown

/** Any aggregate, whatever its types: the handlers are called with what they declared. */
type AnyAggregate = Pick<Aggregate, 'name'> & { readonly state: object }

interface AnyObjectState {
  readonly create: () => unknown
  readonly snapshot: (state: unknown) => unknown
  readonly restore: (data: unknown) => unknown
}

export class NaiveObjectEngine {
  readonly #streams = new Map<string, Stream>()
  #sequence = 0

  execute<Input>(command: CommandType<Input>, value: Input): NaiveReceipt {
    const emitted: [event: EventType, id: unknown, data: object][] = []
    let code: string | undefined
    const transaction = {
      time: 0,
      get: (aggregate: AnyAggregate, id: unknown) => this.#stream(aggregate, id).state,
      exists: (aggregate: AnyAggregate, id: unknown) => this.#stream(aggregate, id).version > 0,
      version: (aggregate: AnyAggregate, id: unknown) => this.#stream(aggregate, id).version,
      emit: (event: EventType, id: unknown, data: object) => {
        emitted.push([event, id, { ...data }])
      },
      reject: (rejection: string) => {
        code ??= rejection
      },
    }
    ;(command.decide as AnyHandler)(value, transaction as unknown as Transaction)
    if (code !== undefined) return { accepted: false, code }
    for (const [event, id, data] of emitted) {
      const stream = this.#stream(event.aggregate, id)
      stream.version += 1
      this.#sequence += 1
      const meta = { id, version: stream.version, sequence: this.#sequence, time: 0 }
      ;(event.evolve as AnyHandler)(stream.state, data, meta)
    }
    const events = emitted.map(([event, id, data]) => ({ type: event.name, id, data: { ...data } }))
    return { accepted: true, events }
  }

  /** The live state; the caller must not change it. */
  get<Id, State>(aggregate: Aggregate<Id, State>, id: Id): State {
    return this.#stream(aggregate, id).state as State
  }

  /** Saves and restores every state of an aggregate, as a snapshot and a restart would. */
  restart(aggregate: AnyAggregate): void {
    const { snapshot, restore } = objectStateOf(aggregate)
    for (const [key, stream] of this.#streams) {
      if (!key.startsWith(`${aggregate.name} `)) continue
      stream.state = restore(structuredClone(snapshot(stream.state)))
    }
  }

  #stream(aggregate: AnyAggregate, id: unknown): Stream {
    const key = `${aggregate.name} ${String(id)}`
    let stream = this.#streams.get(key)
    if (stream === undefined) {
      stream = { state: objectStateOf(aggregate).create(), version: 0 }
      this.#streams.set(key, stream)
    }
    return stream
  }
}

function objectStateOf(aggregate: AnyAggregate): AnyObjectState {
  if ('kind' in aggregate.state && aggregate.state.kind === 'object') {
    return aggregate.state as unknown as AnyObjectState
  }
  throw new Error(`${aggregate.name} has record state; only object states are supported here`)
}
