/** One shared word by which the engine tells all producers whether it still takes commands. */

export const ENGINE_RUNNING = 0
export const ENGINE_CLOSED = 1
export const ENGINE_FAILED = 2
/** No more commands are taken; what was taken is still answered. */
export const ENGINE_CLOSING = 3

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
    const status = this.get()
    return status === ENGINE_CLOSED || status === ENGINE_FAILED
  }

  /** Engine only. A failed engine stays failed. */
  set(status: number): void {
    if (this.get() !== ENGINE_FAILED) Atomics.store(this.cell, 0, status)
  }
}
