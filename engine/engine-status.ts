/**
 * The word by which an engine tells one producer whether its commands are still taken. Every lane
 * has its own: the engine writes it, the producer reads it, and the engine never believes it.
 */

export const ENGINE_RUNNING = 0
/** No more commands are taken; what was taken is still answered. */
export const ENGINE_CLOSING = 1
/** The ends: nothing is answered any more. */
export const ENGINE_CLOSED = 2
export const ENGINE_FAILED = 3
/** Of this producer alone: something has written over its memory. */
export const PRODUCER_CONDEMNED = 4

export function createEngineStatus(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
}

export class EngineStatus {
  private readonly cell: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.cell = new Int32Array(memory)
  }

  get(): number {
    // Pairs with the store in set: what was published before it is visible.
    return Atomics.load(this.cell, 0)
  }

  /**
   * Asked for each command, so a plain load: V8 does not inline `Atomics.load`, whose call took 5 ns
   * of a command. It misses no more than an end that comes right after it.
   */
  get isRunning(): boolean {
    return this.cell[0] === ENGINE_RUNNING
  }

  /** Whether nothing will be answered any more. */
  get hasEnded(): boolean {
    return this.get() >= ENGINE_CLOSED
  }

  /** Goes on to a later status; the first end that was reached stays. */
  set(status: number): void {
    // Upwards, one try each: whoever else writes here cannot keep this thread in a loop.
    for (let known = ENGINE_RUNNING; known < status && known < ENGINE_CLOSED; known++) {
      // Publishes all that was written before; pairs with the load in get.
      if (Atomics.compareExchange(this.cell, 0, known, status) === known) return
    }
  }
}
