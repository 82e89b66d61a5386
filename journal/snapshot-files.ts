/** The snapshots of a directory, as files: which there are, and which may go. */
import { isUnfinishedSnapshot, snapshotSequenceOf } from './snapshot-layout.js'
import type { Storage } from './storage.js'

/** By their names, newest first. */
export function snapshotNames(storage: Storage): string[] {
  const names = storage.list().filter((name) => snapshotSequenceOf(name) >= 0)
  return names.sort((a, b) => snapshotSequenceOf(b) - snapshotSequenceOf(a))
}

/**
 * Removes the oldest beyond `keep`, counted from the snapshot of this sequence, which is durable.
 * Later ones are not looked at: they were not made of this journal's blocks.
 */
export function removeOldSnapshots(storage: Storage, sequence: number, keep: number): void {
  const names = snapshotNames(storage).filter((name) => snapshotSequenceOf(name) <= sequence)
  for (const name of names.slice(keep)) storage.remove(name)
}

/** Nobody may be writing one meanwhile. */
export function removeUnfinishedSnapshots(storage: Storage): void {
  for (const name of storage.list()) {
    if (isUnfinishedSnapshot(name)) storage.remove(name)
  }
}
