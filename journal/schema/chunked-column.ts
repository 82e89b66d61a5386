/**
 * Values by slot, for what does not fit into a slab. It grows by chunks, so no growth is ever a
 * pause, and a slot that was never set has the initial value.
 */

const CHUNK_SHIFT = 12
export const CHUNK_SLOTS = 1 << CHUNK_SHIFT
const CHUNK_MASK = CHUNK_SLOTS - 1

/** What generated state classes need of a column. */
export interface Column<T = unknown> {
  get(slot: number): T
  set(slot: number, value: T): void
}

export class ChunkedColumn<T> implements Column<T> {
  private readonly initial: T
  /** Undefined until one of its slots is set. */
  private readonly chunks: (T[] | undefined)[] = []

  constructor(initial: T) {
    this.initial = initial
  }

  get(slot: number): T {
    const chunk = this.chunks[slot >>> CHUNK_SHIFT]
    return chunk === undefined ? this.initial : (chunk[slot & CHUNK_MASK] as T)
  }

  set(slot: number, value: T): void {
    const { chunks } = this
    const index = slot >>> CHUNK_SHIFT
    while (chunks.length <= index) chunks.push(undefined)
    let chunk = chunks[index]
    if (chunk === undefined) {
      chunk = new Array<T>(CHUNK_SLOTS).fill(this.initial)
      chunks[index] = chunk
    }
    chunk[slot & CHUNK_MASK] = value
  }
}
