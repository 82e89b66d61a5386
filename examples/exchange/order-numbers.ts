/**
 * Finds the number of a resting order by its id: a hash table in flat arrays, with open addressing.
 * An id lies in the cell that its hash names, or in the next free one behind it. At most half of the
 * cells are taken.
 */

const CELLS_AT_START = 8

export class OrderNumbers {
  count = 0
  #ids = new Float64Array(CELLS_AT_START)
  /** By cell: the number of the order, or 0, which means an empty cell. */
  #numbers = new Int32Array(CELLS_AT_START)

  /** The number of the order with this id, or 0. */
  find(id: number): number {
    return this.#numbers[this.#cellOf(id)]!
  }

  /** The id must not be there yet. */
  add(id: number, number: number): void {
    if (2 * (this.count + 1) > this.#ids.length) this.#grow()
    this.#put(id, number)
    this.count += 1
  }

  /**
   * The id must be there. What lies behind it moves up, so that no search ends at the gap.
   * Source: D. Knuth, The Art of Computer Programming 3, 6.4, algorithm R.
   */
  remove(id: number): void {
    const ids = this.#ids
    const numbers = this.#numbers
    const mask = ids.length - 1
    let gap = this.#cellOf(id)
    for (let cell = (gap + 1) & mask; numbers[cell] !== 0; cell = (cell + 1) & mask) {
      const fromHome = (cell - homeOf(ids[cell]!, mask)) & mask
      if (fromHome < ((cell - gap) & mask)) continue
      ids[gap] = ids[cell]!
      numbers[gap] = numbers[cell]!
      gap = cell
    }
    numbers[gap] = 0
    this.count -= 1
  }

  /** Where the id is, or the empty cell where it would go. */
  #cellOf(id: number): number {
    const ids = this.#ids
    const numbers = this.#numbers
    const mask = ids.length - 1
    let cell = homeOf(id, mask)
    while (numbers[cell] !== 0 && ids[cell] !== id) cell = (cell + 1) & mask
    return cell
  }

  #put(id: number, number: number): void {
    const cell = this.#cellOf(id)
    this.#ids[cell] = id
    this.#numbers[cell] = number
  }

  #grow(): void {
    const ids = this.#ids
    const numbers = this.#numbers
    this.#ids = new Float64Array(ids.length * 2)
    this.#numbers = new Int32Array(ids.length * 2)
    for (let cell = 0; cell < ids.length; cell++) {
      if (numbers[cell] !== 0) this.#put(ids[cell]!, numbers[cell]!)
    }
  }
}

/** Both halves of the id decide, so ids that count in steps of 2³² are no worse than others. */
function homeOf(id: number, mask: number): number {
  const mixed = Math.imul((id | 0) ^ ((id / 2 ** 32) | 0), 0x9e3779b1)
  return (mixed ^ (mixed >>> 15)) & mask
}
