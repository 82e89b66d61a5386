/** What the worker of the snapshot pool runs: makes one snapshot of a journal on disk. */
import { causeOf, TidewheelError } from '../../journal/errors.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { lowerThreadPriority } from '../../journal/low-priority.js'
import { isSystemError } from '../../journal/opening-errors.js'
import { ReadWindow } from '../../journal/read-window.js'
import { outcomeOf, type TaskOutcome } from '../../journal/task-pool.js'
import { type DomainSource, loadDomain } from '../load-domain.js'
import { loadModule } from '../module-loading.js'
import { buildSnapshot } from './snapshot-build.js'

export interface SnapshotTask {
  /** Of the journal's directory. */
  readonly path: string
  readonly domain: DomainSource
  readonly sealedSegment: number
  readonly keep: number
}

lowerThreadPriority()

/** The outcome is the name of the file. */
export default function build(task: SnapshotTask): Promise<TaskOutcome<string>> {
  return outcomeOf(async () => {
    const domain = await loadDomain(task.domain, loadModule)
    // Past the page cache: what is in it belongs to others.
    const window = new ReadWindow(undefined, true)
    const storage = openFileStorage(task.path)
    try {
      return buildSnapshot(storage, domain, task.sealedSegment, task.keep, window)
    } catch (error) {
      throw isSystemError(error) ? failed(error) : error
    }
  })
}

function failed(error: unknown): TidewheelError {
  return new TidewheelError(
    'STORAGE_FAILED',
    `no snapshot could be made: ${causeOf(error)}. The journal is as it was and the engine runs on; check space, permissions and the disk, and ask for it again`,
    { cause: error },
  )
}
