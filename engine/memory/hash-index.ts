/**
 * Open addressing in flat memory: hash → values, where the caller knows which value has its key.
 *
 *   for (let cell = index.firstCandidate(hash); cell >= 0; cell = index.nextCandidate(cell, hash)) {
 *     if (keyOf(index.valueAt(cell)) is the one) return it
 *   }
 *
 * Narrow cells (8 bytes) hold hash and value. Wide cells (16 bytes) hold an 8-byte key too, and
 * {@link HashIndex.findPair} compares it on the spot: 100 against 220 ns a random lookup among a
 * million, because the key is not fetched from a second place.
 *
 * All indexes are of this one class, so that the calls to it stay monomorphic. A value is not 0. The
 * same value or hash may be in it any number of times. Not for iteration: the order is random.
 */
import { assert } from '../../journal/errors.js'
import { HashPages, HOME_MASK } from './hash-pages.js'
import {
  CELL_HASH,
  CELL_KEY_HIGH,
  CELL_KEY_LOW,
  CELL_VALUE,
  NARROW_CELL_SHIFT,
  WIDE_CELL_SHIFT,
} from './memory-layout.js'

export type CellWidth = 'narrow' | 'wide'

export class HashIndex extends HashPages {
  count = 0

  /** `name` is for people, in the error when memory runs out. */
  constructor(name: string, width: CellWidth) {
    super(name, width === 'narrow' ? NARROW_CELL_SHIFT : WIDE_CELL_SHIFT)
  }

  /**
   * Loads the first cache line that a lookup of each hash needs; returns something derived from
   * them. Four a turn, as in touch.ts.
   */
  touchMany(hashes: Int32Array, count: number): number {
    const { cells } = this
    let touched = 0
    let i = 0
    for (; i + 4 <= count; i += 4) {
      touched |=
        (cells[this.homeCell(hashes[i] as number)] as number) |
        (cells[this.homeCell(hashes[i + 1] as number)] as number) |
        (cells[this.homeCell(hashes[i + 2] as number)] as number) |
        (cells[this.homeCell(hashes[i + 3] as number)] as number)
    }
    for (; i < count; i++) touched |= cells[this.homeCell(hashes[i] as number)] as number
    return touched
  }

  /** First cell with this hash, or -1. */
  firstCandidate(hash: number): number {
    const base = this.directory[hash >>> this.directoryShift] as number
    return this.scan(hash | 0, base, hash & HOME_MASK)
  }

  /** The next cell with the same hash after `cell`, or -1. */
  nextCandidate(cell: number, hash: number): number {
    const position = (cell >>> this.cellShift) & HOME_MASK
    const base = cell - (position << this.cellShift)
    return this.scan(hash | 0, base, (position + 1) & HOME_MASK)
  }

  /** An Int32: a value of 2³¹ or more comes back negative. */
  valueAt(cell: number): number {
    return this.cells[cell + CELL_VALUE] as number
  }

  /** Wide cells: the value of an 8-byte key, or 0. */
  findPair(hash: number, low: number, high: number): number {
    const cells = this.cells
    let base = this.directory[hash >>> this.directoryShift] as number
    let position = hash & HOME_MASK
    for (;;) {
      const cell = base + (position << WIDE_CELL_SHIFT)
      const value = cells[cell + CELL_VALUE] as number
      if (value === 0) {
        base = this.overflowPages === 0 ? 0 : this.overflowOf(base)
        if (base === 0) return 0
        position = hash & HOME_MASK
      } else if (cells[cell + CELL_KEY_LOW] === low && cells[cell + CELL_KEY_HIGH] === high) {
        return value
      } else {
        position = (position + 1) & HOME_MASK
      }
    }
  }

  insert(hash: number, value: number): void {
    this.place(hash, value)
  }

  /** Wide cells: the key in two Int32 halves. */
  insertPair(hash: number, value: number, low: number, high: number): void {
    const cell = this.place(hash, value)
    this.cells[cell + CELL_KEY_LOW] = low
    this.cells[cell + CELL_KEY_HIGH] = high
  }

  /** Removes one entry with this hash and value, which there must be. */
  remove(hash: number, value: number): void {
    let cell = this.firstCandidate(hash)
    while (cell >= 0 && this.valueAt(cell) !== (value | 0)) cell = this.nextCandidate(cell, hash)
    assert(cell >= 0, `value ${value} is not in the hash index`)
    const base = cell - (((cell >>> this.cellShift) & HOME_MASK) << this.cellShift)
    this.closeGap(base, cell)
    const page = base >>> this.pageShift
    this.used[page] = (this.used[page] as number) - 1
    this.count--
    this.releaseIfEmpty(base, hash)
  }

  private homeCell(hash: number): number {
    const base = this.directory[hash >>> this.directoryShift] as number
    return base + ((hash & HOME_MASK) << this.cellShift)
  }

  private scan(tag: number, firstBase: number, firstPosition: number): number {
    const { cells, cellShift } = this
    let base = firstBase
    let position = firstPosition
    for (;;) {
      const cell = base + (position << cellShift)
      if (cells[cell + CELL_VALUE] === 0) {
        base = this.overflowPages === 0 ? 0 : this.overflowOf(base)
        if (base === 0) return -1
        position = tag & HOME_MASK
      } else if (cells[cell + CELL_HASH] === tag) {
        return cell
      } else {
        position = (position + 1) & HOME_MASK
      }
    }
  }

  private place(hash: number, value: number): number {
    assert((value | 0) !== 0, 'a value of a hash index is not 0')
    const base = this.pageWithRoom(hash)
    const cell = this.emptyCell(base, hash)
    this.cells[cell + CELL_HASH] = hash
    this.cells[cell + CELL_VALUE] = value
    const page = base >>> this.pageShift
    this.used[page] = (this.used[page] as number) + 1
    this.count++
    return cell
  }

  /**
   * Empties a cell and moves back what probed past it, so that no tombstones remain: an entry moves
   * into the gap unless that lies before its home cell. Knuth, TAOCP 3, 6.4, algorithm R.
   */
  private closeGap(base: number, cell: number): void {
    const { cells, cellShift } = this
    const cellWords = 1 << cellShift
    let gap = (cell - base) >>> cellShift
    for (let position = (gap + 1) & HOME_MASK; ; position = (position + 1) & HOME_MASK) {
      const from = base + (position << cellShift)
      if (cells[from + CELL_VALUE] === 0) break
      const home = (cells[from + CELL_HASH] as number) & HOME_MASK
      const fromHome = (position - home) & HOME_MASK
      if (fromHome < ((position - gap) & HOME_MASK)) continue
      const to = base + (gap << cellShift)
      for (let word = 0; word < cellWords; word++) cells[to + word] = cells[from + word] as number
      gap = position
    }
    const emptied = base + (gap << cellShift)
    for (let word = 0; word < cellWords; word++) cells[emptied + word] = 0
  }
}
