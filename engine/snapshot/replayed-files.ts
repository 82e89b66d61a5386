/**
 * The state that the files of a journal give: the newest good snapshot, and every block behind it, up
 * to the end of the last segment or a place before it. The engine that writes the journal goes on
 * meanwhile; nothing of its state is looked at. Every block on the way must be the one that the hash
 * before it leads to.
 */
import { type BlockHeader, blockHash } from '../../journal/block-header.js'
import { BLOCK_HEADER_BYTES, HASH_BYTES } from '../../journal/block-layout.js'
import { assert, TidewheelError } from '../../journal/errors.js'
import { scanJournal } from '../../journal/journal-scan.js'
import type { ReadBound } from '../../journal/known-segments.js'
import type { ReadWindow } from '../../journal/read-window.js'
import type { UsedSnapshot } from '../../journal/recovery-report.js'
import { listSegments, type SegmentFile } from '../../journal/segment-file.js'
import { findSegmentSetProblem } from '../../journal/segment-set.js'
import type { Storage } from '../../journal/storage.js'
import type { Domain } from '../domain.js'
import type { DomainRuntime } from '../domain-runtime.js'
import { Replay } from '../replay.js'
import { StateRestore } from './state-restore.js'

export interface ReplayedFiles {
  readonly runtime: DomainRuntime
  readonly replay: Replay
  readonly journalId: Uint8Array
  /** That the state began with; undefined: with nothing. */
  readonly snapshot: UsedSnapshot | undefined
  /** That were replayed. */
  readonly events: number
  /** Of the last block that was replayed; undefined: there is none behind the snapshot. */
  readonly last: BlockHeader | undefined
  readonly lastHash: Uint8Array
}

/**
 * @param end where everything before is known to be on disk, and nothing is written any more
 * @throws TidewheelError JOURNAL_DAMAGED, and what replay throws
 */
export function replayFiles(
  storage: Storage,
  domain: Domain,
  end: ReadBound,
  window: ReadWindow,
): ReplayedFiles {
  const direct = window.isAligned
  const { segmentNumber, fileOffset } = end
  const all = listSegments(storage, window, { direct })
  const whole = all.filter(({ number }) => number <= segmentNumber)
  const problem = findSegmentSetProblem(whole, undefined)
  if (problem !== undefined) throw damaged(problem.message, problem.file, 0)
  const journalId = whole[0]?.header?.journalId
  assert(whole.length === segmentNumber && journalId !== undefined, 'segments in use are there')
  const segments = whole.map((segment) => cutAt(segment, segmentNumber, fileOffset))

  const saved = new StateRestore(storage, domain)
  const { start, snapshot } = saved.restore(journalId, segments, window)
  const replay = new Replay(saved.runtime, saved.catalogue)
  let lastHash = saved.header?.blockHash ?? new Uint8Array(HASH_BYTES)
  let last: BlockHeader | undefined
  const { stop, events } = scanJournal(
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
  if (stop !== undefined) {
    throw damaged(stop.problem, segments[stop.segmentIndex]?.name ?? '', stop.fileOffset)
  }
  return { runtime: saved.runtime, replay, journalId, snapshot, events, last, lastHash }
}

/** The segment as if it ended there, where it is the last one. */
function cutAt(segment: SegmentFile, lastNumber: number, fileOffset: number): SegmentFile {
  if (segment.number < lastNumber || segment.sizeBytes <= fileOffset) return segment
  return { ...segment, sizeBytes: fileOffset }
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
    `the files cannot be replayed: ${problem}. Run \`tidewheel verify\`, and bring the file back from a backup or a replica`,
    { file, offset },
  )
}
