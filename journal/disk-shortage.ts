/**
 * When the disk counts as full for a running journal: before it is. What the journal needs next is
 * its next segment, and beside it a reserve, from which opening can still mend what a crash left.
 *
 *   free bytes   ├── what is missing of the next segment ──┼── DISK_RESERVE_BYTES ──┤
 *                 less than both: no new commands, while the current segment has room for all that
 *                 was taken
 */
import { BLOCK_BYTES_MAX } from './block-layout.js'
import type { Storage } from './storage.js'

/** A torn block that is kept aside and a manifest fit in it, and a block in a sparse segment. */
export const DISK_RESERVE_BYTES = 2 * BLOCK_BYTES_MAX

export interface DiskShortage {
  readonly freeBytes: number
  /** How much would have to be free. */
  readonly neededBytes: number
}

/** What is short for so many bytes of the next segment, and the reserve; undefined: nothing. */
export function shortageFor(storage: Storage, missingBytes: number): DiskShortage | undefined {
  const freeBytes = storage.freeBytes()
  const neededBytes = missingBytes + DISK_RESERVE_BYTES
  return freeBytes < neededBytes ? { freeBytes, neededBytes } : undefined
}

/** Whether a call failed because there is no room: on the disk, or in the quota of its user. */
export function isDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
