/**
 * A live subscriber's place in the event ring. It does not gate the writer: it copies, then asks
 * whether what it copied had been overwritten meanwhile.
 */
import { type EventRingMemory, EventRingReader, isPadding } from '../../journal/event-ring.js'
import { FrameCursor } from '../../journal/frames.js'
import {
  FRAME_EVENT_COUNT,
  FRAME_LENGTH,
  TRANSACTION_BYTES_MAX,
} from '../../journal/record-layout.js'

const PIECE_BYTES = 2 * TRANSACTION_BYTES_MAX

export interface RingPiece {
  /** Stands before the first of the copied frames. */
  readonly cursor: FrameCursor
  readonly firstSequence: number
}

export class RingTail {
  /** Sequence of the next event that {@link copyNext} will show. */
  nextSequence: number
  private position: number
  private readonly memory: EventRingMemory
  private ring: EventRingReader
  private readonly view = new DataView(new ArrayBuffer(PIECE_BYTES))
  private readonly bytes = new Uint8Array(this.view.buffer)
  private readonly cursor = new FrameCursor()

  /** The event with sequence `nextSequence` is the first one at or after `position`. */
  constructor(memory: EventRingMemory, position: number, nextSequence: number) {
    this.memory = memory
    this.ring = new EventRingReader(memory, position)
    this.position = position
    this.nextSequence = nextSequence
  }

  /** The event with sequence `nextSequence` is the first one at or after `position`. */
  moveTo(position: number, nextSequence: number): void {
    this.ring = new EventRingReader(this.memory, position)
    this.position = position
    this.nextSequence = nextSequence
  }

  /**
   * Whether the ring has certainly gone past. Cursors in the ring cannot tell when it has by more
   * than 16 GiB, so this is asked before {@link copyNext}.
   */
  isPassedBy(syncedPosition: number): boolean {
    return syncedPosition - this.position > this.ring.capacity
  }

  /** The next synced frames; undefined when there are none yet; 'overrun' when they are gone. */
  copyNext(pieceBytes = PIECE_BYTES): RingPiece | undefined | 'overrun' {
    const { ring, bytes, view, cursor } = this
    const synced = ring.syncedPosition()
    if (synced <= this.position) return undefined
    const start = ring.offsetOf(this.position)
    const toEnd = ring.capacity - start
    const lengthBytes = Math.min(synced - this.position, toEnd, pieceBytes)
    bytes.set(ring.bytes.subarray(start, start + lengthBytes))
    if (!ring.isIntact(this.position)) return 'overrun'
    const firstSequence = this.nextSequence
    const whole = this.wholeFrames(lengthBytes)
    // Padding reaches to the ring's end, so the next frames start at its beginning.
    const isAtPadding = whole < lengthBytes && isPadding(view, whole)
    this.position += isAtPadding ? toEnd : whole
    if (whole === 0) return this.copyNext(isAtPadding ? pieceBytes : PIECE_BYTES)
    cursor.reset(view, 0, whole)
    return { cursor, firstSequence }
  }

  /** Resolves when something more may be synced, or after `timeoutMs`. */
  changed(timeoutMs: number): Promise<unknown> {
    return this.ring.syncedChanged(this.position, timeoutMs)
  }

  /** Bytes of the frames that are complete in the copy; counts their events. */
  private wholeFrames(lengthBytes: number): number {
    const { view } = this
    let offset = 0
    while (offset < lengthBytes && !isPadding(view, offset)) {
      const frameBytes = view.getUint32(offset + FRAME_LENGTH, true)
      if (offset + frameBytes > lengthBytes) break
      this.nextSequence += view.getUint16(offset + FRAME_EVENT_COUNT, true)
      offset += frameBytes
    }
    return offset
  }
}
