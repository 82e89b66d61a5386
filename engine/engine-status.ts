/** One shared word by which the engine tells all producers whether it still takes commands. */

export const ENGINE_RUNNING = 0
/** No more commands are taken; what was taken is still answered. */
export const ENGINE_CLOSING = 1
/** The two ends: nothing is answered any more. */
export const ENGINE_CLOSED = 2
export const ENGINE_FAILED = 3

export class EngineStatus {
  readonly memory: SharedArrayBuffer
  private readonly cell: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.cell = new Int32Array(memory)
  }

  get(): number {
    // Pairs with the store in set: what was published before it is visible.
    return Atomics.load(this.cell, 0)
  }

  /** Whether nothing will be answered any more. */
  get hasEnded(): boolean {
    return this.get() >= ENGINE_CLOSED
  }

  /** Goes on to a later status; the first end that was reached stays. */
  set(status: number): void {
    for (let known = this.get(); known < status && known < ENGINE_CLOSED; known = this.get()) {
      // Publishes all that was written before; pairs with the load in get.
      if (Atomics.compareExchange(this.cell, 0, known, status) === known) return
    }
  }
}
