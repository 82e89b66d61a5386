/**
 * The segments of a journal as its readers know them: their headers, and the header of the first
 * block of each. None of these changes once it is synced, so readers with a bound that share this
 * look at each file once, however often they read. Without a bound everything is looked at anew.
 */
import { BlockChecker } from './block-check.js'
import type { BlockHeader } from './block-header.js'
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import { inspectSegment, listSegments, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'

/** Exclusive: everything before it is synced. */
export interface ReadBound {
  readonly segmentNumber: number
  readonly fileOffset: number
}

/** Enough to see the header of a segment's first block. */
const FIRST_BLOCK_PIECE_BYTES = BLOCK_ALIGNMENT_BYTES

export class KnownSegments {
  private readonly storage: Storage
  private readonly direct: boolean
  /** Of segment 1, 2, 3 … */
  private readonly segments: SegmentFile[] = []
  /** By segment number. */
  private readonly firstBlocks: (BlockHeader | undefined)[] = []

  constructor(storage: Storage, direct: boolean) {
    this.storage = storage
    this.direct = direct
  }

  /** Segments 1, 2, 3 … up to the bound. @throws TidewheelError JOURNAL_DAMAGED: one is missing */
  within(bound: ReadBound | undefined, window: ReadWindow): SegmentFile[] {
    if (bound === undefined) return this.all(window)
    const segments = this.segments.slice(0, bound.segmentNumber)
    while (segments.length < bound.segmentNumber) {
      const segment = this.inspect(segments.length + 1, window)
      const isNext = this.segments.length === segments.length
      if (isNext && segment.problem === '') this.segments.push(segment)
      segments.push(segment)
    }
    return segments
  }

  /**
   * Index of the last segment whose first block starts before `sequence`, or 0. Several segments may
   * start at `sequence` itself, as rejections under a key are blocks without events.
   */
  find(
    segments: readonly SegmentFile[],
    sequence: number,
    bound: ReadBound | undefined,
    window: ReadWindow,
  ): number {
    let low = 0
    let high = segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const first = this.firstBlock(segments[middle] as SegmentFile, bound, window)
      if (first !== undefined && first.baseSequence < sequence) low = middle
      else high = middle - 1
    }
    return low
  }

  /**
   * The hash of the segment's last block, where the next one has a block before the bound: then the
   * segment is sealed.
   */
  lastHashOf(
    segment: SegmentFile,
    segments: readonly SegmentFile[],
    bound: ReadBound | undefined,
    window: ReadWindow,
  ): Uint8Array | undefined {
    const next = segments[segment.number]
    if (next === undefined || !hasFirstBlock(next, bound)) return undefined
    return this.firstBlock(next, bound, window)?.previousHash
  }

  /** For reading. @throws TidewheelError JOURNAL_DAMAGED: it is gone */
  open({ number, name }: SegmentFile): StorageFile {
    return this.orMissing(number, () => openSegment(this.storage, name, { direct: this.direct }))
  }

  /** Header of the segment's first block; undefined when there is none yet. */
  private firstBlock(
    segment: SegmentFile,
    bound: ReadBound | undefined,
    window: ReadWindow,
  ): BlockHeader | undefined {
    const known = this.firstBlocks[segment.number]
    if (known !== undefined) return known
    refuseUnusable(segment)
    const file = this.open(segment)
    try {
      const checker = new BlockChecker(0, 0)
      checker.enterSegment(segment)
      window.enter(file, FIRST_BLOCK_PIECE_BYTES)
      if (checker.checkHeader(window, SEGMENT_DATA) !== 'good') return undefined
      // One that is not synced yet could be cut by the next opening.
      if (hasFirstBlock(segment, bound)) this.firstBlocks[segment.number] = checker.header
      return checker.header
    } finally {
      file.close()
    }
  }

  private all(window: ReadWindow): SegmentFile[] {
    const segments = listSegments(this.storage, window, { direct: this.direct })
    segments.forEach(({ number }, index) => {
      if (number !== index + 1) throw missingSegment(index + 1)
    })
    return segments
  }

  private inspect(number: number, window: ReadWindow): SegmentFile {
    const options = { direct: this.direct }
    return this.orMissing(number, () =>
      inspectSegment(this.storage, segmentName(number), window, options),
    )
  }

  private orMissing<Result>(number: number, action: () => Result): Result {
    try {
      return action()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw missingSegment(number)
    }
  }
}

export function refuseUnusable(segment: SegmentFile): void {
  if (segment.problem !== '') throw damagedSegment(segment, 0, segment.problem)
}

export function damagedSegment(
  segment: SegmentFile,
  offset: number,
  problem: string,
): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `the journal cannot be read on from here: ${problem}. Bring the file back from a backup or a replica`,
    { file: segment.name, offset },
  )
}

/** Whether the segment's first block is there and synced. */
function hasFirstBlock(segment: SegmentFile, bound: ReadBound | undefined): boolean {
  if (bound === undefined) return false
  const { segmentNumber, fileOffset } = bound
  const { number } = segment
  return number < segmentNumber || (number === segmentNumber && fileOffset > SEGMENT_DATA)
}

function missingSegment(number: number): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `segment ${number} of the journal is missing; bring the file back from a backup or a replica`,
    { file: segmentName(number) },
  )
}
