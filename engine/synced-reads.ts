/**
 * Reads that see all that was submitted before them, and are answered when everything that they
 * show is on disk.
 *
 *   add ─▶ every lane is empty: read() ─▶ gate: what it saw is synced ─▶ resolved
 */
import type { EventRingWriter } from '../journal/event-ring.js'
import { Fifo } from './fifo.js'
import type { Gate } from './gate.js'

interface WaitingRead {
  readonly answer: () => void
  readonly reject: (error: unknown) => void
}

export class SyncedReads {
  private readonly waiting = new Fifo<WaitingRead>()
  private readonly ring: EventRingWriter
  private readonly gate: Gate
  private readonly stopReason: () => Error

  constructor(ring: EventRingWriter, gate: Gate, stopReason: () => Error) {
    this.ring = ring
    this.gate = gate
    this.stopReason = stopReason
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  add<T>(read: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(this.stopReason())
      const answer = () => {
        const value = read()
        this.gate.hold(this.ring.position, () => resolve(value), fail)
      }
      this.waiting.push({ answer, reject })
    })
  }

  /** Between batches, when every lane is empty. */
  answer(): void {
    while (this.waiting.length > 0) {
      const { answer, reject } = this.waiting.shift()
      try {
        answer()
      } catch (error) {
        reject(error)
      }
    }
  }

  /** The engine has stopped: what waits is not answered any more. */
  fail(): void {
    for (const { reject } of this.waiting.drain()) reject(this.stopReason())
  }
}
