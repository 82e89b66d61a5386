/** What the worker of the archive pool runs: archives the sealed segments of a journal on disk. */
import { type ArchiveReport, archiveJournal } from './archive.js'
import { type ErrorMessage, errorMessageOf } from './error-message.js'
import { openFileStorage } from './file-storage.js'
import { ReadWindow } from './read-window.js'

export interface ArchiveTask {
  /** Of the journal's directory. */
  readonly path: string
  /** Only segments all of whose events come before this sequence. */
  readonly before: number
}

/** An error of ours keeps its code on the way. */
export type ArchiveOutcome = { readonly report: ArchiveReport } | { readonly error: ErrorMessage }

export default function archive({ path, before }: ArchiveTask): ArchiveOutcome {
  try {
    // Past the page cache: what is in it belongs to others, and what was written is read from disk.
    const window = new ReadWindow(undefined, true)
    return { report: archiveJournal(openFileStorage(path), before, window) }
  } catch (error) {
    return { error: errorMessageOf(error) }
  }
}
