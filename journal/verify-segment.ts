/**
 * Checks everything in one segment that can be checked without the others: both copies of the
 * header, every checksum, numbers and sequences, the structure of records, the hash chain inside
 * the segment, zeros where zeros belong. After a damaged block it goes on with the next intact one.
 *
 * The result travels between threads, so it is plain data; hashes are hexadecimal.
 */
import { BlockChecker, type BlockVerdict, belongsTo, readHeaderAt } from './block-check.js'
import { type BlockHeader, blockHash } from './block-header.js'
import { BLOCK_ALIGNMENT_BYTES, BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { FrameCursor } from './frames.js'
import { alignWord } from './layout.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import { SYSTEM_COMMAND } from './record-layout.js'
import { endOfNonZeroFrom, inspectSegment, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'
import { findIndexProblem } from './verify-index.js'
import { isZero } from './zero-check.js'

export type VerifyProblemCode =
  | 'FORMAT_TOO_NEW'
  | 'HEADER_DAMAGED'
  | 'SEGMENT_DAMAGED'
  | 'SEGMENT_MISSING'
  | 'SEGMENT_FOREIGN'
  | 'BLOCK_DAMAGED'
  | 'CHAIN_BROKEN'
  | 'HEAD_MISSING'
  | 'PADDING_NOT_ZERO'
  | 'TIME_BACKWARDS'
  | 'TAIL_TORN'
  | 'MANIFEST_DAMAGED'
  | 'INDEX_WRONG'
  | 'SNAPSHOT_WRONG'
  | 'SNAPSHOT_BEYOND'

export interface VerifyProblem {
  readonly code: VerifyProblemCode
  readonly message: string
  readonly file: string
  readonly offset: number
}

export interface SegmentVerdict {
  readonly name: string
  readonly number: number
  readonly isArchived: boolean
  /** '' when the header is damaged. */
  readonly journalId: string
  readonly problems: VerifyProblem[]
  /** '' when its index is right; undefined: it has none, or has problems itself. */
  indexProblem: string | undefined
  blocks: number
  events: number
  bytes: number
  /** 0: the segment has no block. */
  firstBlock: number
  firstSequence: number
  firstEpoch: number
  firstPreviousHash: string
  firstTimeUs: number
  lastBlock: number
  lastEpoch: number
  lastHash: string
  lastTimeUs: number
  nextSequence: number
  /** After the last good block. */
  endOffset: number
  /** The block whose hash is asked for, and the last sequence at its end; 0: it is not here. */
  notedBlock: number
  notedSequence: number
}

/** A hostile file could otherwise fill the memory with sentences. */
const PROBLEMS_MAX = 100

/** @param notedHash of a block that is looked for, hexadecimal; '': none */
export function verifySegment(
  storage: Storage,
  name: string,
  window: ReadWindow,
  notedHash = '',
): SegmentVerdict {
  try {
    const verdict = verifyBlocks(storage, name, window, notedHash)
    if (verdict.problems.length === 0) {
      verdict.indexProblem = findIndexProblem(storage, verdict.number, window)
    }
    return verdict
  } catch (error) {
    if (!(error instanceof TidewheelError) || error.code !== 'FORMAT_TOO_NEW') throw error
    const verdict = emptyVerdict({ name, number: 0, isArchived: false }, '')
    const { message, offset = 0 } = error
    verdict.problems.push({ code: 'FORMAT_TOO_NEW', message, file: name, offset })
    return verdict
  }
}

/**
 * The same without the index.
 * @throws TidewheelError FORMAT_TOO_NEW
 */
export function verifyBlocks(
  storage: Storage,
  name: string,
  window: ReadWindow,
  notedHash = '',
): SegmentVerdict {
  const options = { direct: window.isAligned }
  const segment = inspectSegment(storage, name, window, options)
  return new SegmentVerifier(storage, segment, window, notedHash).verify()
}

class SegmentVerifier {
  private readonly storage: Storage
  private readonly segment: SegmentFile
  private readonly window: ReadWindow
  private readonly notedHash: string
  private readonly verdict: SegmentVerdict
  private readonly cursor = new FrameCursor()
  private checker = new BlockChecker(0, 0)
  /** Of the block before; '' when that is not known. */
  private previousHash = ''

  constructor(storage: Storage, segment: SegmentFile, window: ReadWindow, notedHash: string) {
    this.storage = storage
    this.notedHash = notedHash
    this.segment = segment
    this.window = window
    const journalId = segment.header === undefined ? '' : hex(segment.header.journalId)
    this.verdict = emptyVerdict(segment, journalId)
  }

  verify(): SegmentVerdict {
    const { segment, verdict } = this
    for (const offset of segment.damagedCopies) {
      this.report('HEADER_DAMAGED', offset, 'a copy of the segment header is damaged')
    }
    if (segment.problem !== '') this.report('SEGMENT_DAMAGED', 0, segment.problem)
    if (segment.header === undefined) return verdict
    const file = openSegment(this.storage, segment.name, { direct: this.window.isAligned })
    try {
      this.checker.enterSegment(segment)
      this.window.enter(file)
      let offset = SEGMENT_DATA
      while (offset < segment.sizeBytes) {
        const found = this.checker.check(this.window, offset)
        if (found === 'good') offset += this.takeBlock(offset)
        else offset = this.passDamage(file, offset, found)
      }
    } finally {
      file.close()
    }
    return verdict
  }

  /** Where to go on after a place without a good block. */
  private passDamage(file: StorageFile, offset: number, found: BlockVerdict): number {
    const { segment, window } = this
    const { problem, nextBlock } = this.checker
    const dataEnd = endOfNonZeroFrom(file, window, offset)
    if (dataEnd === offset) return segment.sizeBytes
    window.enter(file)
    const next = this.findIntactHeader(offset, dataEnd)
    window.enter(file)
    // A writer may have finished this block, and later ones, since it was read.
    if (this.checker.check(window, offset) === 'good') return offset
    if (next >= 0) {
      const which = nextBlock === 0 ? 'a block' : `block ${nextBlock}`
      this.report('BLOCK_DAMAGED', offset, `${which} is damaged or missing: ${problem}`)
      this.startAgain()
      return next
    }
    const mayBeTorn = found === 'unreadable' && !segment.isArchived
    const isTorn = mayBeTorn && dataEnd <= offset + BLOCK_BYTES_MAX
    this.report(
      isTorn ? 'TAIL_TORN' : 'BLOCK_DAMAGED',
      offset,
      isTorn
        ? `behind the last good block lies one that is not whole (${problem}): an unfinished write, which the next opening cuts off, or damage to the last block`
        : `behind the last good block lies something that is neither a block nor zero: ${problem}`,
    )
    return segment.sizeBytes
  }

  /** The first place from `offset` on with a block that is intact in itself, or −1. */
  private findIntactHeader(offset: number, dataEnd: number): number {
    const { segment, window } = this
    if (segment.header === undefined) return -1
    const probe = new BlockChecker(0, 0)
    probe.enterSegment(segment)
    for (let at = offset; at < dataEnd; at += BLOCK_ALIGNMENT_BYTES) {
      const header = readHeaderAt(window, at, segment.header, segment.name)
      if (header === undefined || !belongsTo(header, segment.header, at)) continue
      if (probe.check(window, at) === 'good') return at
    }
    return -1
  }

  private startAgain(): void {
    this.checker = new BlockChecker(0, 0)
    this.checker.enterSegment(this.segment)
    this.previousHash = ''
  }

  private takeBlock(offset: number): number {
    const { checker, verdict, window } = this
    const header = checker.header as BlockHeader
    const { frameOffset, paddingIsZero } = checker
    const start = frameOffset - BLOCK_HEADER_BYTES
    const hash = hex(blockHash(window.bytes.subarray(start, frameOffset + header.payloadBytes)))
    const previousHash = hex(header.previousHash)
    if (this.previousHash !== '' && previousHash !== this.previousHash) {
      this.report(
        'CHAIN_BROKEN',
        offset,
        `the hash in block ${header.blockNumber} is not that of the block before it`,
      )
    }
    if (!paddingIsZero) {
      this.report(
        'PADDING_NOT_ZERO',
        offset,
        `bytes behind block ${header.blockNumber} are not zero`,
      )
    }
    if (verdict.firstBlock === 0) {
      verdict.firstBlock = header.blockNumber
      verdict.firstSequence = header.baseSequence
      verdict.firstEpoch = header.epoch
      verdict.firstPreviousHash = previousHash
    }
    this.checkFrames(offset, frameOffset, header)
    const lengthBytes = checker.advance()
    this.previousHash = hash
    verdict.blocks++
    verdict.events += header.eventCount
    verdict.bytes += lengthBytes
    verdict.lastBlock = header.blockNumber
    verdict.lastEpoch = header.epoch
    verdict.lastHash = hash
    verdict.nextSequence = checker.nextSequence
    verdict.endOffset = offset + lengthBytes
    if (hash === this.notedHash) {
      verdict.notedBlock = header.blockNumber
      verdict.notedSequence = checker.nextSequence - 1
    }
    return lengthBytes
  }

  /** What opening leaves unchecked in frames whose structure is good. */
  private checkFrames(offset: number, frameOffset: number, header: BlockHeader): void {
    const { cursor, verdict, window } = this
    cursor.reset(window.view, frameOffset, header.payloadBytes)
    while (cursor.nextFrame()) {
      if (cursor.commandType !== SYSTEM_COMMAND) {
        const timeUs = cursor.timeUs
        if (timeUs < verdict.lastTimeUs) {
          this.report(
            'TIME_BACKWARDS',
            offset,
            `in block ${header.blockNumber} time goes backwards`,
          )
        }
        if (verdict.firstTimeUs === 0) verdict.firstTimeUs = timeUs
        verdict.lastTimeUs = timeUs
      }
      while (cursor.nextRecord()) {
        const end = cursor.recordOffset + cursor.recordBytes
        if (!isZero(window.bytes, end, alignWord(end))) {
          this.report(
            'PADDING_NOT_ZERO',
            offset,
            `bytes between records of block ${header.blockNumber} are not zero`,
          )
        }
      }
    }
  }

  private report(code: VerifyProblemCode, offset: number, message: string): void {
    const { problems, name: file } = this.verdict
    if (problems.length < PROBLEMS_MAX) problems.push({ code, message, file, offset })
  }
}

function emptyVerdict(
  { name, number, isArchived }: Pick<SegmentFile, 'name' | 'number' | 'isArchived'>,
  journalId: string,
): SegmentVerdict {
  return {
    name,
    number,
    isArchived,
    journalId,
    problems: [],
    indexProblem: undefined,
    blocks: 0,
    events: 0,
    bytes: 0,
    firstBlock: 0,
    firstSequence: 0,
    firstEpoch: 0,
    firstPreviousHash: '',
    firstTimeUs: 0,
    lastBlock: 0,
    lastEpoch: 0,
    lastHash: '',
    lastTimeUs: 0,
    nextSequence: 0,
    endOffset: SEGMENT_DATA,
    notedBlock: 0,
    notedSequence: 0,
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
