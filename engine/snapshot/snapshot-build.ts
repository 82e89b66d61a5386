/**
 * Makes a snapshot from files: the state that they give (replayed-files.ts) at the end of a sealed
 * segment. The engine that writes the journal goes on meanwhile.
 */
import type { BlockHeader } from '../../journal/block-header.js'
import { assert } from '../../journal/errors.js'
import type { ReadWindow } from '../../journal/read-window.js'
import { removeOldSnapshots } from '../../journal/snapshot-files.js'
import { snapshotName } from '../../journal/snapshot-layout.js'
import { SnapshotWriter } from '../../journal/snapshot-writer.js'
import type { Storage } from '../../journal/storage.js'
import type { Domain } from '../domain.js'
import { type ReplayedFiles, replayFiles } from './replayed-files.js'
import { stateFingerprint } from './state-fingerprint.js'
import { countKeys, writeState } from './state-writer.js'

/**
 * Durable when it returns; then the oldest beyond `keep` are removed. Nobody else may be making one.
 *
 * @param sealedSegment the last segment that nothing is written to any more
 * @returns the name of the file, which may be there already
 * @throws TidewheelError JOURNAL_DAMAGED, INVALID_DOMAIN, and what replay throws
 */
export function buildSnapshot(
  storage: Storage,
  domain: Domain,
  sealedSegment: number,
  keep: number,
  window: ReadWindow,
): string {
  const end = { segmentNumber: sealedSegment, fileOffset: Number.POSITIVE_INFINITY }
  const replayed = replayFiles(storage, domain, end, window)
  const { last, snapshot } = replayed
  if (last === undefined) {
    assert(snapshot !== undefined, 'a sealed segment has a block')
    return snapshot.file
  }
  return write(storage, replayed, last, keep)
}

function write(
  storage: Storage,
  { runtime, replay, journalId, lastHash }: ReplayedFiles,
  last: BlockHeader,
  keep: number,
): string {
  const { catalogue } = replay
  assert(catalogue !== undefined, 'each segment begins with a catalogue')
  const { domain, sequence, latestUs: timeUs } = runtime
  const { blockNumber, segmentNumber, fileOffset } = last
  const writer = new SnapshotWriter(storage, {
    journalId,
    sequence,
    blockNumber,
    segmentNumber,
    fileOffset,
    blockHash: lastHash,
    timeUs,
    fingerprint: stateFingerprint(domain),
    keys: countKeys(runtime),
  })
  try {
    writeState(runtime, catalogue, writer)
    writer.finish()
  } finally {
    writer.close()
  }
  removeOldSnapshots(storage, sequence, keep)
  return snapshotName(sequence)
}
