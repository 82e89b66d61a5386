/**
 * Which snapshots a directory has, and whether each is whole as a file: what can be told before
 * anything is known of the journal beside them. It never writes.
 */
import { TidewheelError } from './errors.js'
import { snapshotNames } from './snapshot-files.js'
import type { SnapshotHeader } from './snapshot-header.js'
import { SnapshotReader } from './snapshot-reader.js'
import type { Storage } from './storage.js'

export interface SnapshotCheck {
  readonly file: string
  readonly sizeBytes: number
  /** Undefined when it is damaged. */
  readonly header: SnapshotHeader | undefined
  /** What is wrong with the file; undefined: nothing. */
  readonly problem: TidewheelError | undefined
}

/** Newest first. One that goes away meanwhile, since a newer one was made, is left out. */
export function checkSnapshots(storage: Storage): SnapshotCheck[] {
  const checks: SnapshotCheck[] = []
  for (const name of snapshotNames(storage)) {
    try {
      checks.push(checkSnapshot(storage, name))
    } catch (error) {
      if (storage.list().includes(name)) throw error
    }
  }
  return checks
}

function checkSnapshot(storage: Storage, name: string): SnapshotCheck {
  const file = storage.open(name, 'read')
  let header: SnapshotHeader | undefined
  try {
    const sizeBytes = file.sizeBytes()
    try {
      const reader = new SnapshotReader(file)
      header = reader.header
      reader.skipToEnd()
      return { file: name, sizeBytes, header, problem: undefined }
    } catch (error) {
      if (!(error instanceof TidewheelError)) throw error
      return { file: name, sizeBytes, header, problem: error }
    }
  } finally {
    file.close()
  }
}
