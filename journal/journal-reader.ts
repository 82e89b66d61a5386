/**
 * Reads history: the blocks of a journal from a sequence on, in order, while the journal may be
 * written by this process or another one. It takes no lock and never writes.
 *
 * With a bound (a position up to which everything is synced) it looks at nothing behind it, and what
 * lies before it must be good. Without one it goes on to the end of the journal, by the same rules
 * as an opening (tail-decision.ts): what an opening would cut is the end, what it would refuse
 * throws. On a journal that is being written, the end is wherever the writer was when it was read.
 *
 * Asked for one stream, it passes over what the indexes of sealed segments say is not wanted.
 */
import { setImmediate } from 'node:timers/promises'
import { BlockChecker } from './block-check.js'
import type { BlockHeader } from './block-header.js'
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import type { ScanStop } from './journal-scan.js'
import { damagedSegment, KnownSegments, type ReadBound, refuseUnusable } from './known-segments.js'
import { ReadWindow } from './read-window.js'
import { endOfNonZeroFrom, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'
import type { StreamIndexes, StreamPlace } from './stream-indexes.js'
import { decideTail } from './tail-decision.js'

export type { ReadBound } from './known-segments.js'

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
  /**
   * At least the blocks that have events of this stream, with as few others as `indexes` allow. It
   * needs a bound.
   */
  readonly stream?: StreamPlace
}

export interface JournalReaderOptions {
  /**
   * Read past the page cache. Pages of a file that is being written directly slow its writes down,
   * so the active segment of a running engine is read like this.
   */
  readonly direct?: boolean
  /** What several readers of one journal share. Default: its own. */
  readonly known?: KnownSegments
  readonly indexes?: StreamIndexes
}

/** Other work gets a turn after this much has been read. */
const TURN_BYTES = 4 * 1024 * 1024
/** Looking into an index takes about as long as reading so much. */
const LOOKUP_BYTES = 64 * 1024
/**
 * Listed blocks that lie farther apart than this are read one by one, else everything from the
 * first to the last in large pieces: two small direct reads take as long as one of this size.
 */
const SPARSE_BYTES = 256 * 1024

/** The blocks of a sealed segment that an index lists. */
interface Listed {
  readonly fileOffsets: readonly number[]
  next: number
  /** Of the segment's last block: what the index was made for. */
  readonly lastHash: Uint8Array
}

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
  /** Undefined: all blocks of the current segment. */
  listed: Listed | undefined
  /** Bytes read since other work had its turn. */
  sinceTurn: number
}

export class JournalReader {
  private readonly storage: Storage
  private readonly direct: boolean
  private readonly known: KnownSegments
  private readonly indexes: StreamIndexes | undefined
  private window: ReadWindow | undefined
  private closed = false

  constructor(storage: Storage, options: JournalReaderOptions = {}) {
    this.storage = storage
    this.direct = options.direct ?? false
    this.known = options.known ?? new KnownSegments(storage, this.direct)
    this.indexes = options.indexes
  }

  /** The generators that are still open end at their next block. */
  close(): void {
    this.closed = true
    this.window = undefined
  }

