/**
 * Reads history: the blocks of a journal from a sequence on, in order, while the journal may be
 * written by this process or another one. It takes no lock and never writes.
 *
 * With a bound (a position up to which everything is synced) it looks at nothing behind it, and what
 * lies before it must be good. Without one it goes on to the end of the journal, by the same rules
 * as an opening (tail-decision.ts): what an opening would cut is the end, what it would refuse
 * throws. On a journal that is being written, the end is wherever the writer was when it was read.
 */
import { setImmediate } from 'node:timers/promises'
import { BlockChecker } from './block-check.js'
import type { BlockHeader } from './block-header.js'
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import type { ScanStop } from './journal-scan.js'
import { ReadWindow } from './read-window.js'
import { endOfNonZeroFrom, listSegments, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'
import { decideTail } from './tail-decision.js'

/** Exclusive: everything before it is synced. */
export interface ReadBound {
  readonly segmentNumber: number
  readonly fileOffset: number
}

/** What `view` shows is valid until the next block is asked for. */
export interface JournalBlock {
  readonly view: DataView
  readonly frameOffset: number
  readonly payloadBytes: number
  readonly header: BlockHeader
}

export interface ReadBlocksOptions {
  /** The first block is the one that holds this event; there is none if it is beyond the end. */
  readonly fromSequence: number
  readonly bound?: ReadBound
  /** Start with the first block of that segment: it repeats the catalogue. */
  readonly fromSegmentStart?: boolean
}

export interface JournalReaderOptions {
  /**
   * Read past the page cache. Pages of a file that is being written directly slow its writes down,
   * so the active segment of a running engine is read like this.
   */
  readonly direct?: boolean
}

/** Enough to see the header of a segment's first block. */
const FIRST_BLOCK_PIECE_BYTES = BLOCK_ALIGNMENT_BYTES
/** Other work gets a turn after this much has been read. */
const YIELD_BYTES = 4 * 1024 * 1024

/** One position in the journal, moving on. */
interface Walk {
  readonly segments: readonly SegmentFile[]
  readonly bound: ReadBound | undefined
  readonly checker: BlockChecker
  index: number
  fileOffset: number
  /** Where the segment before the current one ended. */
  previousEnd: number
  lastHeader: BlockHeader | undefined
}

export class JournalReader {
  private readonly storage: Storage
  private readonly direct: boolean
  private window: ReadWindow | undefined
  private closed = false

  constructor(storage: Storage, options: JournalReaderOptions = {}) {
    this.storage = storage
    this.direct = options.direct ?? false
  }

  /** The generators that are still open end at their next block. */
  close(): void {
    this.closed = true
    this.window = undefined
  }

  /** One at a time: all blocks that a reader hands out lie in the same buffer. */
  async *blocks(options: ReadBlocksOptions): AsyncGenerator<JournalBlock> {
    const { fromSequence, bound, fromSegmentStart = false } = options
    this.window ??= new ReadWindow(undefined, this.direct)
    const { window } = this
    const segments = this.segmentsWithin(bound, window)
    const index = this.findSegment(segments, fromSequence, window)
    // Of the segment's first block number and sequence are taken as they are.
    const checker = index === 0 ? new BlockChecker() : new BlockChecker(0, 0)
    const walk: Walk = {
      segments,
      bound,
      checker,
      index,
      fileOffset: SEGMENT_DATA,
      previousEnd: 0,
      lastHeader: undefined,
    }
    for (; walk.index < segments.length; enterNextSegment(walk)) {
      const segment = segments[walk.index] as SegmentFile
      refuseUnusable(segment)
      const file = this.storage.open(segment.name, 'read', { direct: this.direct })
      try {
        checker.enterSegment(segment)
        window.enter(file)
        let sinceYield = 0
        while (this.nextBlock(walk, file, window)) {
          const header = checker.header as BlockHeader
          const { frameOffset } = checker
          const lengthBytes = checker.advance()
          walk.fileOffset += lengthBytes
          walk.lastHeader = header
          const isWanted = header.baseSequence + header.eventCount > fromSequence
          if (isWanted || fromSegmentStart) {
            yield { view: window.view, frameOffset, payloadBytes: header.payloadBytes, header }
          }
          if (this.closed) return
          sinceYield += lengthBytes
          if (sinceYield >= YIELD_BYTES) {
            sinceYield = 0
            await setImmediate()
          }
        }
      } finally {
        file.close()
      }
    }
  }

  private segmentsWithin(bound: ReadBound | undefined, window: ReadWindow): SegmentFile[] {
    const segments = listSegments(this.storage, window, { direct: this.direct })
    const within: SegmentFile[] = []
    for (const segment of segments) {
      if (bound !== undefined && segment.number > bound.segmentNumber) break
      if (segment.number !== within.length + 1) throw missingSegment(within.length + 1)
      within.push(segment)
    }
    if (bound !== undefined && within.length < bound.segmentNumber) {
      throw missingSegment(within.length + 1)
    }
    return within
  }

  /** Index of the last segment whose first block starts at `sequence` or before. */
  private findSegment(
    segments: readonly SegmentFile[],
    sequence: number,
    window: ReadWindow,
  ): number {
    let low = 0
    let high = segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const first = this.firstSequence(segments[middle] as SegmentFile, window)
      if (first !== 0 && first <= sequence) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Base sequence of a segment's first block; 0 when there is none yet. */
  private firstSequence(segment: SegmentFile, window: ReadWindow): number {
    refuseUnusable(segment)
    const file = this.storage.open(segment.name, 'read', { direct: this.direct })
    try {
      const checker = new BlockChecker(0, 0)
      checker.enterSegment(segment)
      window.enter(file, FIRST_BLOCK_PIECE_BYTES)
      return checker.checkHeader(window, SEGMENT_DATA) === 'good'
        ? (checker.header as BlockHeader).baseSequence
        : 0
    } finally {
      file.close()
    }
  }

  /** Whether a good block lies at the position of the walk; false at the end of its segment. */
  private nextBlock(walk: Walk, file: StorageFile, window: ReadWindow): boolean {
    const segment = walk.segments[walk.index] as SegmentFile
    const { bound, checker } = walk
    const isBoundHere = bound?.segmentNumber === segment.number
    if (isBoundHere && walk.fileOffset >= bound.fileOffset) return false
    if (walk.fileOffset >= segment.sizeBytes) return false
    if (checker.check(window, walk.fileOffset) === 'good') return true
    // What is in the window may have been read before it was written.
    window.enter(file)
    if (checker.check(window, walk.fileOffset) === 'good') return true
    if (isBoundHere) throw damaged(segment, walk.fileOffset, checker.problem)
    if (endOfNonZeroFrom(file, window, walk.fileOffset) === walk.fileOffset) return false
    return this.isGoodAfterAll(walk, file, window, segment)
  }

  /** At a place that is neither zero nor good: true, or the end of the walk, or an error. */
  private isGoodAfterAll(
    walk: Walk,
    file: StorageFile,
    window: ReadWindow,
    segment: SegmentFile,
  ): boolean {
    const { checker, fileOffset, index: segmentIndex } = walk
    window.enter(file)
    const verdict = checker.check(window, fileOffset)
    if (verdict === 'good') return true
    const { problem, header, nextBlock: blockNumber } = checker
    if (walk.bound !== undefined) throw damaged(segment, fileOffset, problem)
    const stop: ScanStop = { segmentIndex, fileOffset, blockNumber, verdict, problem, header }
    const { lastHeader } = walk
    const decision = decideTail(this.storage, walk.segments, { stop, lastHeader }, window)
    const hasMoved = decision.kind === 'refuse' && this.hasPreviousGrown(walk, window)
    window.enter(file)
    // A writer may have finished this block, and later ones, meanwhile.
    if (!hasMoved && checker.check(window, fileOffset) === 'good') return true
    if (decision.kind === 'refuse' && !hasMoved) throw damaged(segment, fileOffset, decision.reason)
    walk.index = walk.segments.length
    return false
  }

  /** Whether a writer has gone on in the segment before, after its end was seen here. */
  private hasPreviousGrown(walk: Walk, window: ReadWindow): boolean {
    const previous = walk.segments[walk.index - 1]
    if (previous === undefined || walk.previousEnd === 0) return false
    const file = this.storage.open(previous.name, 'read', { direct: this.direct })
    try {
      window.enter(file)
      const checker = new BlockChecker(walk.checker.nextBlock, walk.checker.nextSequence)
      checker.enterSegment(previous)
      return checker.check(window, walk.previousEnd) === 'good'
    } finally {
      file.close()
    }
  }
}

function enterNextSegment(walk: Walk): void {
  walk.previousEnd = walk.fileOffset
  walk.fileOffset = SEGMENT_DATA
  walk.index++
}

function refuseUnusable(segment: SegmentFile): void {
  if (segment.problem !== '') throw damaged(segment, 0, segment.problem)
}

function damaged(segment: SegmentFile, offset: number, problem: string): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `the journal cannot be read on from here: ${problem}. Bring the file back from a backup or a replica`,
    { file: segment.name, offset },
  )
}

function missingSegment(number: number): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `segment ${number} of the journal is missing; bring the file back from a backup or a replica`,
    { file: segmentName(number) },
  )
}
