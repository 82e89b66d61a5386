/**
 * Makes the index of a segment from its file: walks the blocks, and writes what it found beside it.
 * As with a manifest the file is whole or not there: temporary name, sync, rename, sync of the
 * directory.
 */
import { BlockChecker } from './block-check.js'
import { type BlockHeader, blockHash } from './block-header.js'
import { BLOCK_HEADER_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { FrameCursor } from './frames.js'
import { JournalTypes } from './journal-types.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import { CATALOGUE_RECORD } from './record-layout.js'
import { inspectSegment } from './segment-file.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { Storage } from './storage.js'
import { StreamIndexEncoder } from './stream-index-encoder.js'
import { indexName, isUnfinishedIndex, temporaryIndexName } from './stream-index-layout.js'

interface EncodedIndex {
  readonly bytes: Uint8Array
  /** Of the last block that was found good. */
  readonly lastHash: Uint8Array
}

/**
 * Durable when it returns.
 * @param lastHash of the segment's last block, as the next segment has it, hexadecimal
 * @param window with memory for direct reads
 * @throws TidewheelError JOURNAL_DAMAGED when the segment does not end with that block
 */
export function buildStreamIndex(
  storage: Storage,
  segmentNumber: number,
  lastHash: string,
  window: ReadWindow,
): void {
  const index = encodeStreamIndex(storage, segmentNumber, window, { direct: true })
  if (Buffer.from(index.lastHash).toString('hex') !== lastHash) {
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      'the segment does not end with the block that the next one follows; run `tidewheel verify`',
      { file: segmentName(segmentNumber) },
    )
  }
  writeIndex(storage, segmentNumber, index.bytes)
}

/**
 * The index of all good blocks from the segment's start on.
 * @throws TidewheelError JOURNAL_DAMAGED for a segment that cannot be read, or without a good block
 */
export function encodeStreamIndex(
  storage: Storage,
  segmentNumber: number,
  window: ReadWindow,
  options: { direct?: boolean } = {},
): EncodedIndex {
  const segment = inspectSegment(storage, segmentName(segmentNumber), window, options)
  const file = openSegment(storage, segment.name, options)
  try {
    const checker = new BlockChecker(0, 0)
    checker.enterSegment(segment)
    window.enter(file)
    const encoder = new StreamIndexEncoder()
    const walk = new BlockWalk(encoder)
    let last: BlockHeader | undefined
    let fileOffset = SEGMENT_DATA
    while (checker.check(window, fileOffset) === 'good') {
      last = checker.header as BlockHeader
      walk.take(window.view, checker.frameOffset, last)
      fileOffset += checker.advance()
    }
    if (last === undefined) throw damaged(segment.name, `it has no good block (${checker.problem})`)
    const lengthBytes = BLOCK_HEADER_BYTES + last.payloadBytes
    window.enter(file)
    const offset = window.locate(last.fileOffset, lengthBytes)
    if (offset < 0) throw damaged(segment.name, 'its last block cannot be read twice')
    const lastHash = blockHash(window.bytes.subarray(offset, offset + lengthBytes))
    return { bytes: encoder.encode(lastHash), lastHash }
  } finally {
    file.close()
  }
}

/** Nobody may be writing one meanwhile. */
export function removeUnfinishedIndexes(storage: Storage): void {
  for (const name of storage.list()) {
    if (isUnfinishedIndex(name)) storage.remove(name)
  }
}

/** Notes which streams have events in each block. */
class BlockWalk {
  private readonly encoder: StreamIndexEncoder
  private readonly cursor = new FrameCursor()
  /** Of this segment: each repeats the catalogue. */
  private readonly types = new JournalTypes()

  constructor(encoder: StreamIndexEncoder) {
    this.encoder = encoder
  }

  take(view: DataView, frameOffset: number, header: BlockHeader): void {
    const { cursor, encoder, types } = this
    cursor.reset(view, frameOffset, header.payloadBytes)
    while (cursor.nextFrame()) {
      while (cursor.nextRecord()) {
        if (cursor.isEvent) {
          const { aggregateNumber } = types.event(cursor.recordType)
          encoder.add(aggregateNumber, cursor.slot, header.fileOffset)
        } else if (cursor.recordType === CATALOGUE_RECORD) {
          types.take(view, cursor.payloadOffset, cursor.payloadBytes)
        }
      }
    }
  }
}

function writeIndex(storage: Storage, segmentNumber: number, bytes: Uint8Array): void {
  const temporary = temporaryIndexName(segmentNumber)
  if (storage.list().includes(temporary)) storage.remove(temporary)
  const file = storage.open(temporary, 'create')
  try {
    file.write(bytes, 0)
    file.sync()
  } finally {
    file.close()
  }
  storage.rename(temporary, indexName(segmentNumber))
  storage.syncDirectory()
}

function damaged(file: string, problem: string): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `the segment cannot be indexed: ${problem}. Bring the file back from a backup or a replica`,
    { file },
  )
}
