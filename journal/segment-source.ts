/**
 * Where the journaler gets its next segment from. This file has the port, and the plain
 * implementation that makes each segment when it is needed: for tests and small journals. The other
 * one, with a thread that prepares ahead, is prepared-segment-source.ts.
 */
import { createSegment, randomSalt } from './segment.js'
import { segmentName } from './segment-layout.js'
import type { Storage } from './storage.js'

export interface SegmentSource {
  /** The segment exists under its final name, durably, when this returns. */
  take(number: number): void
  /** After every block: how much of the current segment has been used. */
  consumed(bytesInCurrent: number): void
}

export class SynchronousSegmentSource implements SegmentSource {
  private readonly storage: Storage
  private readonly journalId: Uint8Array
  private readonly segmentBytes: number

  constructor(storage: Storage, journalId: Uint8Array, segmentBytes: number) {
    this.storage = storage
    this.journalId = journalId
    this.segmentBytes = segmentBytes
  }

  take(number: number): void {
    // An earlier session may have prepared it and not used it.
    if (this.storage.list().includes(segmentName(number))) return
    const { journalId, segmentBytes: sizeBytes } = this
    createSegment(this.storage, { journalId, number, sizeBytes, salt: randomSalt() }, 'zeros')
  }

  consumed(_bytesInCurrent: number): void {
    // Nothing is made ahead, so nothing is paced.
  }
}
