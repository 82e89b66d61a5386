/** What the drill and the engine's process say to each other, beside acknowledgements. */

export interface ChildStart {
  readonly directory: string
  readonly feed: string | undefined
  readonly repeat: number
  readonly seed: number
  /** Commands of the flow that are already acknowledged: it goes on behind them. */
  readonly acknowledged: number
  /** Commands a second; 0: as many as the engine takes. */
  readonly rate: number
}

export interface OpenedMessage {
  readonly kind: 'opened'
  readonly recoveredEvents: number
  readonly recoverySeconds: number
  /** Of a recorded feed, with repetitions. */
  readonly flowCommands: number | undefined
}

/** Four times a second, and at the end. */
export interface ProgressMessage {
  readonly kind: 'progress'
  readonly answered: number
  readonly sequence: number
  readonly journalBytes: number
  /** Latencies since the last message, in µs: an HdrHistogram, compressed, base64. */
  readonly latencies: string
}

export interface FinishedMessage {
  readonly kind: 'finished'
  readonly digest: string
}

export type ChildMessage = OpenedMessage | ProgressMessage | FinishedMessage

/** To the child: take no further command from the flow, answer what is taken, and close. */
export interface StopMessage {
  readonly kind: 'stop'
}
