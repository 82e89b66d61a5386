/**
 * Decides what it means that no good block follows at a place of the journal. Only what is provably
 * torn may be cut; everything else stops the opening. It reads, and never writes.
 *
 * Block k is the one that should be at that place. "Later" is any intact block header behind it, in
 * the rest of the segment or in later segments. Block k + 1 is written at level `disk` only after
 * block k was synced, and `syncedThrough` in a header says how far that had come.
 *
 *    what is found                                                          decision
 *   ─────────────────────────────────────────────────────────────────────── ─────────
 *    0  an archived segment at this place, or later: what is archived was   REFUSE
 *       sealed and durable, and so was the first block behind it
 *    1  nothing but zeros to the end of the last segment                    END
 *    2  a later block with syncedThrough ≥ k: block k was durable           REFUSE
 *    3  the block there is intact, and not the one that belongs there,      REFUSE
 *       or its frames do not hold together: no torn write leaves that
 *    4  a later block that was written for another place, or with a         REFUSE
 *       number of k or less: moved, foreign or stale bytes
 *    5  a kept copy of exactly these bytes, some of them zeroed:            CUT
 *       an earlier opening died while it cut here
 *    6  level `os`: what was not synced may be lost, in any order           CUT
 *    7  level `disk`, a later block although k is missing                   REFUSE
 *    8  level `disk`, nothing but zeros behind the one block that can       CUT
 *       have been in flight, and no later segment with data
 *    9  level `disk`, anything else                                         REFUSE
 *
 * The level is that of the blocks at the tail: `os` if a block behind the place says so, else what
 * the last good block says, else `disk`. The rows are tried in this order.
 */
import { belongsTo, readHeaderAt } from './block-check.js'
import type { BlockHeader } from './block-header.js'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  DURABILITY_DISK,
  DURABILITY_OS,
  paddedBlockBytes,
} from './block-layout.js'
import type { JournalScan, ScanStop } from './journal-scan.js'
import { type CutPiece, findKeptCopy } from './kept-copy.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import { endOfNonZeroFrom, type SegmentFile } from './segment-file.js'
import type { SegmentHeader } from './segment-header.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'

export type TailDecision =
  | { readonly kind: 'end' }
  | { readonly kind: 'cut'; readonly reason: string; readonly pieces: readonly CutPiece[] }
  | {
      readonly kind: 'refuse'
      readonly reason: string
      readonly file: string
      readonly offset: number
    }

/** What lies at the stop and behind it. */
interface TailEvidence {
  /** Highest syncedThrough in a later header. */
  syncedThrough: number
  /** Intact blocks with a number above the missing one's. */
  laterBlocks: number
  /** Of the first intact header that cannot be where it is. */
  strayBlock: { file: string; offset: number } | undefined
  isLevelOs: boolean
  /** Everything that is not zero, a piece a segment. */
  pieces: CutPiece[]
}

type LastBlock = Pick<JournalScan, 'stop' | 'lastHeader'>

export function decideTail(
  storage: Storage,
  segments: readonly SegmentFile[],
  scan: LastBlock,
  window: ReadWindow,
): TailDecision {
  const { stop } = scan
  const archived = segments.findLast(({ isArchived }) => isArchived)?.number ?? 0
  if (stop === undefined) return decideEnd(scan, archived)
  const evidence = gatherEvidence(storage, segments, stop, window)
  const { file, offset } = placeOf(segments, stop)
  const refuse = (reason: string): TailDecision => ({ kind: 'refuse', reason, file, offset })
  const missing = `block ${stop.blockNumber} is damaged or missing (${stop.problem})`
  if (stop.segmentIndex < archived) {
    return refuse(
      `${missing}, and segment ${archived}, which is archived, proves that it was on disk`,
    )
  }
  if (evidence.syncedThrough >= stop.blockNumber) {
    return refuse(`${missing}, and a later block proves that it was on disk`)
  }
  if (stop.verdict === 'misplaced' && !isLaterBlock(stop)) {
    return refuse(`the block there is intact, but not the one that belongs there: ${stop.problem}`)
  }
  if (evidence.strayBlock !== undefined) {
    const { file: strayFile, offset: strayOffset } = evidence.strayBlock
    return refuse(
      `${missing}, and a block that does not belong there lies at ${strayOffset} of ${strayFile}`,
    )
  }
  const { pieces } = evidence
  const wasDecided = pieces.every((piece) => findKeptCopy(storage, piece, window) !== undefined)
  if (wasDecided) return { kind: 'cut', reason: 'a cut that was interrupted is finished', pieces }
  if (evidence.isLevelOs || scan.lastHeader?.durability === DURABILITY_OS) {
    const reason = `block ${stop.blockNumber} was not synced, as level 'os' allows, and did not survive (${stop.problem})`
    return { kind: 'cut', reason, pieces }
  }
  if (evidence.laterBlocks > 0) return refuse(`${missing}, and later blocks are there`)
  if (!isOneBlockInFlight(stop, pieces)) {
    return refuse(`${missing}, and there is more behind it than one unfinished write can leave`)
  }
  const reason = `the write of block ${stop.blockNumber} was not finished, so it was never answered (${stop.problem})`
  return { kind: 'cut', reason, pieces }
}

