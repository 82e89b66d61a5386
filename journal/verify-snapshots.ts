/**
 * Checks the snapshots of a journal against it: each must be whole, and end with a block that lies in
 * the journal with that number, sequence and hash, which through the chain stands for all blocks
 * before. A snapshot is a cache, so what is wrong with it is no damage of the journal; with one
 * exception, which opening makes too:
 *
 *    what is found                                          judged as
 *   ─────────────────────────────────────────────────────── ──────────────────────────────
 *    damaged, of another journal, renamed                   warning: it is not used
 *    its last block is another one in the journal           warning: it is not used
 *    its header is whole, and the journal ends before it    problem: newer blocks are gone
 */
import { assert, TidewheelError } from './errors.js'
import { ReadWindow } from './read-window.js'
import { listSegments } from './segment-file.js'
import type { SnapshotCheck } from './snapshot-check.js'
import { damagedSnapshot, type SnapshotHeader } from './snapshot-header.js'
import { findSnapshotBlock, snapshotMismatch } from './snapshot-place.js'
import type { Storage } from './storage.js'
import type { VerifyProblem } from './verify-segment.js'

/** One that an opening can begin with. */
export interface VerifiedSnapshot {
  readonly file: string
  /** Of the last event in it. */
  readonly sequence: number
  /** The last block that it covers. */
  readonly block: number
}

export interface VerifiedJournal {
  /** Hexadecimal; '' when no segment tells. */
  readonly journalId: string
  readonly lastBlock: number
  /** Nothing is wrong with it, so that blocks are where they belong. */
  readonly isWhole: boolean
}

export interface SnapshotVerdicts {
  readonly good: readonly VerifiedSnapshot[]
  readonly problems: readonly VerifyProblem[]
  readonly warnings: readonly VerifyProblem[]
}

/**
 * @param checks made before the segments were read, so that a journal which is being written is not
 *   taken for one that ends too early
 * @param journal what verifying its segments gave; in a damaged one no block is looked for
 */
export function verifySnapshots(
  storage: Storage,
  checks: readonly SnapshotCheck[],
  journal: VerifiedJournal,
): SnapshotVerdicts {
  const { journalId, lastBlock, isWhole } = journal
  const good: VerifiedSnapshot[] = []
  const problems: VerifyProblem[] = []
  const warnings: VerifyProblem[] = []
  if (checks.length === 0) return { good, problems, warnings }
  const window = new ReadWindow()
  const segments = isWhole ? listSegments(storage, window) : []
  for (const check of checks) {
    const { file, header } = check
    try {
      if (header !== undefined) {
        refuseForeign(file, header, journalId)
        if (header.blockNumber > lastBlock) {
          const message = `the snapshot was made of blocks up to ${header.blockNumber}, and the journal ends with block ${lastBlock}: newer ones are missing`
          problems.push({ code: 'SNAPSHOT_BEYOND', message, file, offset: 0 })
          continue
        }
      }
      if (check.problem !== undefined) throw check.problem
      assert(header !== undefined, 'a file without a problem has a header')
      if (!isWhole) continue
      findSnapshotBlock(storage, file, header, segments, window)
      good.push({ file, sequence: header.sequence, block: header.blockNumber })
    } catch (error) {
      if (!(error instanceof TidewheelError)) throw error
      const message = `the snapshot is not used: ${error.reason}. It is a cache and may be deleted; opening begins with another, or replays the journal`
      warnings.push({ code: 'SNAPSHOT_WRONG', message, file, offset: error.offset ?? 0 })
    }
  }
  return { good, problems, warnings }
}

function refuseForeign(file: string, header: SnapshotHeader, journalId: string): void {
  const own = journalId === '' ? header.journalId : Buffer.from(journalId, 'hex')
  const mismatch = snapshotMismatch(file, header, own)
  if (mismatch !== '') throw damagedSnapshot(mismatch, file, 0)
}
