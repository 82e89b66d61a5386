/**
 * UUIDs → slots, by hand: open addressing in one array of the right size from the start, at most half
 * full.
 *
 *   cell of 8 words:  │ UUID, 4 words │ slot, 0: empty │ unused │
 */
import { touchWords } from '../../engine/memory/touch.js'

const CELL_SHIFT = 3
const CELL_WORDS = 1 << CELL_SHIFT
const SLOT = 4
export const UUID_WORDS = 4

/** Value of a hexadecimal digit by its character code. */
const DIGITS = new Uint8Array(128)
for (let value = 0; value < 16; value++) DIGITS[value.toString(16).charCodeAt(0)] = value

/** Reads the text of a UUID into the words from `at` on. */
export function parseUuid(text: string, words: Int32Array, at: number): void {
  let digit = 0
  for (let word = 0; word < UUID_WORDS; word++) {
    let value = 0
    for (let i = 0; i < 8; i++) {
      if (digit === 8 || digit === 13 || digit === 18 || digit === 23) digit++
      value = (value << 4) | DIGITS[text.charCodeAt(digit++)]!
    }
    words[at + word] = value
  }
}

export class UuidTable {
  count = 0
  /** Keeps the touching from being optimised away. */
  touched = 0
  private readonly words: Int32Array
  private readonly mask: number
  private readonly capacity: number

  constructor(capacity: number) {
    const cells = 2 ** Math.ceil(Math.log2(capacity * 2))
    this.capacity = capacity
    this.words = new Int32Array(cells * CELL_WORDS)
    this.mask = this.words.length - 1
  }

  /** Loads the cache lines of UUIDs with these homes. */
  touch(homes: Int32Array, count: number): void {
    this.touched = touchWords(this.words, homes, count, 1)
  }

  /** Where {@link findFrom} begins for the UUID at `at` in `uuids`. */
  home(uuids: Int32Array, at: number): number {
    const mixed = Math.imul(uuids[at]! ^ (uuids[at]! >>> 15), 0x85ebca6b) ^ uuids[at + 2]!
    const hash = Math.imul((mixed ^ (mixed >>> 13)) + uuids[at + 1]!, 0xc2b2ae35) ^ uuids[at + 3]!
    return ((hash ^ (hash >>> 16)) << CELL_SHIFT) & this.mask
  }

  /** The slot, or 0. */
  findFrom(home: number, uuids: Int32Array, at: number): number {
    const { words, mask } = this
    for (let cell = home; ; cell = (cell + CELL_WORDS) & mask) {
      const slot = words[cell + SLOT]!
      if (slot === 0) return 0
      if (
        words[cell] === uuids[at] &&
        words[cell + 1] === uuids[at + 1] &&
        words[cell + 2] === uuids[at + 2] &&
        words[cell + 3] === uuids[at + 3]
      ) {
        return slot
      }
    }
  }

  /** Gives the next slot to a UUID that has none. */
  addFrom(home: number, uuids: Int32Array, at: number): number {
    if (this.count === this.capacity) throw new Error('too many UUIDs for a flat table')
    const { words, mask } = this
    let cell = home
    while (words[cell + SLOT] !== 0) cell = (cell + CELL_WORDS) & mask
    for (let i = 0; i < UUID_WORDS; i++) words[cell + i] = uuids[at + i]!
    words[cell + SLOT] = ++this.count
    return this.count
  }
}
