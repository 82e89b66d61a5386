/** What the worker of the snapshot pool runs: makes one snapshot of a journal on disk. */
import { openFileStorage } from '../../journal/file-storage.js'
import { ReadWindow } from '../../journal/read-window.js'
import { type DomainSource, loadDomain } from '../load-domain.js'
import { loadModule } from '../module-loading.js'
import { outcomeOf, type TaskOutcome } from '../task-pool.js'
import { lowerThreadPriority } from './low-priority.js'
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
    return buildSnapshot(storage, domain, task.sealedSegment, task.keep, window)
  })
}