  /** One at a time: all blocks that a reader hands out lie in the same buffer. */
  async *blocks(options: ReadBlocksOptions): AsyncGenerator<JournalBlock> {
    const { fromSequence, fromSegmentStart = false, stream } = options
    this.window ??= new ReadWindow(undefined, this.direct)
    const { window } = this
    const walk = this.start(options, window)
    const { segments, checker } = walk
    for (; walk.index < segments.length; enterNextSegment(walk)) {
      const segment = segments[walk.index] as SegmentFile
      refuseUnusable(segment)
      if (stream !== undefined) walk.listed = this.listBlocks(walk, segment, stream, window)
      if (walk.listed !== undefined && isTurnOver(walk, LOOKUP_BYTES)) await setImmediate()
      if (this.closed) return
      if (walk.listed?.fileOffsets.length === 0) continue
      const file = this.known.open(segment)
      try {
        checker.enterSegment(segment)
        window.enter(file, isSparse(walk.listed) ? BLOCK_ALIGNMENT_BYTES : undefined)
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
          if (isTurnOver(walk, lengthBytes)) await setImmediate()
        }
      } finally {
        file.close()
      }
    }
  }

  private start({ fromSequence, bound }: ReadBlocksOptions, window: ReadWindow): Walk {
    const segments = this.known.within(bound, window)
    const index = this.known.find(segments, fromSequence, bound, window)
    return {
      segments,
      bound,
      // Of the segment's first block number and sequence are taken as they are.
      checker: index === 0 ? new BlockChecker() : new BlockChecker(0, 0),
      index,
      fileOffset: SEGMENT_DATA,
      previousEnd: 0,
      lastHeader: undefined,
      listed: undefined,
      sinceTurn: 0,
    }
  }

  /** What the index of the segment says, if the segment is sealed and has a good one. */
  private listBlocks(
    walk: Walk,
    segment: SegmentFile,
    stream: StreamPlace,
    window: ReadWindow,
  ): Listed | undefined {
    const { indexes } = this
    if (indexes === undefined) return undefined
    const lastHash = this.known.lastHashOf(segment, walk.segments, walk.bound, window)
    const fileOffsets = lastHash && indexes.find(segment, lastHash, stream)
    return fileOffsets && { fileOffsets, next: 0, lastHash }
  }

  /** Whether a good block lies at the position of the walk; false at the end of its segment. */
  private nextBlock(walk: Walk, file: StorageFile, window: ReadWindow): boolean {
    const segment = walk.segments[walk.index] as SegmentFile
    const { bound, checker, listed } = walk
    if (listed !== undefined) return this.nextListed(walk, listed, file, window)
    const isBoundHere = bound?.segmentNumber === segment.number
    if (isBoundHere && walk.fileOffset >= bound.fileOffset) return false
    if (walk.fileOffset >= segment.sizeBytes) return false
    if (checker.check(window, walk.fileOffset) === 'good') return true
    // What is in the window may have been read before it was written.
    window.enter(file)
    if (checker.check(window, walk.fileOffset) === 'good') return true
    if (isBoundHere) throw damagedSegment(segment, walk.fileOffset, checker.problem)
    if (endOfNonZeroFrom(file, window, walk.fileOffset) === walk.fileOffset) return false
    return this.isGoodAfterAll(walk, file, window, segment)
  }

  /** Whether there is one more block that the index lists. */
  private nextListed(walk: Walk, listed: Listed, file: StorageFile, window: ReadWindow): boolean {
    const { checker } = walk
    const fileOffset = listed.fileOffsets[listed.next++]
    if (fileOffset === undefined) return false
    const { nextBlock, nextSequence } = checker
    if (fileOffset !== walk.fileOffset) forgetPlace(checker)
    if (checker.check(window, fileOffset) === 'good') {
      walk.fileOffset = fileOffset
      return true
    }
    // Index or segment is wrong: from the last good block on, the segment itself says which.
    const segment = walk.segments[walk.index] as SegmentFile
    const problem = `it lists a block at ${fileOffset} that is not good: ${checker.problem}`
    this.indexes?.refuse(segment, listed.lastHash, problem)
    checker.nextBlock = nextBlock
    checker.nextSequence = nextSequence
    walk.listed = undefined
    window.enter(file)
    return this.nextBlock(walk, file, window)
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
    if (walk.bound !== undefined) throw damagedSegment(segment, fileOffset, problem)
    const stop: ScanStop = { segmentIndex, fileOffset, blockNumber, verdict, problem, header }
    const { lastHeader } = walk
    const decision = decideTail(this.storage, walk.segments, { stop, lastHeader }, window)
    const hasMoved = decision.kind === 'refuse' && this.hasPreviousGrown(walk, window)
    window.enter(file)
    // A writer may have finished this block, and later ones, meanwhile.
    if (!hasMoved && checker.check(window, fileOffset) === 'good') return true
    if (decision.kind === 'refuse' && !hasMoved)
      throw damagedSegment(segment, fileOffset, decision.reason)
    walk.index = walk.segments.length
    return false
  }

  /** Whether a writer has gone on in the segment before, after its end was seen here. */
  private hasPreviousGrown(walk: Walk, window: ReadWindow): boolean {
    const previous = walk.segments[walk.index - 1]
    if (previous === undefined || walk.previousEnd === 0) return false
    const file = this.known.open(previous)
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
  // Blocks may have been passed over.
  if (walk.listed !== undefined) forgetPlace(walk.checker)
  walk.listed = undefined
  walk.previousEnd = walk.fileOffset
  walk.fileOffset = SEGMENT_DATA
  walk.index++
}

/** The next good block settles number and sequence. */
function forgetPlace(checker: BlockChecker): void {
  checker.nextBlock = 0
  checker.nextSequence = 0
}

function isTurnOver(walk: Walk, readBytes: number): boolean {
  walk.sinceTurn += readBytes
  if (walk.sinceTurn < TURN_BYTES) return false
  walk.sinceTurn = 0
  return true
}

function isSparse(listed: Listed | undefined): boolean {
  if (listed === undefined) return false
  const { fileOffsets } = listed
  const first = fileOffsets[0] ?? 0
  const last = fileOffsets.at(-1) ?? 0
  return last - first >= (fileOffsets.length - 1) * SPARSE_BYTES
}
