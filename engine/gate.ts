/**
 * The gate: no answer leaves before everything that it was decided on is on disk.
 *
 * The processor hands over, after each batch, the event ring's position and the lane whose receipts
 * it wrote; when all gating positions have passed it, the gate makes the receipts visible. Answers
 * that are not receipts (queries, synced reads) wait in the same order.
 */
import { assert } from '../journal/errors.js'
import { Fifo } from './fifo.js'
import type { Lane } from './lane.js'

/** Progress that answers wait for: the journaler's synced position, later also a replicator's. */
export interface GatingPosition {
  /** Absolute position in the event ring; grows only. */
  syncedPosition(): number
}

/** Batches in flight. When as many are, the processor takes no further batch. */
const BATCHES_IN_FLIGHT_MAX = 4096
const MASK = BATCHES_IN_FLIGHT_MAX - 1
assert((BATCHES_IN_FLIGHT_MAX & MASK) === 0, 'the gate counts batches modulo a power of two')

interface Waiter {
  readonly position: number
  readonly release: () => void
  readonly fail: () => void
}

export class Gate {
  private readonly gating: readonly GatingPosition[]
  private readonly positions = new Float64Array(BATCHES_IN_FLIGHT_MAX)
  private readonly receiptPositions = new Float64Array(BATCHES_IN_FLIGHT_MAX)
  private readonly tickets = new Float64Array(BATCHES_IN_FLIGHT_MAX)
  private readonly lanes: (Lane | undefined)[] = new Array(BATCHES_IN_FLIGHT_MAX).fill(undefined)
  private head = 0
  private tail = 0
  private readonly waiters = new Fifo<Waiter>()

  constructor(gating: readonly GatingPosition[]) {
    this.gating = gating
  }

  get isFull(): boolean {
    return this.tail - this.head === BATCHES_IN_FLIGHT_MAX
  }

  get isEmpty(): boolean {
    return this.head === this.tail && this.waiters.length === 0
  }

  /** Whether answers of `lane` still wait. */
  holds(lane: Lane): boolean {
    return this.lanes.includes(lane)
  }

  /** Receipts of `lane` up to its last written one may leave when `position` is synced. */
  holdReceipts(position: number, lane: Lane): void {
    assert(!this.isFull, 'the processor looks at isFull before it takes a batch')
    const index = this.tail & MASK
    this.positions[index] = position
    this.receiptPositions[index] = lane.receipts.claimed
    this.tickets[index] = lane.tickets
    this.lanes[index] = lane
    this.tail++
  }

  /** Calls `release` when `position` is synced: at once, if it is. Or `fail`, if it never will be. */
  hold(position: number, release: () => void, fail: () => void): void {
    if (position <= this.gatingPosition()) release()
    else this.waiters.push({ position, release, fail })
  }

  /** Nothing is released any more. */
  fail(): void {
    this.head = this.tail
    for (const waiter of this.waiters.drain()) waiter.fail()
  }

  /** Lets out what may leave; returns whether there was anything. */
  release(): boolean {
    if (this.isEmpty) return false
    const passed = this.gatingPosition()
    const before = this.head
    while (this.head < this.tail && this.positions[this.head & MASK]! <= passed) {
      const index = this.head & MASK
      const lane = this.lanes[index]!
      this.lanes[index] = undefined
      this.head++
      const position = this.receiptPositions[index]!
      if (lane.receipts.publishCounted(position, this.tickets[index]!)) lane.producerDoorbell.ring()
    }
    return this.releaseWaiters(passed) || this.head !== before
  }

  /** The lowest gating position. */
  gatingPosition(): number {
    let lowest = Number.MAX_SAFE_INTEGER
    for (const source of this.gating) lowest = Math.min(lowest, source.syncedPosition())
    return lowest
  }

  private releaseWaiters(passed: number): boolean {
    const { waiters } = this
    let first = waiters.first
    const isAny = first !== undefined && first.position <= passed
    while (first !== undefined && first.position <= passed) {
      waiters.shift().release()
      first = waiters.first
    }
    return isAny
  }
}
