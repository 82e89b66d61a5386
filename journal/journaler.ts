/**
 * The journaler: takes published frames from the event ring, puts them into blocks, makes each block
 * durable with one write, and only then releases it to all who wait for it.
 *
 *   published frames ─▶ staging: header, frames, zeros ─▶ write (+ sync) ─▶ edge, ring, doorbell ─▶ hash
 *
 * Synchronous, without a thread, a timer or a clock of its own: journaler-thread.ts drives it over
 * the file system, a test over a simulated disk.
 *
 * - One block in flight: block k+1 is written when block k is durable (level 'disk') or with the
 *   system (level 'os').
 * - The first block of a session is synced at both levels: it tells whoever finds the blocks behind
 *   it lost that level 'os' lets them be. Until then there is one block in flight, whatever the level.
 * - The first failed write or sync ends it. Nothing is tried again: after one error a second sync
 *   may report success for bytes that the disk does not have.
 * - A block's hash is computed after its release: only the next header needs it.
 */
import { type ActiveSegment, openActiveSegment, refuseDeleted } from './active-segment.js'
import { BlockBuilder } from './block-builder.js'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_PAYLOAD_BYTES_MAX,
  PREAMBLE_BYTES_MAX,
  paddedBlockBytes,
} from './block-layout.js'
import type { Doorbell } from './doorbell.js'
import { DOUBLE_ZERO } from './double-zero.js'
import { assert, causeOf, TidewheelError } from './errors.js'
import type { EventRingReader } from './event-ring.js'
import { FrameRun } from './frame-run.js'
import type { JournalEnd } from './journal-end.js'
import { writeManifest } from './manifest.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { SegmentSource } from './segment-source.js'
import type { Storage } from './storage.js'
import type { SyncedEdgeWriter } from './synced-edge.js'
import { encodeSealFrame } from './system-frame.js'

/** After this time without a block, a seal makes the last one provable. */
export const SEAL_IDLE_MS = 200
/** How often it is looked whether the files are still there, while blocks are written. */
const LINK_CHECK_INTERVAL_MS = 1000
/** At level 'os'. */
export const SYNC_INTERVAL_MS = 1000

export interface JournalerOptions {
  storage: Storage
  ring: EventRingReader
  segments: SegmentSource
  edge: SyncedEdgeWriter
  doorbell: Doorbell
  end: JournalEnd
  /** System frames at the start of every segment; may be empty. */
  preamble: Uint8Array
  durability: 'disk' | 'os'
  /** False: never past the page cache. Default: true. Level 'os' never does. */
  direct?: boolean
}

export class Journaler {
  private readonly options: JournalerOptions
  private readonly isDisk: boolean
  private readonly blocks: BlockBuilder
  private readonly run = new FrameRun()
  private isUsable = true
  private segment: ActiveSegment
  private fileOffset: number
  /** Everything before it in the ring has been released. */
  private ringPosition = DOUBLE_ZERO
  /** The last block known to be synced. */
  private syncedThrough: number
  private isSealed: boolean
  private wroteSinceTick = false
  private quietSinceMs: number | undefined
  private unsyncedSinceMs: number | undefined
  private linkCheckedMs = DOUBLE_ZERO
  private mayBeDeleted = true

  constructor(options: JournalerOptions) {
    const { end, storage, preamble, ring } = options
    // Who encodes a catalogue keeps to it, and says so to the user.
    assert(preamble.byteLength <= PREAMBLE_BYTES_MAX, 'preamble and transaction share a block')
    this.options = options
    this.isDisk = options.durability === 'disk'
    this.blocks = new BlockBuilder(end, preamble, options.durability)
    this.fileOffset = end.fileOffset
    this.ringPosition = ring.syncedPosition()
    // Recovery has synced everything that it kept.
    this.syncedThrough = end.blockNumber
    this.isSealed = end.blockNumber === 0 || end.sealed === true
    this.segment = openActiveSegment(storage, end.journalId, end.segmentNumber, this.wantsDirect)
    assert(
      end.fileOffset >= SEGMENT_DATA &&
        end.fileOffset <= this.segment.sizeBytes &&
        end.fileOffset % BLOCK_ALIGNMENT_BYTES === 0,
      'the journal ends where a block may start',
    )
    options.segments.consumed(this.fileOffset)
    this.publishEdge()
    options.edge.setHead(end.previousHash)
  }

