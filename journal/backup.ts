/**
 * Backups of journals on disk, and journals from backups. A backup is a journal like any other:
 * opening it in place is one way to restore it.
 */

import { type CopyEnd, type CopyPlan, planWhole } from './copy-plan.js'
import { openCopyTarget, refuseCopyTarget } from './copy-target.js'
import { TidewheelError } from './errors.js'
import { openFileStorage } from './file-storage.js'
import { copyJournal, type JournalCopy } from './journal-copy.js'
import { type CutPoint, type LeftOut, planCut } from './journal-cut.js'
import { asJournalError } from './journal-folder.js'
import { readLockStatus } from './lock-status.js'
import type { Storage } from './storage.js'

export interface BackupReport extends JournalCopy {
  /** Absolute, of the copy. */
  readonly directory: string
}

export interface RestoreOptions {
  /** The last event wanted. */
  readonly toSequence?: number
  /** The last instant wanted, µs since 1970. */
  readonly toTimeUs?: number
}

export interface RestoreReport extends BackupReport {
  /** What of the backup lies behind the point; undefined: nothing does. */
  readonly leftOut: LeftOut | undefined
}

/**
 * Copies the journal in `path`, which may be running, into `directory`, which is new or empty: what
 * was answered before the call, and perhaps more, up to `end` where that is given.
 *
 * @throws TidewheelError NOT_A_JOURNAL, JOURNAL_DAMAGED, JOURNAL_UNREADABLE, FORMAT_TOO_NEW,
 *   INVALID_OPTION for a directory that must not be used, DISK_FULL, STORAGE_FAILED
 */
export async function backupJournal(
  path: string,
  directory: string,
  end?: CopyEnd,
): Promise<BackupReport> {
  return copyTo(path, directory, (source) => planWhole(source, end))
}

/**
 * Makes a journal in `directory`, which is new or empty, of the backup in `path`: of all of it, or of
 * the whole transactions up to a sequence or a time.
 *
 * @throws TidewheelError as {@link backupJournal}; INVALID_OPTION also for a point that the backup
 *   does not reach, ENGINE_LOCKED when an engine has it open
 */
export async function restoreJournal(
  path: string,
  directory: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  const point = pointOf(options)
  const lock = readLockStatus(path)
  if (lock.isHeld === true) {
    const who = lock.pid === undefined ? 'another process' : `process ${lock.pid}`
    throw new TidewheelError(
      'ENGINE_LOCKED',
      `the journal ${path} is open in ${who}, so its end is moving; make a backup of it, and restore from that`,
    )
  }
  let leftOut: LeftOut | undefined
  const copy = await copyTo(path, directory, async (source) => {
    if (point === undefined) return planWhole(source)
    const plan = await planCut(source, point)
    leftOut = plan.leftOut
    return plan
  })
  return { ...copy, leftOut }
}

function pointOf({ toSequence, toTimeUs }: RestoreOptions): CutPoint | undefined {
  if (toSequence !== undefined && toTimeUs !== undefined) {
    throw new TidewheelError(
      'INVALID_OPTION',
      'a sequence and a time are given; give the one that is meant',
    )
  }
  for (const [name, value] of Object.entries({ toSequence, toTimeUs })) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue
    throw new TidewheelError('INVALID_OPTION', `${name} is ${value}; give an integer from 1`)
  }
  if (toSequence !== undefined) return { sequence: toSequence }
  return toTimeUs === undefined ? undefined : { timeUs: toTimeUs }
}

async function copyTo(
  path: string,
  directory: string,
  plan: (source: Storage) => Promise<CopyPlan>,
): Promise<BackupReport> {
  const { source, planned } = await readSource(path, directory, plan)
  const target = openCopyTarget(directory)
  try {
    const copy = await copyJournal(source, target.storage, planned)
    return { directory: target.storage.path, ...copy }
  } catch (error) {
    target.abandon()
    throw error
  }
}

/** What cannot be copied is found out before anything is made. */
async function readSource(
  path: string,
  directory: string,
  plan: (source: Storage) => Promise<CopyPlan>,
): Promise<{ readonly source: Storage; readonly planned: CopyPlan }> {
  try {
    const source = openFileStorage(path)
    refuseCopyTarget(path, directory)
    return { source, planned: await plan(source) }
  } catch (error) {
    throw asJournalError(path, error)
  }
}
