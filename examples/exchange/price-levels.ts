/**
 * The prices at which orders rest on one side of a book, each with the last order of its line.
 *
 * ```
 *   bids:  prices   97   99  100  103  ◀─ the best is last, where most changes are
 *          lasts    #8   #5   #9   #4
 * ```
 *
 * A level costs a shift of those that are better, so a book pays for how far from the best price its
 * orders come and go, not for how deep it is. No level is empty.
 */
import type { Side } from './order-book.js'

const SIZE_AT_START = 8

export class PriceLevels {
  #count = 0
  /** By level: its rank, which is its price or, for asks, minus that; it grows towards the best. */
  #ranks = new Float64Array(SIZE_AT_START)
  /** By level: the number of the last order in its line. */
  #lasts = new Int32Array(SIZE_AT_START)
  readonly #sign: 1 | -1

  constructor(side: Side) {
    this.#sign = side === 'buy' ? 1 : -1
  }

  /**
   * An order comes to the end of the line at `price`. Returns the one that trades just before it, or
   * 0: it is the first of its side.
   */
  append(price: number, order: number): number {
    const rank = price * this.#sign
    const level = this.#levelOf(rank)
    const isThere = level >= 0 && this.#ranks[level] === rank
    if (!isThere) {
      this.#open(level + 1, rank, order)
      return level + 2 < this.#count ? this.#lasts[level + 2]! : 0
    }
    const before = this.#lasts[level]!
    this.#lasts[level] = order
    return before
  }

  /** The last order at `price` has left; `order` is the last one now. */
  replaceLast(price: number, order: number): void {
    this.#lasts[this.#levelOf(price * this.#sign)] = order
  }

  /** The only order at `price` has left. */
  remove(price: number): void {
    const ranks = this.#ranks
    const lasts = this.#lasts
    let to = this.#levelOf(price * this.#sign)
    this.#count -= 1
    for (const end = this.#count; to < end; to++) {
      ranks[to] = ranks[to + 1]!
      lasts[to] = lasts[to + 1]!
    }
  }

  #open(level: number, rank: number, order: number): void {
    if (this.#count === this.#ranks.length) this.#grow()
    const ranks = this.#ranks
    const lasts = this.#lasts
    for (let to = this.#count++; to > level; to--) {
      ranks[to] = ranks[to - 1]!
      lasts[to] = lasts[to - 1]!
    }
    ranks[level] = rank
    lasts[level] = order
  }

  /** The best level of at most this rank, or -1. */
  #levelOf(rank: number): number {
    const ranks = this.#ranks
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ranks[middle]! <= rank) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #grow(): void {
    const ranks = new Float64Array(this.#count * 2)
    const lasts = new Int32Array(this.#count * 2)
    ranks.set(this.#ranks)
    lasts.set(this.#lasts)
    this.#ranks = ranks
    this.#lasts = lasts
  }
}
