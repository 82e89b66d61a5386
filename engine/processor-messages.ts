/**
 * What passes between an engine and its processor thread, apart from shared memory: requests with a
 * number, and one answer to each.
 */
import type { Catalogue } from '../journal/catalogue.js'
import type { ErrorMessage } from '../journal/error-message.js'
import type { EventRingMemory } from '../journal/event-ring.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import type { IdValue } from '../journal/schema/id-type.js'
import type { ResolvedOptions } from './engine-options.js'
import type { LaneMemory } from './lane.js'
import type { DomainSource } from './load-domain.js'
import type { StatePiece } from './state-digest.js'

export const PROCESSOR_THREAD = 'tidewheel processor'

/** Whether the worker data of this thread are a processor's. */
export function isProcessorThread(data: unknown): boolean {
  return (data as Partial<ProcessorThreadData> | null)?.thread === PROCESSOR_THREAD
}

export interface ProcessorThreadData extends DomainSource {
  readonly thread: typeof PROCESSOR_THREAD
  readonly path: string
  /** Without what cannot travel: `logger` and `clock`. */
  readonly options: Omit<ResolvedOptions, 'logger' | 'clock'>
}

/** Sent once, when the engine is open. */
export interface ReadyMessage {
  readonly kind: 'ready'
  readonly report: RecoveryReport
  readonly catalogue: ReturnType<Catalogue['toJSON']>
  readonly ring: EventRingMemory
  readonly edge: SharedArrayBuffer
  /** The engine's own lane. */
  readonly lane: LaneMemory
}

export type Request =
  | { readonly op: 'attachLane'; readonly memory: LaneMemory; readonly lane: number }
  | { readonly op: 'dropLane'; readonly lane: number }
  | { readonly op: 'query'; readonly aggregateIndex: number; readonly id: IdValue }
  | { readonly op: 'slotOf'; readonly aggregateIndex: number; readonly id: IdValue }
  | {
      readonly op: 'idsFrom'
      readonly aggregateIndex: number
      readonly slot: number
      readonly count: number
    }
  | { readonly op: 'digest' }
  | { readonly op: 'outline' }
  | { readonly op: 'streamHashes'; readonly piece: StatePiece }
  | { readonly op: 'close' }

export interface RequestMessage {
  readonly kind: 'request'
  readonly number: number
  readonly request: Request
}

export type ProcessorMessage =
  | ReadyMessage
  | { readonly kind: 'openFailed'; readonly error: ErrorMessage }
  | { readonly kind: 'answer'; readonly number: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly number: number; readonly error: ErrorMessage }
  | { readonly kind: 'failed'; readonly error: ErrorMessage }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly text: string }
