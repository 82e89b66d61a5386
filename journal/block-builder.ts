/**
 * Builds the blocks of one session, each chained to the one before by its number and hash. It does
 * not write them: the journaler does, and tells.
 *
 *   header │ preamble (first block of a segment) │ frames │ zeros up to 4 KiB
 *
 *   build ─▶ (the journaler writes it) ─▶ written ─▶ (and releases it) ─▶ chain
 *
 * The hash comes last: only the next header needs it, so no answer has to wait for it.
 */
import type { ActiveSegment } from './active-segment.js'
import { blockHash, writeBlockHeader } from './block-header.js'
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  DURABILITY_DISK,
  DURABILITY_OS,
  paddedBlockBytes,
} from './block-layout.js'
import type { JournalEnd } from './journal-end.js'
import { SEGMENT_DATA } from './segment-layout.js'
import { alignedBuffer } from './storage.js'
import { countSystemFrames } from './system-frame.js'

/** Where a block goes, and what its header says of the blocks before it. */
export interface BlockPlace {
  readonly segment: ActiveSegment
  readonly fileOffset: number
  /** The last block known to be synced. */
  readonly syncedThrough: number
}

export class BlockBuilder {
  /** Of the last block written. */
  blockNumber: number
  sequence: number
  private readonly journalId: Uint8Array
  private readonly epoch: number
  private readonly durability: number
  private readonly preamble: Uint8Array
  private readonly preambleFrameCount: number
  private readonly staging = alignedBuffer(BLOCK_BYTES_MAX)
  /** Of the last block written and chained. */
  previousHash: Uint8Array
  /** Of the block that was built last: header and frames. */
  private unpaddedBytes = 0
  private eventCount = 0

  constructor(end: JournalEnd, preamble: Uint8Array, durability: 'disk' | 'os') {
    this.journalId = end.journalId
    this.epoch = end.epoch
    this.blockNumber = end.blockNumber
    this.sequence = end.sequence
    this.previousHash = end.previousHash
    this.durability = durability === 'disk' ? DURABILITY_DISK : DURABILITY_OS
    this.preamble = preamble
    this.preambleFrameCount = countSystemFrames(preamble)
  }

  /** The preamble, where the block at this place is the first of its segment. */
  preambleBytes(fileOffset: number): number {
    return fileOffset === SEGMENT_DATA ? this.preamble.byteLength : 0
  }

  /** The whole block, padding included, in memory that the next one overwrites. */
  build(
    frames: Uint8Array,
    frameCount: number,
    eventCount: number,
    { segment, fileOffset, syncedThrough }: BlockPlace,
  ): Uint8Array {
    const { staging } = this
    const preambleBytes = this.preambleBytes(fileOffset)
    if (preambleBytes > 0) staging.set(this.preamble, BLOCK_HEADER_BYTES)
    staging.set(frames, BLOCK_HEADER_BYTES + preambleBytes)
    const payloadBytes = preambleBytes + frames.byteLength
    const blockBytes = paddedBlockBytes(payloadBytes)
    this.unpaddedBytes = BLOCK_HEADER_BYTES + payloadBytes
    this.eventCount = eventCount
    staging.fill(0, this.unpaddedBytes, blockBytes)
    const header = {
      durability: this.durability,
      journalId: this.journalId,
      epoch: this.epoch,
      segmentNumber: segment.number,
      blockNumber: this.blockNumber + 1,
      baseSequence: this.sequence + 1,
      frameCount: frameCount + (preambleBytes > 0 ? this.preambleFrameCount : 0),
      eventCount,
      payloadBytes,
      fileOffset,
      previousHash: this.previousHash,
      syncedThrough,
    }
    writeBlockHeader(staging.subarray(0, this.unpaddedBytes), header, segment.salt)
    return staging.subarray(0, blockBytes)
  }

  /** The block that was built last is out: the next one follows it. */
  written(): void {
    this.blockNumber += 1
    this.sequence += this.eventCount
  }

  /** Computes the hash of the block that was built last, before the next one is built. */
  chain(): void {
    this.previousHash = blockHash(this.staging.subarray(0, this.unpaddedBytes))
  }
}
