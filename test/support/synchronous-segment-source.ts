/** Makes each segment when it is needed: for journals that are written on one thread. */
import { createSegment, randomSalt } from '../../journal/segment.js'
import { segmentName } from '../../journal/segment-layout.js'
import type { SegmentSource } from '../../journal/segment-source.js'
import type { Storage } from '../../journal/storage.js'

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
