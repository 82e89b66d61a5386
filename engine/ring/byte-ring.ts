/**
 * A ring of length-prefixed records for one producer and one consumer, over shared memory; the two
 * may be one thread. Command rings and receipt rings are byte rings.
 *
 *        consumed (consumer)        published         claimed (producer only)
 *            ▼                          ▼                 ▼
 *   ─────────┬──────────────────────────┬─────────────────┬─────────────▶ bytes
 *            │ records to be consumed   │ being written   │ free
 *
 *   record   │ length u32 │ the user's own header and bytes … │   starts at a multiple of 8
 *
 * Invariants
 * - `length` counts the whole record and is a multiple of 8. Bit 31 marks padding: the rest of the
 *   ring up to its end, because a record is contiguous.
 * - The producer never claims beyond consumed + capacity; it publishes with one atomic store.
 * - The consumer trusts nothing but its own cursors: a length that leads outside what is published
 *   is reported as CORRUPT, and the ring is never read again.
 */
import type { Buffer } from 'node:buffer'
import { CURSOR_STRIDE, cursorOf, extendCursor } from '../../journal/cursor.js'
import { DOUBLE_ZERO } from '../../journal/double-zero.js'
import { assert } from '../../journal/errors.js'
import { bytesOver } from '../../journal/schema/text-bytes.js'

// Elements of the control array: what the producer writes, and what the consumer writes, have cache
// lines of their own.
const PUBLISHED = 0
const PUBLISHED_COUNT = 1
const CONSUMED = CURSOR_STRIDE
const CONTROL_BYTES = 2 * CURSOR_STRIDE * Int32Array.BYTES_PER_ELEMENT

export const RING_LENGTH = 0
export const RING_LENGTH_BYTES = 4
const PADDING_FLAG = 0x8000_0000

/** What travels to another thread. */
export interface ByteRingMemory {
  readonly control: SharedArrayBuffer
  readonly data: SharedArrayBuffer
}

export function createByteRing(capacityBytes: number): ByteRingMemory {
  const powerOfTwo = capacityBytes > 0 && (capacityBytes & (capacityBytes - 1)) === 0
  assert(powerOfTwo && capacityBytes >= 64, `ring capacity ${capacityBytes} is a power of two`)
  return {
    control: new SharedArrayBuffer(CONTROL_BYTES),
    data: new SharedArrayBuffer(capacityBytes),
  }
}

/** Returned by {@link RingProducer.claim} when the consumer is behind. */
export const NO_ROOM = -1

export class RingProducer {
  readonly view: DataView
  readonly bytes: Uint8Array
  readonly capacity: number
  /** Where the next record goes; the ring's length: a lap is full to the last byte. */
  private offset = 0
  /** Known to be free from there on, in one piece. */
  private room = 0
  /** Position of offset 0. */
  private lap = DOUBLE_ZERO
  private published = DOUBLE_ZERO
  private consumed = DOUBLE_ZERO
  private readonly control: Int32Array

  constructor(memory: ByteRingMemory) {
    this.control = new Int32Array(memory.control)
    this.view = new DataView(memory.data)
    this.bytes = new Uint8Array(memory.data)
    this.capacity = memory.data.byteLength
  }

  /** Position behind the last claimed record. */
  get claimed(): number {
    return this.lap + this.offset
  }

  /**
   * Offset in `view` of contiguous room for a record of up to `lengthBytes`, or NO_ROOM. Nothing is
   * taken until {@link append}.
   */
  claim(lengthBytes: number): number {
    return lengthBytes <= this.room ? this.offset : this.findRoom(lengthBytes)
  }

  private findRoom(lengthBytes: number): number {
    const { offset, capacity } = this
    const toEnd = capacity - offset
    const free = this.consumedPosition() + capacity - this.claimed
    if (toEnd >= lengthBytes) {
      this.room = Math.min(free, toEnd)
      return this.room >= lengthBytes ? offset : NO_ROOM
    }
    if (free < toEnd + lengthBytes) return NO_ROOM
    if (toEnd > 0) this.view.setUint32(offset, (PADDING_FLAG | toEnd) >>> 0, true)
    this.lap += capacity
    this.offset = 0
    this.room = Math.min(free - toEnd, capacity)
    return 0
  }

  /** Takes the record that was written at the last claim; `lengthBytes` is its exact length. */
  append(lengthBytes: number): void {
    const aligned = (lengthBytes + 7) & ~7
    const { offset } = this
    this.view.setUint32(offset, aligned, true)
    this.offset = offset + aligned
    this.room -= aligned
  }

  /** Makes all records before `position` visible. Returns whether there was anything new. */
  publish(position: number = this.claimed): boolean {
    if (position === this.published) return false
    this.published = position
    // Publishes the records; pairs with the load in RingConsumer.refresh.
    Atomics.store(this.control, PUBLISHED, cursorOf(position))
    return true
  }