  /** Ring position up to which everything has been taken and released. */
  get position(): number {
    return this.ringPosition
  }

  /** Writes one block of what is published; false: there was nothing. */
  step(): boolean {
    this.assertUsable()
    try {
      return this.writePublished()
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** Does what is due at `nowMs`, of a clock that only goes forward. */
  tick(nowMs: number): void {
    this.assertUsable()
    try {
      this.doDuties(nowMs)
    } catch (error) {
      throw this.fail(error)
    }
  }

  /** How long after `nowMs`, the time of the last tick, the next one is due; Infinity: none is. */
  nextDutyMs(nowMs: number): number {
    if (this.wroteSinceTick) return 0
    let dueMs = Infinity
    if (!this.isSealed) dueMs = (this.quietSinceMs ?? nowMs) + SEAL_IDLE_MS
    if (this.isUnsynced) {
      dueMs = Math.min(dueMs, (this.unsyncedSinceMs ?? nowMs) + SYNC_INTERVAL_MS)
    }
    return Math.max(0, dueMs - nowMs)
  }

  /** Writes all that is published, syncs, seals, and closes the file. */
  close(): void {
    this.assertUsable()
    try {
      while (this.writePublished()) {
        // Each pass writes a block.
      }
      if (!this.isSealed) this.seal()
      if (this.isUnsynced) this.sync()
      this.isUsable = false
      this.segment.file.close()
    } catch (error) {
      throw this.fail(error)
    }
  }

  private get wantsDirect(): boolean {
    return this.isDisk && this.options.direct !== false
  }

  private get isUnsynced(): boolean {
    return this.syncedThrough < this.blocks.blockNumber
  }

  /** What an empty segment of this size takes in one block: a smaller rest makes the journal roll. */
  private get budgetBytes(): number {
    const roomBytes = this.segment.sizeBytes - SEGMENT_DATA - BLOCK_HEADER_BYTES
    return Math.min(BLOCK_PAYLOAD_BYTES_MAX, roomBytes) - this.blocks.preambleBytes(this.fileOffset)
  }

  private writePublished(): boolean {
    const { run } = this
    const { ring } = this.options
    const published = ring.publishedPosition()
    if (published === this.ringPosition) return false
    run.collect(ring, this.ringPosition, published, this.budgetBytes)
    if (run.frameCount === 0) {
      // Padding only: there is nothing to write, but its room is free again.
      assert(run.next > this.ringPosition, 'a transaction fits in a block')
      this.release(run.next)
      return true
    }
    if (!this.fits(run.bytes)) {
      this.roll()
      run.collect(ring, this.ringPosition, published, this.budgetBytes)
    }
    assert(run.frameCount > 0 && this.fits(run.bytes), 'a transaction fits in a new segment')
    const from = ring.offsetOf(run.start)
    const frames = ring.bytes.subarray(from, from + run.bytes)
    assert(frames.byteLength === run.bytes, 'a run does not go beyond the end of the ring')
    this.writeBlock(frames, run.frameCount, run.eventCount, run.next)
    this.isSealed = false
    return true
  }

  private fits(frameBytes: number): boolean {
    const blockBytes = paddedBlockBytes(this.blocks.preambleBytes(this.fileOffset) + frameBytes)
    return this.fileOffset + blockBytes <= this.segment.sizeBytes
  }

  private writeBlock(
    frames: Uint8Array,
    frameCount: number,
    eventCount: number,
    nextPosition: number,
  ): void {
    // A sealed journal has been left alone: nobody has looked since.
    if (this.mayBeDeleted || this.isSealed) refuseDeleted(this.segment)
    this.mayBeDeleted = false
    const { blocks, segment, fileOffset, syncedThrough } = this
    const isFirst = blocks.blockNumber === this.options.end.blockNumber
    const place = { segment, fileOffset, syncedThrough }
    const block = blocks.build(frames, frameCount, eventCount, place)
    segment.file.write(block, fileOffset)
    const isSyncedNow = this.isDisk || isFirst
    if (isSyncedNow && !segment.file.direct) segment.file.sync()

    blocks.written()
    this.fileOffset += block.byteLength
    this.wroteSinceTick = true
    if (isSyncedNow) this.syncedThrough = blocks.blockNumber
    this.release(nextPosition)
    // From here on nobody waits.
    blocks.chain()
    this.options.edge.setHead(blocks.previousHash)
    this.options.segments.consumed(this.fileOffset)
  }

  /** The edge first: who sees the ring's position finds an edge that is at least as far. */
  private release(nextPosition: number): void {
    const { ring, doorbell } = this.options
    this.ringPosition = nextPosition
    this.publishEdge()
    ring.releaseSynced(nextPosition)
    doorbell.ring()
  }

  private publishEdge(): void {
    const { segment, fileOffset, ringPosition, blocks } = this
    const { sequence, blockNumber } = blocks
    this.options.edge.set(segment.number, fileOffset, ringPosition, sequence, blockNumber)
  }

  /** The next segment is on disk, and known to the manifest, before a block is written to it. */
  private roll(): void {
    const { storage, segments, end } = this.options
    this.sync()
    this.segment.file.close()
    const number = this.segment.number + 1
    segments.take(number)
    writeManifest(storage, { journalId: end.journalId, highestSegment: number })
    this.segment = openActiveSegment(storage, end.journalId, number, this.wantsDirect)
    this.fileOffset = SEGMENT_DATA
  }

  private sync(): void {
    this.segment.file.sync()
    this.syncedThrough = this.blocks.blockNumber
    this.unsyncedSinceMs = undefined
  }

  /** A block whose `syncedThrough` covers all before it. */
  private seal(): void {
    if (this.isUnsynced) this.sync()
    const frame = encodeSealFrame(this.run.timeUs)
    if (!this.fits(frame.byteLength)) this.roll()
    this.writeBlock(frame, 1, 0, this.ringPosition)
    this.isSealed = true
  }

  private doDuties(nowMs: number): void {
    if (nowMs - this.linkCheckedMs >= LINK_CHECK_INTERVAL_MS) {
      this.linkCheckedMs = nowMs
      this.mayBeDeleted = true
    }
    if (this.wroteSinceTick) {
      this.wroteSinceTick = false
      this.quietSinceMs = nowMs
    }
    this.quietSinceMs ??= nowMs
    if (!this.isSealed && nowMs - this.quietSinceMs >= SEAL_IDLE_MS) this.seal()
    if (!this.isUnsynced) return
    this.unsyncedSinceMs ??= nowMs
    if (nowMs - this.unsyncedSinceMs >= SYNC_INTERVAL_MS) this.sync()
  }

  private assertUsable(): void {
    assert(this.isUsable, 'a journaler is not used after it has failed or closed')
  }

  /** Gives up for good, and says what the system said where the system is to blame. */
  private fail(error: unknown): unknown {
    this.isUsable = false
    try {
      this.segment.file.close()
    } catch {
      // The first error is the one that counts.
    }
    if (!isSystemError(error)) return error
    return new TidewheelError(
      'STORAGE_FAILED',
      `the journal could not be written: ${causeOf(error)}. The engine has stopped. Make the disk right (space, permissions, health), then open the engine again: what was answered is kept`,
      { file: segmentName(this.segment.number), offset: this.fileOffset, cause: error },
    )
  }
}

/** EIO, ENOSPC and the like; not a TidewheelError, not a bug, not one of Node's own ERR_ codes. */
function isSystemError(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TidewheelError) return false
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && !code.startsWith('ERR_')
}
