/**
 * A ring of records of one size between two threads, by hand: one producer, one consumer, counters in
 * shared memory that are published once a batch. Whoever finds nothing to do spins for a moment and
 * then sleeps until the other side publishes.
 */

// Elements of the control array, each with cache lines of its own.
const PUBLISHED = 0
const CONSUMED = 32
const CONSUMER_PARKED = 64
const PRODUCER_PARKED = 96
const CONTROL_BYTES = 512

const SPINS = 4_000
const SLEEP_MS = 1

export interface RecordRingMemory {
  readonly control: SharedArrayBuffer
  readonly data: SharedArrayBuffer
  readonly recordBytes: number
}

/** `records` is a power of two. */
export function createRecordRing(records: number, recordBytes: number): RecordRingMemory {
  return {
    control: new SharedArrayBuffer(CONTROL_BYTES),
    data: new SharedArrayBuffer(records * recordBytes),
    recordBytes,
  }
}

/** Records are counted from 0, and there are fewer than 2³¹ of them. */
export class RecordRing {
  readonly view: DataView
  readonly capacity: number
  private readonly cells: Int32Array
  private readonly recordBytes: number

  constructor({ control, data, recordBytes }: RecordRingMemory) {
    this.view = new DataView(data)
    this.capacity = data.byteLength / recordBytes
    this.cells = new Int32Array(control)
    this.recordBytes = recordBytes
  }

  offsetOf(record: number): number {
    return (record & (this.capacity - 1)) * this.recordBytes
  }

  published(): number {
    return Atomics.load(this.cells, PUBLISHED)
  }

  consumed(): number {
    return Atomics.load(this.cells, CONSUMED)
  }

  /** The producer's: all records before `count` are there. */
  publish(count: number): void {
    Atomics.store(this.cells, PUBLISHED, count)
    if (Atomics.load(this.cells, CONSUMER_PARKED) === 1) Atomics.notify(this.cells, PUBLISHED)
  }

  /** The consumer's: all records before `count` have been read. */
  release(count: number): void {
    Atomics.store(this.cells, CONSUMED, count)
    if (Atomics.load(this.cells, PRODUCER_PARKED) === 1) Atomics.notify(this.cells, CONSUMED)
  }

  /** The consumer's: returns when more than `known` is published, or after a while. */
  awaitPublished(known: number): void {
    this.wait(PUBLISHED, CONSUMER_PARKED, known)
  }

  /** The producer's: returns when more than `known` is consumed, or after a while. */
  awaitConsumed(known: number): void {
    this.wait(CONSUMED, PRODUCER_PARKED, known)
  }

  private wait(cell: number, parked: number, known: number): void {
    const { cells } = this
    for (let i = 0; i < SPINS; i++) if (Atomics.load(cells, cell) !== known) return
    // Pairs with the loads in publish and release: one of the two sees the other.
    Atomics.store(cells, parked, 1)
    Atomics.wait(cells, cell, known, SLEEP_MS)
    Atomics.store(cells, parked, 0)
  }
}
