/**
 * Writes the answers of a lane, and what is alike once: commands that are accepted one after the
 * other with as many events each are one record (receipt-layout.ts). In a feed that is nearly a
 * batch, where a record a command was 5 % of all work (docs/decisions/0022).
 */
import { writeAccepted, writeRejected } from './receipt.js'
import { RECEIPT_FLAG_REPEATED } from './receipt-layout.js'
import type { RingProducer } from './ring/byte-ring.js'

export class ReceiptWriter {
  /** Commands of the run that is not written yet. */
  private count = 0
  private eventCount = 0
  /** Sequences of its first and its last command. */
  private firstSequence = 0
  private lastSequence = 0
  /** Journal time of the batch. */
  private time = 0
  private readonly ring: RingProducer

  constructor(ring: RingProducer) {
    this.ring = ring
  }

  /** The answers that follow are of commands that run at `time`. */
  begin(time: number): void {
    this.endRun()
    this.time = time
  }

  accepted(eventCount: number, sequence: number): void {
    const follows = sequence === this.lastSequence + eventCount && eventCount === this.eventCount
    if (this.count > 0 && follows) this.count++
    else {
      this.endRun()
      this.count = 1
      this.eventCount = eventCount
      this.firstSequence = sequence
    }
    this.lastSequence = sequence
  }

  /** The same answer as the first time. */
  acceptedBefore(eventCount: number, sequence: number, time: number): void {
    this.endRun()
    writeAccepted(this.ring, 1, eventCount, sequence, time, RECEIPT_FLAG_REPEATED)
  }

  rejected(code: Uint8Array, detail: Uint8Array, sequence: number): void {
    this.endRun()
    writeRejected(this.ring, code, detail, sequence, this.time, 0)
  }

  /** The same answer as the first time. */
  rejectedBefore(code: Uint8Array, detail: Uint8Array, sequence: number, time: number): void {
    this.endRun()
    writeRejected(this.ring, code, detail, sequence, time, RECEIPT_FLAG_REPEATED)
  }

  /** Writes what is not written yet: the batch, or this part of it, ends. */
  endRun(): void {
    const { count, eventCount, firstSequence, time } = this
    if (count === 0) return
    writeAccepted(this.ring, count, eventCount, firstSequence, time, 0)
    this.count = 0
  }
}
