/**
 * Events of a receipt, straight from the event ring: the processor notes where each batch begins,
 * so the frame of a recent sequence is found without reading files. Lives on the processor's thread.
 */
import { assert, TidewheelError } from '../../journal/errors.js'
import type { EventRingMemory } from '../../journal/event-ring.js'
import type { RecordedEvent } from '../domain.js'
import type { EventDecoder } from './event-decoder.js'
import { RingTail } from './ring-tail.js'

/** More batches than this the ring seldom holds. */
const BATCHES_NOTED = 4096
/** About a batch: what is asked for is seldom more. */
const PIECE_BYTES = 32 * 1024
const MASK = BATCHES_NOTED - 1
assert((BATCHES_NOTED & MASK) === 0, 'batches are noted modulo a power of two')

export class RecentEvents {
  private readonly positions = new Float64Array(BATCHES_NOTED)
  private readonly sequences = new Float64Array(BATCHES_NOTED)
  private count = 0
  private tail: RingTail | undefined
  private readonly ring: EventRingMemory

  constructor(ring: EventRingMemory) {
    this.ring = ring
  }

  /** A batch begins at this position of the ring; its first event gets the next sequence. */
  note(position: number, lastSequence: number): void {
    // A pass that finds nothing to do must not push out the batches that are asked for.
    if (this.count > 0 && this.positions[(this.count - 1) & MASK] === position) return
    const index = this.count++ & MASK
    this.positions[index] = position
    this.sequences[index] = lastSequence + 1
  }

  /**
   * Events with sequence `first` to `last`, which are synced.
   * @throws TidewheelError EVENTS_NOT_IN_MEMORY when the ring has gone past them
   */
  read(first: number, last: number, decoder: EventDecoder): RecordedEvent[] {
    const index = this.batchOf(first)
    const events: RecordedEvent[] = []
    if (index === undefined) throw gone(first)
    this.tail ??= new RingTail(this.ring, 0, 0)
    const { tail } = this
    tail.moveTo(this.positions[index]!, this.sequences[index]!)
    if (tail.isPassedBy(this.positions[(this.count - 1) & MASK]!)) throw gone(first)
    while (tail.nextSequence <= last) {
      const piece = tail.copyNext(PIECE_BYTES)
      if (piece === 'overrun' || piece === undefined) throw gone(first)
      const { cursor, firstSequence } = piece
      let sequence = firstSequence
      while (cursor.nextFrame()) {
        while (cursor.nextRecord()) {
          if (!cursor.isEvent) continue
          if (sequence >= first && sequence <= last) events.push(decode(decoder, cursor, sequence))
          sequence++
        }
      }
    }
    return events
  }

  /** The newest noted batch that begins at or before this sequence. */
  private batchOf(sequence: number): number | undefined {
    const oldest = Math.max(0, this.count - BATCHES_NOTED)
    let low = oldest
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.sequences[middle & MASK]! <= sequence) low = middle + 1
      else high = middle
    }
    return low === oldest ? undefined : (low - 1) & MASK
  }
}

function decode(
  decoder: EventDecoder,
  cursor: Parameters<EventDecoder['decode']>[0],
  sequence: number,
): RecordedEvent {
  const event = decoder.decode(cursor, sequence)
  assert(event !== undefined, 'ids are on the thread of the state')
  return event
}

function gone(sequence: number): TidewheelError {
  return new TidewheelError(
    'EVENTS_NOT_IN_MEMORY',
    'the events of this receipt are not in memory any more; read them with readAll({ from: receipt.sequence - receipt.eventCount + 1 })',
    { sequence },
  )
}
