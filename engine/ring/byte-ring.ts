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
  /** Position behind the last claimed record. */
  claimed = 0
  private published = 0
  private consumed = 0
  private readonly control: Int32Array

  constructor(memory: ByteRingMemory) {
    this.control = new Int32Array(memory.control)
    this.view = new DataView(memory.data)
    this.bytes = new Uint8Array(memory.data)
    this.capacity = memory.data.byteLength
  }

  /**
   * Offset in `view` of contiguous room for a record of up to `lengthBytes`, or NO_ROOM. Nothing is
   * taken until {@link append}.
   */
  claim(lengthBytes: number): number {
    const end = this.claimed + lengthBytes
    const offset = this.claimed & (this.capacity - 1)
    const isFree = end <= this.consumed + this.capacity && offset + lengthBytes <= this.capacity
    return isFree ? offset : this.findRoom(lengthBytes)
  }

  private findRoom(lengthBytes: number): number {
    const offset = this.claimed & (this.capacity - 1)
    const toEnd = this.capacity - offset
    const needed = toEnd < lengthBytes ? toEnd + lengthBytes : lengthBytes
    if (this.claimed + needed > this.consumedPosition() + this.capacity) return NO_ROOM
    if (toEnd >= lengthBytes) return offset
    this.view.setUint32(offset, (PADDING_FLAG | toEnd) >>> 0, true)
    this.claimed += toEnd
    return 0
  }

  /** Takes the record that was written at the last claim; `lengthBytes` is its exact length. */
  append(lengthBytes: number): void {
    const aligned = (lengthBytes + 7) & ~7
    this.view.setUint32(this.claimed & (this.capacity - 1), aligned, true)
    this.claimed += aligned
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
  /** Position of the next record. */
  position = 0
  /** Length of the record that {@link next} returned. */
  lengthBytes = 0
  private published = 0
  private released = 0
  private corrupt = false
  private readonly control: Int32Array

  constructor(memory: ByteRingMemory) {
    this.control = new Int32Array(memory.control)
    this.view = new DataView(memory.data)
    this.bytes = bytesOver(this.view)
    this.capacity = memory.data.byteLength
  }

  /** Sees what has been published since; returns whether {@link next} has something to say. */
  refresh(): boolean {
    // Pairs with the store in RingProducer.publish.
    const published = extendCursor(Atomics.load(this.control, PUBLISHED), this.published)
    // A hostile producer may move its cursor anywhere: never believe more than one lap.
    if (published - this.position > this.capacity || published < this.published) this.corrupt = true
    else this.published = published
    return this.corrupt || this.published > this.position
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
    if (this.corrupt) return CORRUPT
    if (this.position === this.published) return EMPTY
    let offset = this.position & (this.capacity - 1)
    let word = this.view.getUint32(offset, true)
    if (word >= PADDING_FLAG) {
      if (word - PADDING_FLAG !== this.capacity - offset) return this.condemn()
      this.position += this.capacity - offset
      if (this.position > this.published) return this.condemn()
      if (this.position === this.published) return EMPTY
      offset = 0
      word = this.view.getUint32(0, true)
    }
    const outside = word > this.published - this.position || word > this.capacity - offset
    if (word < 8 || (word & 7) !== 0 || outside) return this.condemn()
    this.position += word
    this.lengthBytes = word
    return offset
  }

  /** Goes back to a record that was taken and not yet released. */
  rewind(position: number): void {
    this.position = position
  }

  /** Gives the bytes of all records taken so far back to the producer. */
  release(): void {
    if (this.released === this.position) return
    this.released = this.position
    // Publishes that the bytes were read; pairs with the load in RingProducer.consumedPosition.
    Atomics.store(this.control, CONSUMED, cursorOf(this.position))
  }

  /** Something has written over the ring, also where the lengths of its records are right. */
  condemn(): number {
    this.corrupt = true
    return CORRUPT
  }
}
