/** What the worker of the backup pool runs: copies a journal whose engine goes on meanwhile. */
import { type BackupReport, backupJournal } from '../journal/backup.js'
import type { CopyEnd } from '../journal/copy-plan.js'
import { outcomeOf, type TaskOutcome } from '../journal/task-pool.js'

export interface BackupTask {
  /** Of the journal's directory. */
  readonly path: string
  readonly directory: string
  /** Everything before it was synced when the backup was asked for. */
  readonly end: CopyEnd
}

export default function backup(task: BackupTask): Promise<TaskOutcome<BackupReport>> {
  return outcomeOf(() => backupJournal(task.path, task.directory, task.end))
}
