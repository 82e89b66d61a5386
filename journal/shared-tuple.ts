/**
 * A few numbers in shared memory that one thread writes and any thread reads as one consistent tuple.
 *
 *   version (own cache lines) │ slot 0: its cells │ slot 1: its cells
 *
 * Two slots, one writer. The writer fills the slot that `version` does not name, then raises
 * `version`. A reader copies the slot that `version` names, and starts again if `version` has moved
 * meanwhile. So a reader never waits for a writer, not even for one that died half-way.
 *
 * All accesses are sequentially consistent: a reader that saw any cell of a later tuple also sees
 * the version that came before it.
 */
import { CURSOR_STRIDE } from './cursor.js'

/** Of a tuple with at most {@link CURSOR_STRIDE} cells; a 53-bit value takes two. */
export const SHARED_TUPLE_CELLS = 3 * CURSOR_STRIDE
const TWO_TO_32 = 0x1_0000_0000

/** Where a tuple lies, and how one value of it is stored and loaded. */
export class SharedTuple {
  readonly cells: Int32Array
  /** Index of the cell of the version. */
  private readonly start: number

  constructor(cells: Int32Array, start: number) {
    this.cells = cells
    this.start = start
  }

  version(): number {
    // Pairs with the store in publish: the slot that it names is complete.
    return Atomics.load(this.cells, this.start)
  }

  /** The writer's: everything has been stored in the slot of `version`. */
  publish(version: number): void {
    // Publishes the slot; pairs with the load in version.
    Atomics.store(this.cells, this.start, version)
  }

  /** Index of the first cell of the slot that `version` names. */
  slotOf(version: number): number {
    return this.start + CURSOR_STRIDE + (version & 1) * CURSOR_STRIDE
  }

  store32(cell: number, value: number): void {
    // Into the slot that nobody is told of yet; pairs with the load in load32.
    Atomics.store(this.cells, cell, value | 0)
  }

  load32(cell: number): number {
    // Pairs with the store in store32; the version says whether the cells belong together.
    return Atomics.load(this.cells, cell) >>> 0
  }

  store53(cell: number, value: number): void {
    this.store32(cell, value)
    this.store32(cell + 1, Math.floor(value / TWO_TO_32))
  }

  load53(cell: number): number {
    return this.load32(cell + 1) * TWO_TO_32 + this.load32(cell)
  }
}
