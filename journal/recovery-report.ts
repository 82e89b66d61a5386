/** What opening a journal found and did: for the user, and for logs. */

export interface RecoveryReport {
  /** There was no journal; a new one has been made. */
  readonly created: boolean
  readonly segments: number
  /** That were read and replayed: those behind the snapshot, where one was used. */
  readonly blocks: number
  readonly events: number
  /** Of these blocks, with padding. */
  readonly bytes: number
  readonly seconds: number
  readonly eventsPerSecond: number
  /** What was taken off the end, if anything. */
  readonly cut?: RecoveryCut
  /** The level that the last block was written with, where it is not the one of this opening. */
  readonly levelBefore?: 'disk' | 'os'
  /** What replay began with; without it, the whole journal was replayed. */
  readonly snapshot?: UsedSnapshot
  /** Snapshots that were not used, a sentence each with the reason. */
  readonly snapshotsSkipped?: readonly string[]
  /** What was repaired, a sentence each. Empty for a journal that is whole. */
  readonly repaired: readonly string[]
}

export interface RecoveryCut {
  readonly file: string
  readonly offset: number
  readonly bytes: number
  readonly reason: string
  /** The files that keep what was cut, in the journal's directory. */
  readonly keptAs: readonly string[]
}

export interface UsedSnapshot {
  readonly file: string
  /** Of the last event in it. */
  readonly sequence: number
  /** The last segment that it covers. */
  readonly segmentNumber: number
}
