/**
 * What an engine needs of the place where its commands run. Two implementations behave alike:
 * `InlineSide` on the caller's thread, `ThreadSide` with a thread of their own.
 */
import type { Catalogue } from '../journal/catalogue.js'
import type { TidewheelError } from '../journal/errors.js'
import type { EventRingMemory } from '../journal/event-ring.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import type { IdReader } from '../journal/schema/codec.js'
import type { IdValue } from '../journal/schema/id-type.js'
import type { CommandPort } from './command-port.js'
import type { LiveStateSource } from './determinism/determinism-check.js'
import type { RecordedEvent } from './domain.js'
import type { ProducerHandle } from './producer.js'
import type { EventDecoder } from './read/event-decoder.js'

/** Ids of streams for reading events back; on another thread than the state, they are fetched. */
export interface IdSource extends IdReader {
  /** Since the last fetch, `idOf` was asked for an id that is not here: it gave undefined. */
  readonly isMissing: boolean
  fetchMissing(): Promise<void>
}

export interface ProcessorSide {
  readonly report: RecoveryReport
  readonly catalogue: Catalogue
  readonly ring: EventRingMemory
  readonly edge: SharedArrayBuffer
  readonly ids: IdSource
  readonly port: CommandPort
  /** Why the engine does not run any more; undefined while it does. */
  stopReason(): TidewheelError | undefined
  createProducer(): ProducerHandle
  /** @throws TidewheelError INVALID_OPTION where the state is on another thread. */
  get(aggregateIndex: number, id: IdValue): unknown
  /** @throws TidewheelError INVALID_OPTION likewise; EVENTS_NOT_IN_MEMORY */
  recentEvents(first: number, last: number, decoder: EventDecoder): RecordedEvent[]
  query(aggregateIndex: number, id: IdValue): Promise<unknown>
  /** Slot of a stream, 0 for none. */
  slotOf(aggregateIndex: number, id: IdValue): Promise<number>
  digest(): Promise<string>
  /** What the live state is, for a comparison. */
  readonly liveState: LiveStateSource
  close(): Promise<void>
}
