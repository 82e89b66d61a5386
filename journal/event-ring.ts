/**
 * The event ring: shared memory between the processor (its one writer) and the journaler, live
 * subscribers and, later, a replicator. It holds frames, in the bytes of the journal.
 *
 *   overwrite mark − capacity      synced         published      position (writer only)
 *            ▼                        ▼               ▼               ▼
 *   ─────────┬────────────────────────┬───────────────┬───────────────┬──────────────▶ bytes
 *            │ readable by live       │ taken by the  │ being written │
 *            │ subscribers            │ journaler     │               │
 *
 * Invariants
 * - A frame is contiguous. Where the ring's end is too near, a padding frame fills it.
 * - The writer never passes the gating position (synced) by more than the capacity.
 * - Live subscribers do not gate: they copy, then check the overwrite mark. The writer advances it
 *   (atomic read-modify-write, so that it is ordered before the writes) before it overwrites.
 * - `published` is one atomic store after a batch; `synced` one atomic store after a block.
 */
import { CURSOR_STRIDE, cursorOf, extendCursor } from './cursor.js'
import { DOUBLE_ZERO } from './double-zero.js'
import { TidewheelError } from './errors.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_LENGTH,
  PADDING_COMMAND,
  TRANSACTION_BYTES_MAX,
} from './record-layout.js'

// Elements of the control array, each with cache lines of its own.
const PUBLISHED = 0
const SYNCED = CURSOR_STRIDE
const OVERWRITE_MARK = 2 * CURSOR_STRIDE
const JOURNALER_PARKED = 3 * CURSOR_STRIDE
const CONTROL_BYTES = 4 * CURSOR_STRIDE * Int32Array.BYTES_PER_ELEMENT

/** The mark moves ahead in steps, so that the writer seldom pays for the atomic operation. */
const OVERWRITE_STEP_BYTES = 64 * 1024

export const EVENT_RING_BYTES_DEFAULT = 8 * 1024 * 1024
export const EVENT_RING_BYTES_MIN = 4 * TRANSACTION_BYTES_MAX
export const EVENT_RING_BYTES_MAX = 1024 * 1024 * 1024

/** What travels to another thread. */
export interface EventRingMemory {
  readonly control: SharedArrayBuffer
  readonly data: SharedArrayBuffer
}

export function createEventRing(capacityBytes: number = EVENT_RING_BYTES_DEFAULT): EventRingMemory {
  const powerOfTwo = (capacityBytes & (capacityBytes - 1)) === 0
  if (!powerOfTwo || capacityBytes < EVENT_RING_BYTES_MIN || capacityBytes > EVENT_RING_BYTES_MAX) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `the event ring is ${capacityBytes} bytes; give a power of two from ${EVENT_RING_BYTES_MIN} to ${EVENT_RING_BYTES_MAX}`,
    )
  }
  return {
    control: new SharedArrayBuffer(CONTROL_BYTES),
    data: new SharedArrayBuffer(capacityBytes),
  }
}

/** The processor's end. */
export class EventRingWriter {
  readonly view: DataView
  readonly bytes: Uint8Array
  readonly capacity: number
  /** Where the next frame goes in `view`; the capacity: this lap is full. */
  offset = 0
  /** May be written over from there on, in one piece. */
  private room = 0
  /** Position of offset 0. */
  private lap = DOUBLE_ZERO
  private published = DOUBLE_ZERO
  private synced = DOUBLE_ZERO
  private overwriteMark = DOUBLE_ZERO
  private readonly control: Int32Array

  constructor(memory: EventRingMemory) {
    this.control = new Int32Array(memory.control)
    this.view = new DataView(memory.data)
    this.bytes = new Uint8Array(memory.data)
    this.capacity = memory.data.byteLength
  }

  /** Absolute position of the next byte. */
  get position(): number {
    return this.lap + this.offset
  }

  get publishedPosition(): number {
    return this.published
  }

  /**
   * Makes `lengthBytes` writable and contiguous at `offset`, or returns false: the journal is
   * behind. May write a padding frame and move `offset` to the start of the ring.
   */
  makeRoom(lengthBytes: number): boolean {
    return lengthBytes <= this.room || this.findRoom(lengthBytes)
  }

  /** Keeps the frame that was written at `offset`. */
  advance(lengthBytes: number): void {
    this.offset += lengthBytes
    this.room -= lengthBytes
  }

  /** Makes all frames before `position` visible to the journaler and wakes it if it sleeps. */
  publish(): void {
    const { position } = this
    if (position === this.published) return
    this.published = position
    // Publishes the frames; pairs with the load in EventRingReader.publishedPosition.
    Atomics.store(this.control, PUBLISHED, cursorOf(position))
    // Pairs with the store in EventRingReader.waitForFrames: one of the two sees the other.
    if (Atomics.load(this.control, JOURNALER_PARKED) === 1) Atomics.notify(this.control, PUBLISHED)
  }

  /** Absolute position up to which everything is on disk. */
  syncedPosition(): number {
    // Pairs with the store in EventRingReader.releaseSynced.
    this.synced = extendCursor(Atomics.load(this.control, SYNCED), this.synced)
    return this.synced
  }