  /**
   * Makes all records before `position` visible, and that they are the first `count` of the ring,
   * for a consumer that wants to know how many there are before it looks at them.
   */
  publishCounted(position: number, count: number): boolean {
    if (position === this.published) return false
    this.published = position
    // Publishes the records; pairs with the load in RingConsumer.refresh.
    Atomics.store(this.control, PUBLISHED, cursorOf(position))
    // Published after them: pairs with the load in RingConsumer.publishedCount.
    Atomics.store(this.control, PUBLISHED_COUNT, count | 0)
    return true
  }

  /** The consumer is gone for ever: what was published counts as consumed. */
  reclaim(): void {
    this.consumed = this.published
    Atomics.store(this.control, CONSUMED, cursorOf(this.published))
  }

  consumedPosition(): number {
    // Pairs with the store in RingConsumer.release: bytes before it may be written again.
    this.consumed = extendCursor(Atomics.load(this.control, CONSUMED), this.consumed)
    return this.consumed
  }
}

/** Results of {@link RingConsumer.next} that are not offsets. */
export const EMPTY = -1
export const CORRUPT = -2

export class RingConsumer {
  readonly view: DataView
  readonly bytes: Buffer
  readonly capacity: number
  /** Length of the record that {@link next} returned. */
  lengthBytes = 0
  /** Of the next record; the ring's length: it is at the start. */
  private offset = 0
  /** Published from there on, in one piece. */
  private near = 0
  /** Position of offset 0. */
  private lap = DOUBLE_ZERO
  private published = DOUBLE_ZERO
  private released = DOUBLE_ZERO
  private corrupt = false
  private readonly control: Int32Array

  constructor(memory: ByteRingMemory) {
    this.control = new Int32Array(memory.control)
    this.view = new DataView(memory.data)
    this.bytes = bytesOver(this.view)
    this.capacity = memory.data.byteLength
  }

  /** Position of the next record. */
  get position(): number {
    return this.lap + this.offset
  }

  /** Sees what has been published since; returns whether {@link next} has something to say. */
  refresh(): boolean {
    // Pairs with the store in RingProducer.publish.
    const published = extendCursor(Atomics.load(this.control, PUBLISHED), this.published)
    // A hostile producer may move its cursor anywhere: never believe more than one lap.
    if (published - this.position > this.capacity || published < this.published) this.condemn()
    else this.published = published
    this.look()
    return this.corrupt || this.published > this.position
  }

  private look(): void {
    const { offset, capacity, published, position } = this
    this.near = this.corrupt ? 0 : Math.min(published - position, capacity - offset)
  }

  /**
   * How many records the producer has counted, `known` of which the caller knows; all of them are
   * seen by a {@link refresh} that follows.
   */
  publishedCount(known: number): number {
    // Pairs with the store in RingProducer.publishCounted.
    return known + ((Atomics.load(this.control, PUBLISHED_COUNT) - known) | 0)
  }

  /** Offset of the next record, which is then taken; or EMPTY; or CORRUPT. */
  next(): number {
    const { near, offset } = this
    if (near === 0) return this.nextLap()
    const word = this.view.getUint32(offset, true)
    if (word < 8 || (word & 7) !== 0 || word > near) return this.nextLap()
    this.offset = offset + word
    this.near = near - word
    this.lengthBytes = word
    return offset
  }

  /** There is nothing more, padding, the ring's end, or what is no record. */
  private nextLap(): number {
    const { offset, capacity, published } = this
    if (this.corrupt) return CORRUPT
    if (this.position === published) return EMPTY
    const toEnd = capacity - offset
    if (toEnd > 0) {
      const isPadding = this.view.getUint32(offset, true) === PADDING_FLAG + toEnd
      if (!isPadding || this.position + toEnd > published) return this.condemn()
    }
    this.lap += capacity
    this.offset = 0
    this.look()
    if (this.near === 0) return EMPTY
    const word = this.view.getUint32(0, true)
    if (word < 8 || (word & 7) !== 0 || word > this.near) return this.condemn()
    this.offset = word
    this.near -= word
    this.lengthBytes = word
    return 0
  }

  /** Goes back to a record that was taken and not yet released. */
  rewind(position: number): void {
    this.offset = position & (this.capacity - 1)
    this.lap = position - this.offset
    this.look()
  }

  /** Gives the bytes of all records taken so far back to the producer. */
  release(): void {
    const { position } = this
    if (this.released === position) return
    this.released = position
    // Publishes that the bytes were read; pairs with the load in RingProducer.consumedPosition.
    Atomics.store(this.control, CONSUMED, cursorOf(position))
  }

  /** Something has written over the ring, also where the lengths of its records are right. */
  condemn(): number {
    this.corrupt = true
    this.near = 0
    return CORRUPT
  }
}
