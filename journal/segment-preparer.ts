/**
 * Prepares the next segment while the current one is being filled: zeros in small pieces, paced, so
 * that the journal's own writes hardly notice. One segment ahead, never more.
 *
 *   bytes of the next segment that may be prepared ≤ 2 × consumed bytes of the current + LEAD_BYTES
 *
 * Measured on ext4: a write's 99th percentile of 250–390 µs becomes 900–1,090 µs beside zero-filling
 * in 1 MiB pieces, 340–420 µs beside 256 KiB pieces with pauses.
 *
 * Each piece goes past the page cache and none is synced by itself: 64 MiB then take 60–90 ms instead
 * of 130–740 ms, and pages in the cache would slow down the direct writes of the journal.
 *
 * It is also the guard of the disk's room. Where there is none for the next segment, it says so
 * (disk-shortage.ts), gives back what it had taken, and tries again each time it is called, without
 * the pace, since nobody writes. The shortage ends when the segment is there. What is tried again is
 * a new file: no failed write or sync is repeated.
 *
 * Synchronous and without waiting of its own: segment-preparer-thread.ts calls `step` and sleeps.
 */

import { DISK_RESERVE_BYTES, isDiskFull, shortageFor } from './disk-shortage.js'
import { preparingName, randomSalt, refuseTakenName, writeSegmentHeaders } from './segment.js'
import { segmentName } from './segment-layout.js'
import type { SegmentPreparation } from './segment-preparation.js'
import { alignedBuffer, type Storage, type StorageFile } from './storage.js'

export const PREPARATION_PIECE_BYTES = 256 * 1024
/** Ahead of the pace from the start, so that a burst right after a roll finds something. */
export const PREPARATION_LEAD_BYTES = 4 * 1024 * 1024

interface SegmentPreparerOptions {
  storage: Storage
  journalId: Uint8Array
  segmentBytes: number
  preparation: SegmentPreparation
}

interface Unfinished {
  readonly number: number
  readonly file: StorageFile
  preparedBytes: number
}

export class SegmentPreparer {
  private readonly options: SegmentPreparerOptions
  private readonly zeros = alignedBuffer(PREPARATION_PIECE_BYTES)
  private unfinished: Unfinished | undefined
  /** The journal counts on the name: what fails now is not for want of room alone. */
  private isNaming = false

  constructor(options: SegmentPreparerOptions) {
    this.options = options
  }

  /** There was no room when it last looked: to be called again after a while. */
  get isShort(): boolean {
    return this.options.preparation.shortage !== undefined
  }

  /** Does one piece of work; false: nothing to do until the journaler goes on, or there is room. */
  step(): boolean {
    try {
      return this.advance()
    } catch (error) {
      if (this.isNaming || !isDiskFull(error)) throw error
      this.giveUpForNow()
      return false
    }
  }

  /** Leaves nothing behind. Also after a failure: then errors of the clean-up say nothing new. */
  close(): void {
    if (this.unfinished !== undefined) this.abandon()
  }

  private advance(): boolean {
    const { preparation, segmentBytes } = this.options
    const { unfinished } = this
    if (unfinished === undefined) {
      const number = preparation.currentSegment + 1
      if (preparation.settledSegment >= number) return false
      if (this.lacksRoomFor(segmentBytes)) {
        this.giveUpForNow()
        return false
      }
      this.begin(number)
      return true
    }
    if (preparation.settledSegment >= unfinished.number) {
      // The journaler did not wait, and has made the segment itself.
      this.abandon()
      return true
    }
    if (unfinished.preparedBytes === segmentBytes) {
      this.finish(unfinished)
      return true
    }
    const missingBytes = segmentBytes - unfinished.preparedBytes
    if (this.lacksRoomFor(missingBytes)) {
      this.giveUpForNow()
      return false
    }
    const pieceBytes = Math.min(PREPARATION_PIECE_BYTES, missingBytes)
    const allowedBytes = 2 * preparation.consumedBytes + PREPARATION_LEAD_BYTES
    if (!this.isShort && unfinished.preparedBytes + pieceBytes > allowedBytes) return false
    unfinished.file.write(this.zeros.subarray(0, pieceBytes), unfinished.preparedBytes)
    unfinished.preparedBytes += pieceBytes
    return true
  }

  /** What was taken goes back first: a sparse segment may need it. */
  private giveUpForNow(): void {
    const { storage, preparation, segmentBytes } = this.options
    this.abandon()
    // The room may be there and the system refuse it all the same.
    const freeBytes = storage.freeBytes()
    const neededBytes = segmentBytes + this.holeBytes + DISK_RESERVE_BYTES
    preparation.setShortage({ freeBytes, neededBytes })
  }

  private lacksRoomFor(missingBytes: number): boolean {
    return shortageFor(this.options.storage, missingBytes + this.holeBytes) !== undefined
  }

  /** What the current segment has yet to take from the disk. */
  private get holeBytes(): number {
    const { preparation, segmentBytes } = this.options
    return preparation.isCurrentSparse ? segmentBytes - preparation.consumedBytes : 0
  }

  private begin(number: number): void {
    const { storage, segmentBytes } = this.options
    const name = preparingName(number, 'zeros')
    if (storage.list().includes(name)) storage.remove(name)
    const file = storage.open(name, 'create', { direct: true, syncLater: true })
    this.unfinished = { number, file, preparedBytes: 0 }
    file.truncate(segmentBytes)
  }

  private finish({ number, file }: Unfinished): void {
    const { storage, journalId, segmentBytes: sizeBytes, preparation } = this.options
    writeSegmentHeaders(file, { journalId, number, sizeBytes, salt: randomSalt() })
    file.sync()
    if (preparation.settledSegment < number) refuseTakenName(storage, number)
    if (!preparation.settle(number)) {
      this.abandon()
      return
    }
    this.isNaming = true
    this.unfinished = undefined
    file.close()
    storage.rename(preparingName(number, 'zeros'), segmentName(number))
    storage.syncDirectory()
    this.isNaming = false
    preparation.setPrepared(number)
    preparation.setShortage(undefined)
  }

  private abandon(): void {
    const { unfinished } = this
    if (unfinished === undefined) return
    this.unfinished = undefined
    unfinished.file.close()
    this.options.storage.remove(preparingName(unfinished.number, 'zeros'))
  }
}