  private findRoom(lengthBytes: number): boolean {
    const { capacity, position } = this
    const toEnd = capacity - this.offset
    const needed = toEnd < lengthBytes ? toEnd + lengthBytes : lengthBytes
    if (position + needed > this.synced + capacity) {
      this.syncedPosition()
      if (position + needed > this.synced + capacity) return false
    }
    if (position + needed > this.overwriteMark) this.advanceOverwriteMark(needed)
    if (toEnd < lengthBytes) this.beginLap(toEnd)
    const writable = Math.min(this.overwriteMark, this.synced + capacity) - this.position
    this.room = Math.min(writable, capacity - this.offset)
    return true
  }

  private advanceOverwriteMark(neededBytes: number): void {
    const mark = this.position + neededBytes + OVERWRITE_STEP_BYTES
    // Read-modify-write: ordered before the plain writes that follow it. Pairs with the load in
    // EventRingReader.isIntact.
    Atomics.exchange(this.control, OVERWRITE_MARK, cursorOf(mark))
    this.overwriteMark = mark
  }

  /** Fills the ring to its end, and goes on at its start. */
  private beginLap(toEnd: number): void {
    if (toEnd > 0) {
      // Positions are multiples of 8, so there may be room for no more than length, type and count.
      const { view, offset } = this
      view.setUint32(offset + FRAME_LENGTH, toEnd, true)
      view.setUint16(offset + FRAME_COMMAND_TYPE, PADDING_COMMAND, true)
      view.setUint16(offset + FRAME_EVENT_COUNT, 0, true)
    }
    this.lap += this.capacity
    this.offset = 0
  }
}

/** A consumer's end: the journaler, or a live subscriber. */
export class EventRingReader {
  readonly view: DataView
  readonly bytes: Uint8Array
  readonly capacity: number
  private published = DOUBLE_ZERO
  private synced = DOUBLE_ZERO
  private readonly control: Int32Array

  /** @param nearPosition any position of the last 16 GiB, when the ring is not new (synced-edge.ts). */
  constructor(memory: EventRingMemory, nearPosition = 0) {
    this.published = nearPosition
    this.synced = nearPosition
    this.control = new Int32Array(memory.control)
    this.view = new DataView(memory.data)
    this.bytes = new Uint8Array(memory.data)
    this.capacity = memory.data.byteLength
  }

  offsetOf(position: number): number {
    return position & (this.capacity - 1)
  }

  publishedPosition(): number {
    // Pairs with the store in EventRingWriter.publish.
    this.published = extendCursor(Atomics.load(this.control, PUBLISHED), this.published)
    return this.published
  }

  syncedPosition(): number {
    // Pairs with the store in releaseSynced.
    this.synced = extendCursor(Atomics.load(this.control, SYNCED), this.synced)
    return this.synced
  }

  /** Journaler only: everything before `position` is on disk. */
  releaseSynced(position: number): void {
    this.synced = position
    // Publishes durability; pairs with the loads in both syncedPosition methods.
    Atomics.store(this.control, SYNCED, cursorOf(position))
    // Pairs with the wait in syncedChanged.
    Atomics.notify(this.control, SYNCED)
  }

  /** Subscriber only: resolves when more than `position` is synced, or after `timeoutMs`. */
  syncedChanged(position: number, timeoutMs: number): Promise<unknown> {
    // Pairs with the store in releaseSynced, and with both notifications of SYNCED.
    const result = Atomics.waitAsync(this.control, SYNCED, cursorOf(position), timeoutMs)
    return result.async ? result.value : Promise.resolve()
  }

  /** Any thread: ends the waits in {@link syncedChanged}, since the engine has ended. */
  wakeSubscribers(): void {
    // Pairs with the wait in syncedChanged.
    Atomics.notify(this.control, SYNCED)
  }

  /**
   * Journaler only: sleeps until something is published beyond `position`, {@link interrupt} is
   * called, or `timeoutMs` has passed.
   */
  waitForFrames(position: number, timeoutMs: number): void {
    // Pairs with the load of JOURNALER_PARKED in publish: either the writer sees the flag and
    // notifies, or the wait below sees the new cursor and returns at once.
    Atomics.store(this.control, JOURNALER_PARKED, 1)
    Atomics.wait(this.control, PUBLISHED, cursorOf(position), timeoutMs)
    // Tells the load in publish that there is nobody to notify.
    Atomics.store(this.control, JOURNALER_PARKED, 0)
  }

  /** Any thread: ends the journaler's wait. */
  interrupt(): void {
    // Pairs with the wait in waitForFrames.
    Atomics.notify(this.control, PUBLISHED)
  }

  /** After a copy: whether the bytes from `position` on had not been overwritten meanwhile. */
  isIntact(position: number): boolean {
    // A read-modify-write that changes nothing, since a load alone may be done before the copy's
    // last reads (ARM). Pairs with the exchange in EventRingWriter.advanceOverwriteMark: whichever
    // of the two comes second is ordered after all that precedes the first.
    const mark = extendCursor(Atomics.or(this.control, OVERWRITE_MARK, 0), position)
    return position >= mark - this.capacity
  }
}

/** Whether the frame at `offset` only fills the ring to its end. */
export function isPadding(view: DataView, offset: number): boolean {
  return view.getUint16(offset + FRAME_COMMAND_TYPE, true) === PADDING_COMMAND
}