/** Nothing but zeros follows; `archived` is the last archived segment, or 0. */
function decideEnd({ lastHeader }: LastBlock, archived: number): TailDecision {
  if (archived === 0 || (lastHeader?.segmentNumber ?? 0) > archived) return { kind: 'end' }
  return {
    kind: 'refuse',
    reason: `the journal ends in segment ${archived}, which is archived, so segment ${archived + 1} had blocks, and they are missing`,
    file: segmentName(archived + 1),
    offset: SEGMENT_DATA,
  }
}

function placeOf(
  segments: readonly SegmentFile[],
  stop: ScanStop,
): { file: string; offset: number } {
  return { file: (segments[stop.segmentIndex] as SegmentFile).name, offset: stop.fileOffset }
}

/** The block at the stop is a later one, in its own place: those before it are missing. */
function isLaterBlock(stop: ScanStop): boolean {
  const { header } = stop
  return (
    header !== undefined &&
    header.blockNumber > stop.blockNumber &&
    header.fileOffset === stop.fileOffset
  )
}

function isOneBlockInFlight(stop: ScanStop, pieces: readonly CutPiece[]): boolean {
  const [piece] = pieces
  if (pieces.length !== 1 || piece === undefined) return false
  const lengthBytes =
    stop.header === undefined ? BLOCK_BYTES_MAX : paddedBlockBytes(stop.header.payloadBytes)
  return piece.segmentIndex === stop.segmentIndex && piece.to <= stop.fileOffset + lengthBytes
}

function gatherEvidence(
  storage: Storage,
  segments: readonly SegmentFile[],
  stop: ScanStop,
  window: ReadWindow,
): TailEvidence {
  const evidence: TailEvidence = {
    syncedThrough: 0,
    laterBlocks: 0,
    strayBlock: undefined,
    isLevelOs: false,
    pieces: [],
  }
  for (let index = stop.segmentIndex; index < segments.length; index++) {
    const segment = segments[index] as SegmentFile
    const from = index === stop.segmentIndex ? stop.fileOffset : SEGMENT_DATA
    const file = openSegment(storage, segment.name)
    try {
      const to = endOfNonZeroFrom(file, window, from)
      if (to === from) continue
      evidence.pieces.push({ segmentIndex: index, file: segment.name, from, to })
      if (segment.header !== undefined) {
        gatherHeaders(file, segment.header, from, to, stop, window, evidence)
      }
    } finally {
      file.close()
    }
  }
  return evidence
}

/** Blocks start at multiples of 4 KiB only, so these are all places where a header can be. */
function gatherHeaders(
  file: StorageFile,
  segment: SegmentHeader,
  from: number,
  to: number,
  stop: ScanStop,
  window: ReadWindow,
  evidence: TailEvidence,
): void {
  window.enter(file)
  for (let at = from; at + BLOCK_HEADER_BYTES <= segment.sizeBytes && at < to; ) {
    const header = readHeaderAt(window, at, segment, file.name)
    if (header !== undefined) weigh(header, segment, file.name, at, stop, evidence)
    at += BLOCK_ALIGNMENT_BYTES
  }
}

function weigh(
  header: BlockHeader,
  segment: SegmentHeader,
  file: string,
  position: number,
  stop: ScanStop,
  evidence: TailEvidence,
): void {
  const isTheBlockItself =
    segment.number === stop.header?.segmentNumber &&
    position === stop.fileOffset &&
    header.blockNumber === stop.blockNumber
  const isStray = !belongsTo(header, segment, position) || header.blockNumber <= stop.blockNumber
  if (isStray && !isTheBlockItself) {
    evidence.strayBlock ??= { file, offset: position }
    return
  }
  if (header.durability !== DURABILITY_DISK) evidence.isLevelOs = true
  if (isTheBlockItself) return
  evidence.laterBlocks++
  evidence.syncedThrough = Math.max(evidence.syncedThrough, header.syncedThrough)
}
