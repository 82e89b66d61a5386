/** What a worker of the replay pool runs for a snapshot: makes one of a journal on disk. */
import { errorMessageOf } from '../../journal/error-message.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { ReadWindow } from '../../journal/read-window.js'
import { type DomainSource, loadDomain } from '../load-domain.js'
import type { ReplayOutcome } from './replay-pool.js'
import { buildSnapshot } from './snapshot-build.js'

export interface SnapshotTask {
  /** Of the journal's directory. */
  readonly path: string
  readonly domain: DomainSource
  readonly sealedSegment: number
  readonly keep: number
}

export default async function build(task: SnapshotTask): Promise<ReplayOutcome<string>> {
  try {
    const domain = await loadDomain(task.domain)
    // Past the page cache: what is in it belongs to others.
    const window = new ReadWindow(undefined, true)
    const storage = openFileStorage(task.path)
    return { value: buildSnapshot(storage, domain, task.sealedSegment, task.keep, window) }
  } catch (error) {
    return { error: errorMessageOf(error) }
  }
}
