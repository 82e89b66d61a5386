/** What the worker of the archive pool runs: archives the sealed segments of a journal on disk. */
import { type ArchiveReport, archiveJournal } from './archive.js'
import { openFileStorage } from './file-storage.js'
import { ReadWindow } from './read-window.js'
import { outcomeOf, type TaskOutcome } from './task-pool.js'

export interface ArchiveTask {
  /** Of the journal's directory. */
  readonly path: string
  /** Only segments all of whose events come before this sequence. */
  readonly before: number
}

export default function archive({
  path,
  before,
}: ArchiveTask): Promise<TaskOutcome<ArchiveReport>> {
  return outcomeOf(() => {
    // Past the page cache: what is in it belongs to others, and what was written is read from disk.
    const window = new ReadWindow(undefined, true)
    return archiveJournal(openFileStorage(path), before, window)
  })
}
