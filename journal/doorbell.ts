/**
 * Wakes a thread that has run out of work on several sources (command rings, the synced position).
 * It is not a queue: a ring says "look again", and costs one atomic load while nobody sleeps.
 *
 *   sleeper                              ringer
 *   value = prepareToPark()              make work visible (atomic store)
 *   look at all sources once more        ring()
 *   nothing → await parked(value)
 *   awake()
 *
 * No wake-up is lost: the flag is raised before the last look, and looked at after the work is
 * visible, so one of the two threads sees the other.
 */
import { CURSOR_STRIDE } from './cursor.js'

const PARKED = 0
const BELL = CURSOR_STRIDE
const DOORBELL_BYTES = 2 * CURSOR_STRIDE * Int32Array.BYTES_PER_ELEMENT

export function createDoorbell(): SharedArrayBuffer {
  return new SharedArrayBuffer(DOORBELL_BYTES)
}

export class Doorbell {
  private readonly cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory)
  }

  /** Any thread, after it made work visible. */
  ring(): void {
    // Pairs with the store in prepareToPark.
    if (Atomics.load(this.cells, PARKED) === 1) {
      // Publishes the ring, to the load in prepareToPark and the wait in parked.
      Atomics.add(this.cells, BELL, 1)
      // Pairs with the wait in parked.
      Atomics.notify(this.cells, BELL)
    }
  }

  /** Sleeper only: from here on every ring is noticed. Returns what {@link parked} needs. */
  prepareToPark(): number {
    // Pairs with the addition in ring: one that comes after this is seen by parked.
    const value = Atomics.load(this.cells, BELL)
    // Pairs with the load in ring.
    Atomics.store(this.cells, PARKED, 1)
    return value
  }

  /**
   * Sleeper only: resolves at the next ring, or after `timeoutMs`. Does not keep the process
   * alive: hold a handle while something is in flight.
   */
  parked(value: number, timeoutMs: number): Promise<unknown> | undefined {
    // Pairs with addition and notification in ring.
    const result = Atomics.waitAsync(this.cells, BELL, value, timeoutMs)
    return result.async ? result.value : undefined
  }

  /** Sleeper only: ends the time in which rings are noticed, and a wait that has not ended. */
  awake(): void {
    // Tells the load in ring that there is nobody to wake.
    Atomics.store(this.cells, PARKED, 0)
    // Pairs with the wait in parked: whoever sleeps on several doorbells was woken by another one.
    Atomics.notify(this.cells, BELL)
  }
}
