/** What the two ends of a limit's journal share: limit-journal.ts and limit-journal-thread.ts. */

export interface LimitJournalData {
  readonly directory: string
  /** Of each file. */
  readonly fileBytes: number
  readonly data: SharedArrayBuffer
  readonly control: SharedArrayBuffer
}

// Elements of the control array, each with cache lines of its own.
/** What the loop has written and what is on disk, modulo 2³², in units of 8 bytes. */
export const LIMIT_PUBLISHED = 0
export const LIMIT_SYNCED = 32
/** 1 while the thread sleeps on LIMIT_PUBLISHED. */
export const LIMIT_PARKED = 64
export const LIMIT_STOP = 96
export const LIMIT_CONTROL_BYTES = 512
export const LIMIT_UNIT_BYTES = 8
