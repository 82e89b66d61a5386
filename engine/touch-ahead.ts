/**
 * Runs ahead of a replay and touches the state that the next frames will change, in one tight loop an
 * aggregate, so that the cache misses overlap, as the processor does for a batch of commands.
 */
import { FrameCursor } from '../journal/frames.js'
import type { DomainRuntime } from './domain-runtime.js'

const FRAMES_AHEAD = 128
const SLOTS_MAX = 4 * FRAMES_AHEAD

export class TouchAhead {
  /** Keeps the loops from being optimised away. */
  touched = 0
  private readonly runtime: DomainRuntime
  private readonly cursor = new FrameCursor()
  /** By index of the aggregate. */
  private readonly slots: readonly Int32Array[]
  private readonly counts: Int32Array

  constructor(runtime: DomainRuntime) {
    this.runtime = runtime
    this.slots = runtime.stores.map(() => new Int32Array(SLOTS_MAX))
    this.counts = new Int32Array(runtime.stores.length)
  }

  reset(view: DataView, frameOffset: number, payloadBytes: number): void {
    this.cursor.reset(view, frameOffset, payloadBytes)
  }

  /** Touches what the next frames name; returns how many frames that are, at least 1. */
  next(): number {
    const { cursor, runtime, slots, counts } = this
    counts.fill(0)
    let frames = 0
    while (frames < FRAMES_AHEAD && cursor.nextFrame()) {
      frames++
      while (cursor.nextRecord()) {
        if (!cursor.isEvent) continue
        const store = runtime.storeOfEvent(cursor.recordType)
        // What the records say is checked when they are applied; here it must only lead nowhere else.
        if (store === undefined || cursor.slot > store.capacity) continue
        const count = counts[store.index]!
        if (count === SLOTS_MAX) continue
        slots[store.index]![count] = cursor.slot
        counts[store.index] = count + 1
      }
    }
    for (const store of runtime.stores) {
      this.touched = store.touchMany(slots[store.index]!, counts[store.index]!)
    }
    return frames === 0 ? 1 : frames
  }
}
