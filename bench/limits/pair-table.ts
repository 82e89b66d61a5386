/**
 * Keys of 64 bits → slots, by hand: open addressing in one array of the right size from the start, at
 * most half full.
 *
 *   cell:  │ low │ high │ slot, 0: empty │ unused │
 */
import { touchWords } from '../../engine/memory/touch.js'

const CELL_SHIFT = 2
const CELL_WORDS = 1 << CELL_SHIFT
const SLOT = 2

export class PairTable {
  /** Keeps the touching from being optimised away. */
  touched = 0
  private readonly words: Int32Array
  private readonly mask: number

  constructor(capacity: number) {
    const cells = 2 ** Math.ceil(Math.log2(capacity * 2))
    this.words = new Int32Array(cells * CELL_WORDS)
    this.mask = this.words.length - 1
  }

  /** Loads the cache lines of keys with these homes. */
  touch(homes: Int32Array, count: number): void {
    this.touched = touchWords(this.words, homes, count, 1)
  }

  /** The slot, or 0. */
  findFrom(home: number, low: number, high: number): number {
    const { words, mask } = this
    let cell = home
    for (;;) {
      const slot = words[cell + SLOT]!
      if (slot === 0 || (words[cell] === low && words[cell + 1] === high)) return slot
      cell = (cell + CELL_WORDS) & mask
    }
  }

  find(low: number, high: number): number {
    return this.findFrom(this.home(low, high), low, high)
  }

  /** Adds a key that is not there. */
  add(low: number, high: number, slot: number): void {
    const { words, mask } = this
    let cell = this.home(low, high)
    while (words[cell + SLOT] !== 0) cell = (cell + CELL_WORDS) & mask
    words[cell] = low
    words[cell + 1] = high
    words[cell + SLOT] = slot
  }

  /** Where {@link findFrom} begins. */
  home(low: number, high: number): number {
    const mixed = Math.imul(low ^ (low >>> 15), 0x85ebca6b)
    const hash = Math.imul((mixed ^ (mixed >>> 13)) + high, 0xc2b2ae35)
    return ((hash ^ (hash >>> 16)) << CELL_SHIFT) & this.mask
  }
}
