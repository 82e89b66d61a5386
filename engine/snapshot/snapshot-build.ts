/**
 * Makes a snapshot from files: the newest good one, and the sealed segments behind it, replayed to
 * the end of the last. The engine that writes the journal goes on meanwhile; nothing of its state is
 * looked at. Every block on the way must be the one that the hash before it leads to.
 */
import { type BlockHeader, blockHash } from '../../journal/block-header.js'
import { BLOCK_HEADER_BYTES, HASH_BYTES } from '../../journal/block-layout.js'
import { assert, TidewheelError } from '../../journal/errors.js'
import { scanJournal } from '../../journal/journal-scan.js'
import type { ReadWindow } from '../../journal/read-window.js'
import { listSegments, type SegmentFile } from '../../journal/segment-file.js'
import { findSegmentSetProblem } from '../../journal/segment-set.js'
import { removeOldSnapshots } from '../../journal/snapshot-files.js'
import { snapshotName } from '../../journal/snapshot-layout.js'
import { SnapshotWriter } from '../../journal/snapshot-writer.js'
import type { Storage } from '../../journal/storage.js'
import type { Domain } from '../domain.js'
import { Replay } from '../replay.js'
import { stateFingerprint } from './state-fingerprint.js'
import { StateRestore } from './state-restore.js'
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
  const direct = window.isAligned
  const all = listSegments(storage, window, { direct })
  const segments = all.filter(({ number }) => number <= sealedSegment)
  const problem = findSegmentSetProblem(segments, undefined)
  if (problem !== undefined) throw damaged(problem.message, problem.file, 0)
  const journalId = segments[0]?.header?.journalId
  assert(segments.length === sealedSegment && journalId !== undefined, 'sealed segments are there')

  const saved = new StateRestore(storage, domain)
  const { start, snapshot } = saved.restore(journalId, segments, window)
  const replay = new Replay(saved.runtime, saved.catalogue)
  let lastHash = saved.header?.blockHash ?? new Uint8Array(HASH_BYTES)
  let last: BlockHeader | undefined
  const scan = scanJournal(
    storage,
    segments,
    window,
    (view, frameOffset, payloadBytes, header) => {
      refuseOther(header, lastHash, segments)
      lastHash = hashOf(view, frameOffset, payloadBytes)
      replay.visit(view, frameOffset, payloadBytes)
      last = header
    },
    start,
    { direct },
  )
  const { stop } = scan
  if (stop !== undefined) {
    throw damaged(stop.problem, segments[stop.segmentIndex]?.name ?? '', stop.fileOffset)
  }
  if (last === undefined) {
    assert(snapshot !== undefined, 'a sealed segment has a block')
    return snapshot.file
  }
  return write(storage, saved, replay, { journalId, last, lastHash, keep })
}

interface SnapshotPlace {
  readonly journalId: Uint8Array
  readonly last: BlockHeader
  readonly lastHash: Uint8Array
  readonly keep: number
}

function write(
  storage: Storage,
  { runtime }: StateRestore,
  { catalogue }: Replay,
  { journalId, last, lastHash, keep }: SnapshotPlace,
): string {
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

/** The block, or the one before it, is not what was written there. */
function refuseOther(
  header: BlockHeader,
  lastHash: Uint8Array,
  segments: readonly SegmentFile[],
): void {
  if (Buffer.compare(header.previousHash, lastHash) === 0) return
  const file = segments[header.segmentNumber - 1]?.name ?? ''
  const problem = `block ${header.blockNumber} does not follow the one before it`
  throw damaged(problem, file, header.fileOffset)
}

function hashOf(view: DataView, frameOffset: number, payloadBytes: number): Uint8Array {
  const begin = view.byteOffset + frameOffset - BLOCK_HEADER_BYTES
  return blockHash(new Uint8Array(view.buffer, begin, BLOCK_HEADER_BYTES + payloadBytes))
}

function damaged(problem: string, file: string, offset: number): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `no snapshot can be made: ${problem}. Run \`tidewheel verify\`, and bring the file back from a backup or a replica`,
    { file, offset },
  )
}
