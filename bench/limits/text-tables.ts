/**
 * Tables of the limit with text (text-limit.ts), by hand: open addressing in arrays of the right size
 * from the start, at most half full. A text is at most 20 bytes, as five words, with zeros behind it.
 *
 *   TextTable   cell: │ hash │ entry, 0: empty │        entry → five words
 *   KeyWindow   the same, where the oldest of a million entries leaves for each that enters
 */
import { touchWords } from '../../engine/memory/touch.js'

export const TEXT_WORDS = 5
const TEXT_BYTES = TEXT_WORDS * 4

const MULTIPLIER_1 = 0xcc9e2d51 | 0
const MULTIPLIER_2 = 0x1b873593

/** Encodes ASCII `text` as entry `at` of `bytes`, and returns its length. */
export function encodeText(text: string, bytes: Uint8Array, at: number): number {
  const start = at * TEXT_BYTES
  const { length } = text
  for (let i = 0; i < length; i++) bytes[start + i] = text.charCodeAt(i)
  return length
}

/** Of the text that is entry `at` of `words`. */
export function hashText(words: Int32Array, at: number): number {
  const start = at * TEXT_WORDS
  let hash = 0
  for (let i = 0; i < TEXT_WORDS; i++) {
    const word = Math.imul(words[start + i]!, MULTIPLIER_1)
    hash ^= Math.imul((word << 15) | (word >>> 17), MULTIPLIER_2)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

export class TextTable {
  /** Keeps the touching from being optimised away. */
  touched = 0
  /** Of entry e: words from e × TEXT_WORDS on. */
  protected readonly texts: Int32Array
  protected readonly cells: Int32Array
  protected readonly mask: number

  constructor(capacity: number) {
    const count = 2 ** Math.ceil(Math.log2(capacity * 2))
    this.cells = new Int32Array(count * 2)
    this.mask = this.cells.length - 1
    this.texts = new Int32Array((capacity + 1) * TEXT_WORDS)
  }

  /** Where the search for a hash begins. */
  home(hash: number): number {
    return (hash << 1) & this.mask
  }

  /** Loads the cache lines of texts with these homes. */
  touch(homes: Int32Array, count: number): void {
    this.touched = touchWords(this.cells, homes, count, 1)
  }

  /** The entry with the text that is entry `at` of `words`, or 0. */
  find(hash: number, words: Int32Array, at: number): number {
    const { cells, mask } = this
    let cell = this.home(hash)
    for (;;) {
      const entry = cells[cell + 1]!
      if (entry === 0) return 0
      if (cells[cell] === hash && this.isSame(entry, words, at)) return entry
      cell = (cell + 2) & mask
    }
  }

  put(entry: number, hash: number, words: Int32Array, at: number): void {
    const { cells, mask, texts } = this
    for (let i = 0; i < TEXT_WORDS; i++) texts[entry * TEXT_WORDS + i] = words[at * TEXT_WORDS + i]!
    let cell = this.home(hash)
    while (cells[cell + 1] !== 0) cell = (cell + 2) & mask
    cells[cell] = hash
    cells[cell + 1] = entry
  }

  private isSame(entry: number, words: Int32Array, at: number): boolean {
    const { texts } = this
    for (let i = 0; i < TEXT_WORDS; i++) {
      if (texts[entry * TEXT_WORDS + i] !== words[at * TEXT_WORDS + i]) return false
    }
    return true
  }
}

/** Entries are used in turn: a new one takes the place of the oldest. */
export class KeyWindow extends TextTable {
  count = 0
  private newest = 0
  private readonly capacity: number
  private readonly hashes: Int32Array
  /** Of an answer: content hash, sequence, time. */
  private readonly contents: Int32Array
  private readonly sequences: Float64Array
  private readonly times: Float64Array

  constructor(capacity: number) {
    super(capacity)
    this.capacity = capacity
    this.hashes = new Int32Array(capacity + 1)
    this.contents = new Int32Array(2 * (capacity + 1))
    this.sequences = new Float64Array(capacity + 1)
    this.times = new Float64Array(capacity + 1)
  }

  /** Puts the homes of the keys that leave for the next `count` into `homes`; returns how many do. */
  leavingHomes(count: number, homes: Int32Array): number {
    const leaving = Math.max(0, this.count + count - this.capacity)
    for (let i = 0; i < leaving; i++) {
      homes[i] = this.home(this.hashes[((this.newest + count - leaving + i) % this.capacity) + 1]!)
    }
    return leaving
  }

  /** Adds a key that is not there, with its answer. */
  add(
    hash: number,
    words: Int32Array,
    at: number,
    contentLow: number,
    contentHigh: number,
    sequence: number,
    timeUs: number,
  ): void {
    const entry = (this.newest % this.capacity) + 1
    if (this.count === this.capacity) this.remove(entry)
    else this.count++
    this.put(entry, hash, words, at)
    this.newest = entry
    this.hashes[entry] = hash
    this.contents[2 * entry] = contentLow
    this.contents[2 * entry + 1] = contentHigh
    this.sequences[entry] = sequence
    this.times[entry] = timeUs
  }

  /** Closes the gap: Knuth, TAOCP 3, 6.4, algorithm R. */
  private remove(entry: number): void {
    const { cells, mask } = this
    let gap = (this.hashes[entry]! << 1) & mask
    while (cells[gap + 1] !== entry) gap = (gap + 2) & mask
    for (let cell = (gap + 2) & mask; cells[cell + 1] !== 0; cell = (cell + 2) & mask) {
      const home = (cells[cell]! << 1) & mask
      if (((cell - home) & mask) < ((cell - gap) & mask)) continue
      cells[gap] = cells[cell]!
      cells[gap + 1] = cells[cell + 1]!
      gap = cell
    }
    cells[gap + 1] = 0
  }
}
