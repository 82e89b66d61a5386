/**
 * Runs ahead of a replay and touches the state that the next frames will change, in one tight loop an
 * aggregate, so that the cache misses overlap, as the processor does for a batch of commands.
 */
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
} from '../journal/record-layout.js'
import type { DomainRuntime } from './domain-runtime.js'

const FRAMES_AHEAD = 128
const SLOTS_MAX = 4 * FRAMES_AHEAD

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const FIRST_EVENT = FIRST_CATALOGUED_TYPE
const HEADER_BYTES = FRAME_HEADER_BYTES
const FRAME_LENGTH_AT = FRAME_LENGTH
const LENGTH = RECORD_LENGTH
const SLOT = RECORD_SLOT
const TYPE = RECORD_TYPE

export class TouchAhead {
  /** Keeps the loops from being optimised away. */
  touched = 0
  private readonly runtime: DomainRuntime
  private view: DataView | undefined
  /** The frame that comes next, and where the block's frames end. */
  private frame = 0
  private end = 0
  /** By index of the aggregate. */
  private readonly slots: readonly Int32Array[]
  private readonly counts: Int32Array

  constructor(runtime: DomainRuntime) {
    this.runtime = runtime
    this.slots = runtime.stores.map(() => new Int32Array(SLOTS_MAX))
    this.counts = new Int32Array(runtime.stores.length)
  }

  /** Stands before the first frame of a block, whose lengths recovery has checked. */
  reset(view: DataView, frameOffset: number, payloadBytes: number): void {
    this.view = view
    this.frame = frameOffset
    this.end = frameOffset + payloadBytes
  }

  /** Touches what the next frames name; returns how many frames that are, at least 1. */
  next(): number {
    const { runtime, slots, counts } = this
    counts.fill(0)
    const frames = this.gather()
    for (const store of runtime.stores) {
      this.touched = store.touchMany(slots[store.index]!, counts[store.index]!)
    }
    return frames === 0 ? 1 : frames
  }

  private gather(): number {
    const { runtime, slots, counts, end } = this
    const view = this.view!
    let { frame } = this
    let frames = 0
    for (; frames < FRAMES_AHEAD && frame < end; frames++) {
      const frameEnd = frame + view.getUint32(frame + FRAME_LENGTH_AT, true)
      for (let record = frame + HEADER_BYTES; record < frameEnd; ) {
        const type = view.getUint16(record + TYPE, true)
        if (type >= FIRST_EVENT) {
          const store = runtime.storeOfEvent(type)
          const slot = view.getUint32(record + SLOT, true)
          // What the records say is checked when they are applied; here it must only lead nowhere else.
          if (store !== undefined && slot <= store.capacity) {
            const count = counts[store.index]!
            if (count < SLOTS_MAX) {
              slots[store.index]![count] = slot
              counts[store.index] = count + 1
            }
          }
        }
        record += (view.getUint32(record + LENGTH, true) + 7) & ~7
      }
      frame = frameEnd
    }
    this.frame = frame
    return frames
  }
}
