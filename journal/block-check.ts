/**
 * Decides whether the bytes at a position are the block that belongs there. It carries what the
 * blocks before have settled: number, sequence, epoch.
 *
 *   good        everything that can be checked without the hash chain is right
 *   unreadable  header or payload fail their checksum: what a torn write leaves, or damage
 *   misplaced   intact, but another block than belongs here, or frames that do not hold together:
 *               no torn write leaves that
 */
import { crc32 } from 'node:zlib'
import { type BlockHeader, readBlockHeader } from './block-header.js'
import { BLOCK_HEADER_BYTES, paddedBlockBytes } from './block-layout.js'
import { frameProblem } from './frames.js'
import type { ReadWindow } from './read-window.js'
import { type SegmentFile, withPlace } from './segment-file.js'
import type { SegmentHeader } from './segment-header.js'
import { isZero } from './zero-check.js'

export type BlockVerdict = 'good' | 'unreadable' | 'misplaced'

export class BlockChecker {
  /** Of the next block; 0: not known, so the next good block settles it. */
  nextBlock: number
  nextSequence: number
  /** Lowest that the next block may have. */
  epoch = 1

  /** Of the block checked last, where it could be read. */
  header: BlockHeader | undefined
  /** Of its frames, in the window's view. */
  frameOffset = 0
  /** Why it is not good. */
  problem = ''
  /** Of a good block: whether the bytes up to the next multiple of 4 KiB are zero. */
  paddingIsZero = true

  private segmentName = ''
  private segment: SegmentHeader | undefined

  /** From the start of a journal, or, with 0 and 0, from a block that is not known yet. */
  constructor(nextBlock = 1, nextSequence = 1) {
    this.nextBlock = nextBlock
    this.nextSequence = nextSequence
  }

  enterSegment(file: SegmentFile): void {
    this.segmentName = file.name
    this.segment = file.header
  }

  check(window: ReadWindow, position: number): BlockVerdict {
    const verdict = this.checkHeader(window, position)
    const { header, segment } = this
    if (verdict !== 'good' || header === undefined || segment === undefined) return verdict
    return this.checkContent(window, position, header, segment)
  }

  /** Like {@link check}, for a block that is only stepped over: its frames are not looked at. */
  checkHeader(window: ReadWindow, position: number): BlockVerdict {
    this.header = undefined
    this.problem = ''
    const { segment } = this
    if (segment === undefined) return this.unreadable('its segment has no header')
    const header = readHeaderAt(window, position, segment, this.segmentName)
    if (header === undefined) return this.unreadable('its header is damaged')
    this.header = header
    const place = this.misplacement(header, segment, position)
    return place === '' ? 'good' : this.misplaced(place)
  }

  /** Takes over the good block that was checked last; returns its length on disk. */
  advance(): number {
    const header = this.header as BlockHeader
    this.nextBlock = header.blockNumber + 1
    this.nextSequence = header.baseSequence + header.eventCount
    this.epoch = header.epoch
    return paddedBlockBytes(header.payloadBytes)
  }

  private checkContent(
    window: ReadWindow,
    position: number,
    header: BlockHeader,
    segment: SegmentHeader,
  ): BlockVerdict {
    const lengthBytes = paddedBlockBytes(header.payloadBytes)
    const offset = window.locate(position, lengthBytes)
    if (offset < 0) return this.misplaced('it reaches past the end of its segment')
    this.frameOffset = offset + BLOCK_HEADER_BYTES
    const payloadEnd = this.frameOffset + header.payloadBytes
    const payload = window.bytes.subarray(this.frameOffset, payloadEnd)
    if (crc32(payload, segment.salt) !== header.payloadChecksum) {
      return this.unreadable('its payload does not match its checksum')
    }
    this.paddingIsZero = isZero(window.bytes, payloadEnd, offset + lengthBytes)
    const { frameCount, eventCount, payloadBytes } = header
    const view = window.view
    const { frameOffset } = this
    const problem = frameProblem(view, frameOffset, payloadBytes, frameCount, eventCount)
    return problem === '' ? 'good' : this.misplaced(`it holds ${problem}`)
  }

  /** Why an intact header is not the one that belongs at `position`; '' when it is. */
  private misplacement(header: BlockHeader, segment: SegmentHeader, position: number): string {
    const { blockNumber, baseSequence } = header
    if (!belongsTo(header, segment, position)) {
      return `it was written for another place (segment ${header.segmentNumber}, offset ${header.fileOffset})`
    }
    if (this.nextBlock !== 0 && blockNumber !== this.nextBlock) {
      return `it is block ${blockNumber}, where block ${this.nextBlock} belongs`
    }
    if (this.nextSequence !== 0 && baseSequence !== this.nextSequence) {
      return `its first event has sequence ${baseSequence}, where ${this.nextSequence} belongs`
    }
    if (header.epoch < this.epoch) {
      return `its epoch is ${header.epoch}, that of the block before it ${this.epoch}`
    }
    if (position + paddedBlockBytes(header.payloadBytes) > segment.sizeBytes) {
      return 'it reaches past the end of its segment'
    }
    return ''
  }

  private unreadable(problem: string): BlockVerdict {
    this.problem = problem
    return 'unreadable'
  }

  private misplaced(problem: string): BlockVerdict {
    this.problem = problem
    return 'misplaced'
  }
}

/** The intact header at a position, wherever it may have been written for. */
export function readHeaderAt(
  window: ReadWindow,
  position: number,
  segment: SegmentHeader,
  file: string,
): BlockHeader | undefined {
  const offset = window.locate(position, BLOCK_HEADER_BYTES)
  if (offset < 0) return undefined
  try {
    return readBlockHeader(window.bytes, offset, segment.salt)
  } catch (error) {
    throw withPlace(error, file, position)
  }
}

/** Whether the header was written for this position of this segment of this journal. */
export function belongsTo(header: BlockHeader, segment: SegmentHeader, position: number): boolean {
  return (
    header.fileOffset === position &&
    header.segmentNumber === segment.number &&
    Buffer.compare(header.journalId, segment.journalId) === 0
  )
}
