/** What the worker of the index pool runs: makes the index of one segment of a journal on disk. */
import { openFileStorage } from './file-storage.js'
import { ReadWindow } from './read-window.js'
import { buildStreamIndex } from './stream-index-build.js'
import { outcomeOf, type TaskOutcome } from './task-pool.js'

export interface StreamIndexTask {
  /** Of the journal's directory. */
  readonly path: string
  readonly segmentNumber: number
  /** Of the segment's last block, hexadecimal. */
  readonly lastHash: string
}

// Used again for every segment, past the page cache: the index must not push out what is in it.
const window = new ReadWindow(undefined, true)

export default function buildIndex(task: StreamIndexTask): Promise<TaskOutcome<void>> {
  const { path, segmentNumber, lastHash } = task
  return outcomeOf(() => buildStreamIndex(openFileStorage(path), segmentNumber, lastHash, window))
}
