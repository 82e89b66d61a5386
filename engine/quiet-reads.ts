/**
 * Reads of the whole state at a place of the journal: no batch is begun until everything that is in
 * the state is in a block, so that the end of that block and the state are the same.
 *
 *   add ─▶ batches wait ─▶ the ring is synced to its end ─▶ look() ─▶ resolved, batches go on
 *
 * What waits is one or two blocks in flight, then the look itself: for something rare.
 */
import { assert } from '../journal/errors.js'
import type { EventRingWriter } from '../journal/event-ring.js'
import { type SyncedEdge, SyncedEdgeReader } from '../journal/synced-edge.js'
import { Fifo } from './fifo.js'

export interface QuietRead<T> {
  readonly value: T
  /** Where the journal ends with this very state. */
  readonly edge: SyncedEdge
  /** How long no batch was begun. */
  readonly pausedMs: number
}

interface WaitingLook {
  readonly look: (edge: SyncedEdge, pausedSinceMs: number) => void
  readonly reject: (error: unknown) => void
}

export class QuietReads {
  private readonly waiting = new Fifo<WaitingLook>()
  private readonly ring: EventRingWriter
  private readonly edge: SyncedEdgeReader
  private pausedSinceMs: number | undefined

  constructor(ring: EventRingWriter, edge: SharedArrayBuffer) {
    this.ring = ring
    this.edge = new SyncedEdgeReader(edge)
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  add<T>(look: () => T): Promise<QuietRead<T>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({
        look: (edge, pausedSinceMs) => {
          const value = look()
          resolve({ value, edge, pausedMs: performance.now() - pausedSinceMs })
        },
        reject,
      })
    })
  }

  /** Between batches. True: the next one has to wait. */
  answer(): boolean {
    if (this.isEmpty) return false
    this.pausedSinceMs ??= performance.now()
    const { ring } = this
    if (ring.syncedPosition() !== ring.publishedPosition) return true
    assert(ring.position === ring.publishedPosition, 'all frames are published between batches')
    const { look, reject } = this.waiting.shift()
    try {
      look(this.edge.read(), this.pausedSinceMs)
    } catch (error) {
      reject(error)
    }
    this.pausedSinceMs = undefined
    return false
  }

  /** The engine has stopped: what waits is not answered any more. */
  fail(reason: Error): void {
    for (const { reject } of this.waiting.drain()) reject(reason)
  }
}
