/**
 * Walks the segments of a journal, from block 1 or from a block whose content is known, and hands
 * each good block to a visitor, in order. It reads only, in pieces of a few MiB into one buffer, and
 * stops at the first place where no good block follows. What that place means (the end, a torn write, damage) is for tail-decision.ts.
 *
 *   segment 1                 segment 2                        segment 3 (prepared)
 *   ┌──────┬───┬───┬───────┐  ┌──────┬───┬─────────────────┐   ┌──────┬──────────────┐
 *   │header│ 1 │ 2 │ zeros │  │header│ 3 │ ? → stop        │   │header│ zeros        │
 *   └──────┴───┴───┴───────┘  └──────┴───┴─────────────────┘   └──────┴──────────────┘
 *
 * Zeros up to the end of a segment end it; the next block is the first of the next segment.
 */

import { BlockChecker, type BlockVerdict } from './block-check.js'
import type { BlockHeader } from './block-header.js'
import { BLOCK_HEADER_BYTES } from './block-layout.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import { endOfNonZeroFrom, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'

/** Called for each good block. What `view` shows is valid until it returns. */
export type BlockVisitor = (
  view: DataView,
  frameOffset: number,
  payloadBytes: number,
  header: BlockHeader,
) => void

export interface BlockPlace {
  /** In the list of segments that was scanned. */
  readonly segmentIndex: number
  readonly fileOffset: number
  /** With padding. */
  readonly lengthBytes: number
  readonly blockNumber: number
}

/** The place where a block should be and none is. */
export interface ScanStop {
  readonly segmentIndex: number
  readonly fileOffset: number
  /** The number that the block there should have. */
  readonly blockNumber: number
  readonly verdict: Exclude<BlockVerdict, 'good'>
  readonly problem: string
  /** Of the block there, where it is intact. */
  readonly header: BlockHeader | undefined
}

export interface JournalScan {
  /** That were handed to the visitor. */
  blocks: number
  events: number
  /** Of these blocks, with padding. */
  bytes: number
  /** Of the last good block. */
  lastHeader: BlockHeader | undefined
  /** Good blocks that the last one does not declare synced, in order; the last is always one. */
  unsynced: BlockPlace[]
  /** Blocks whose padding is not zero. Nothing is lost with it. */
  damagedPadding: { place: BlockPlace; paddingOffset: number }[]
  /** Undefined: after the last good block there is nothing but zeros. */
  stop: ScanStop | undefined
}

/** The last block whose content is known already: the first one to be read, and not visited. */
export interface ScanStart {
  /** In the list of segments. */
  readonly segmentIndex: number
  readonly fileOffset: number
  readonly blockNumber: number
}

export function scanJournal(
  storage: Storage,
  segments: readonly SegmentFile[],
  window: ReadWindow,
  visit: BlockVisitor,
  start?: ScanStart,
  options: { direct?: boolean } = {},
): JournalScan {
  const checker = start === undefined ? new BlockChecker() : new BlockChecker(start.blockNumber, 0)
  const scan: JournalScan = {
    blocks: 0,
    events: 0,
    bytes: 0,
    lastHeader: undefined,
    unsynced: [],
    damagedPadding: [],
    stop: undefined,
  }
  let emptySegment = false
  const firstIndex = start?.segmentIndex ?? 0
  for (let index = firstIndex; index < segments.length && scan.stop === undefined; index++) {
    const segment = segments[index] as SegmentFile
    const file = openSegment(storage, segment.name, options)
    try {
      checker.enterSegment(segment)
      window.enter(file)
      const headerBefore = scan.lastHeader
      if (emptySegment) scanAfterEmpty(file, window, checker, scan, index)
      else scanSegment(file, segment, index, window, checker, visit, scan, start)
      emptySegment ||= scan.lastHeader === headerBefore
    } finally {
      file.close()
    }
  }
  return scan
}

function scanSegment(
  file: StorageFile,
  segment: SegmentFile,
  segmentIndex: number,
  window: ReadWindow,
  checker: BlockChecker,
  visit: BlockVisitor,
  scan: JournalScan,
  start: ScanStart | undefined,
): void {
  const startsHere = segmentIndex === start?.segmentIndex
  let fileOffset = startsHere ? start.fileOffset : SEGMENT_DATA
  while (fileOffset < segment.sizeBytes) {
    const blockNumber = checker.nextBlock
    const verdict = checker.check(window, fileOffset)
    const header = checker.header
    if (verdict !== 'good' || header === undefined) {
      const problem = checker.problem
      if (endOfNonZeroFrom(file, window, fileOffset) === fileOffset) return
      const stopVerdict = verdict === 'good' ? 'unreadable' : verdict
      scan.stop = { segmentIndex, fileOffset, blockNumber, verdict: stopVerdict, problem, header }
      return
    }
    const { frameOffset } = checker
    const paddingIsZero = checker.paddingIsZero
    const lengthBytes = checker.advance()
    const place = { segmentIndex, fileOffset, lengthBytes, blockNumber }
    scan.lastHeader = header
    forgetSynced(scan.unsynced, header.syncedThrough)
    scan.unsynced.push(place)
    if (!paddingIsZero) {
      const paddingOffset = BLOCK_HEADER_BYTES + header.payloadBytes
      scan.damagedPadding.push({ place, paddingOffset })
    }
    fileOffset += lengthBytes
    if (blockNumber === start?.blockNumber) continue
    scan.blocks++
    scan.events += header.eventCount
    scan.bytes += lengthBytes
    visit(window.view, frameOffset, header.payloadBytes, header)
  }
}

/** After a segment without blocks there must be no more: the writer leaves none out. */
function scanAfterEmpty(
  file: StorageFile,
  window: ReadWindow,
  checker: BlockChecker,
  scan: JournalScan,
  segmentIndex: number,
): void {
  if (endOfNonZeroFrom(file, window, SEGMENT_DATA) === SEGMENT_DATA) return
  window.enter(file)
  const verdict = checker.check(window, SEGMENT_DATA)
  scan.stop = {
    segmentIndex,
    fileOffset: SEGMENT_DATA,
    blockNumber: checker.nextBlock,
    verdict: verdict === 'good' ? 'misplaced' : verdict,
    problem: 'the segment before it is empty',
    header: checker.header,
  }
}

/** `unsynced` is in order of block numbers. */
function forgetSynced(unsynced: BlockPlace[], syncedThrough: number): void {
  let count = 0
  while (count < unsynced.length && (unsynced[count] as BlockPlace).blockNumber <= syncedThrough) {
    count++
  }
  if (count > 0) unsynced.splice(0, count)
}
