/** What a drill and the engine's process say to each other, beside acknowledgements. */
import type { FlowReference } from './drill-flow.js'

export interface ChildStart {
  /**
   * `recover`: open, take the digest, close. `load`: the same, and before closing the load.
   * `examine`: whether it opens, and what was said. `snapshot`: makes one. `replay`: makes one, and
   * compares the states that replays and snapshots give.
   */
  readonly mode: 'load' | 'recover' | 'examine' | 'snapshot' | 'replay'
  readonly directory: string
  readonly flow: FlowReference
  readonly segmentBytes: number
  /** Commands of the flow that are already acknowledged: it goes on behind them. */
  readonly acknowledged: number
  /** Commands a second; 0: as many as the engine takes. */
  readonly rate: number
}

export interface OpenedMessage {
  readonly kind: 'opened'
  readonly events: number
  readonly seconds: number
  /** Of the recovered state. */
  readonly digest: string
}

/** Four times a second, and at the end. */
export interface ProgressMessage {
  readonly kind: 'progress'
  readonly answered: number
  readonly journalBytes: number
  /** Since the last message: counters of a LatencyHistogram. */
  readonly latencies: Uint32Array
  /** Since the last message: rejections by code. */
  readonly rejections: ReadonlyMap<string, number>
}

export interface FinishedMessage {
  readonly kind: 'finished'
  readonly digest: string
}

/** Of a journal that was harmed: how opening it went; or the snapshot that was asked for. */
export interface ExaminedMessage {
  readonly kind: 'examined'
  readonly refused?: { readonly code: string; readonly message: string }
  readonly opened?: {
    readonly seconds: number
    readonly digest: string
    /** What was cut, mended or passed over; empty: nothing. */
    readonly told: string
  }
  /** Name of the file. */
  readonly snapshot?: string
}

export interface ReplayedMessage {
  readonly kind: 'replayed'
  /** Whose state was compared with the journal's; 0: no segment was full, so there is none. */
  readonly snapshots: number
  /** Which states differ, and why that can be. */
  readonly problem?: string
}

/** The drill cannot go on; the process ends. */
export interface FailedMessage {
  readonly kind: 'failed'
  readonly reason: string
}

export type ChildMessage =
  | OpenedMessage
  | ProgressMessage
  | FinishedMessage
  | ExaminedMessage
  | ReplayedMessage
  | FailedMessage

/** To the child: take no further command from the flow, answer what is taken, and close. */
export interface StopMessage {
  readonly kind: 'stop'
}
