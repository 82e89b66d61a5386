/** What a worker of the verification pool runs: one segment of a journal on disk. */
import { openFileStorage } from './file-storage.js'
import { ReadWindow } from './read-window.js'
import { type SegmentVerdict, verifySegment } from './verify-segment.js'

export interface VerifySegmentTask {
  /** Of the journal's directory. */
  readonly path: string
  readonly name: string
  /** Of a block that is looked for; '': none. */
  readonly notedHash: string
}

// One a thread, used again for every segment.
const window = new ReadWindow()

export default function verifySegmentTask(task: VerifySegmentTask): SegmentVerdict {
  return verifySegment(openFileStorage(task.path), task.name, window, task.notedHash)
}
