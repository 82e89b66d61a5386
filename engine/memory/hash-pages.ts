/**
 * The memory of a hash index: extendible hashing. It grows by splitting one page of 1,024 cells in
 * two, so that no addition ever moves more than a page.
 *
 *   hash:  │ directory index, upper `depth` bits │ …             │ home cell, lower 10 bits │
 *
 *   directory            pages (in one growing memory)
 *   ┌────┐              ┌──────────────────────────┐
 *   │ 00 ├─────────────▶│ ▒ ▒▒  ▒ ▒▒▒   ▒          │ depth 2
 *   │ 01 ├────────────┐ └──────────────────────────┘
 *   │ 10 ├──────────┐ │ ┌──────────────────────────┐
 *   │ 11 ├────────┐ │ └▶│ ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒   ├─▶ overflow page, only when the hashes
 *   └────┘        │ │   └──────────────────────────┘   are so much alike that splitting is no use
 *                 └─┴──▶ one page of depth 1
 *
 * Rules
 * - A page holds at most 768 entries, so that probing always meets an empty cell.
 * - A full page splits by the next bit of the hash. Where that needs a directory of more than eight
 *   entries a page, it gets an overflow page instead: random hashes need two, so only hashes that
 *   agree in most of their bits come here. A lookup then costs as much as there are entries that
 *   collide, and memory stays in proportion to the entries.
 * - Pages that split are never joined again: the memory is that of the largest count so far. Empty
 *   overflow pages are used again.
 *
 * Source: R. Fagin and others, "Extendible hashing", ACM TODS 4 (1979).
 */
import { GrowingMemory } from './growing-memory.js'
import { CELL_HASH, CELL_VALUE } from './memory-layout.js'

const PAGE_BITS = 10
export const PAGE_CELLS = 1 << PAGE_BITS
export const HOME_MASK = PAGE_CELLS - 1
export const ENTRIES_A_PAGE_MAX = (PAGE_CELLS / 4) * 3
const DIRECTORY_ENTRIES_A_PAGE_MAX = 8
/** Deeper, the bits of the directory index would also choose the home cell. */
const DEPTH_MAX = 32 - PAGE_BITS

/** Where the entries of the page that is being split wait; 4 words is the widest cell. */
const splitScratch = new Int32Array(PAGE_CELLS * 4)

export abstract class HashPages {
  protected cells: Int32Array
  /** For each prefix of a hash, the index in `cells` at which its page begins. */
  protected directory: Int32Array = new Int32Array(2)
  protected directoryShift = 31
  protected overflowPages = 0
  protected readonly cellShift: number
  protected readonly pageShift: number
  /** By page: number of entries. */
  protected used: Int32Array = new Int32Array(16)
  /** By page: overflow page, or next free page; 0 is none, since page 0 is never either. */
  private next: Int32Array = new Int32Array(16)
  /** By page: how many upper bits of the hash all its entries share. */
  private depths: Uint8Array = new Uint8Array(16)
  private pageCount = 0
  /** Pages that the directory leads to. */
  private homePages = 2
  private firstFreePage = 0
  private readonly memory: GrowingMemory

  constructor(name: string, cellShift: number) {
    this.cellShift = cellShift
    this.pageShift = PAGE_BITS + cellShift
    this.memory = new GrowingMemory(name)
    this.cells = new Int32Array(this.memory.buffer)
    this.directory[0] = this.openPage(1) << this.pageShift
    this.directory[1] = this.openPage(1) << this.pageShift
  }

  get memoryBytes(): number {
    const perPage = this.used.byteLength + this.next.byteLength + this.depths.byteLength
    return this.memory.lengthBytes + this.directory.byteLength + perPage
  }

  /** Begin of a page for an entry with this hash, which has room for it. */
  protected pageWithRoom(hash: number): number {
    for (;;) {
      const base = this.directory[hash >>> this.directoryShift] as number
      const page = base >>> this.pageShift
      if ((this.used[page] as number) < ENTRIES_A_PAGE_MAX) return base
      if ((this.next[page] as number) !== 0 || !this.canSplit(page)) return this.overflowRoom(page)
      this.split(page, hash)
    }
  }

  /** Begin of the page that continues the one that begins at `base`, or 0. */
  protected overflowOf(base: number): number {
    return (this.next[base >>> this.pageShift] as number) << this.pageShift
  }

  /** The page at `base` has lost an entry: gives it back if it is an overflow page without any. */
  protected releaseIfEmpty(base: number, hash: number): void {
    const page = base >>> this.pageShift
    if (this.overflowPages === 0 || (this.used[page] as number) !== 0) return
    let previous = (this.directory[hash >>> this.directoryShift] as number) >>> this.pageShift
    if (previous === page) return
    while ((this.next[previous] as number) !== page) previous = this.next[previous] as number
    this.next[previous] = this.next[page] as number
    this.next[page] = this.firstFreePage
    this.firstFreePage = page
    this.overflowPages--
  }

  /** First empty cell for an entry with this hash in the page that begins at `base`. */
  protected emptyCell(base: number, hash: number): number {
    const { cells, cellShift } = this
    let position = hash & HOME_MASK
    while (cells[base + (position << cellShift) + CELL_VALUE] !== 0) {
      position = (position + 1) & HOME_MASK
    }
    return base + (position << cellShift)
  }

  private canSplit(page: number): boolean {
    const depth = this.depths[page] as number
    if (1 << depth < this.directory.length) return true
    if (depth >= DEPTH_MAX) return false
    return 2 * this.directory.length <= DIRECTORY_ENTRIES_A_PAGE_MAX * this.homePages
  }

  private split(page: number, hash: number): void {
    const depth = this.depths[page] as number
    const opened = this.openPage(depth + 1)
    if (1 << depth === this.directory.length) this.doubleDirectory()
    this.depths[page] = depth + 1
    this.homePages++
    const base = page << this.pageShift
    const openedBase = opened << this.pageShift

    // The entries of the directory that share the page's prefix: the upper half is the new page's.
    const span = this.directory.length >>> depth
    const begin = (hash >>> (32 - depth)) * span
    this.directory.fill(openedBase, begin + span / 2, begin + span)

    const { cells, cellShift } = this
    const pageWords = PAGE_CELLS << cellShift
    const cellWords = 1 << cellShift
    splitScratch.set(cells.subarray(base, base + pageWords))
    cells.fill(0, base, base + pageWords)
    let moved = 0
    for (let from = 0; from < pageWords; from += cellWords) {
      if (splitScratch[from + CELL_VALUE] === 0) continue
      const entryHash = splitScratch[from + CELL_HASH] as number
      const bit = (entryHash >>> (31 - depth)) & 1
      const to = this.emptyCell(bit === 1 ? openedBase : base, entryHash)
      for (let word = 0; word < cellWords; word++) {
        cells[to + word] = splitScratch[from + word] as number
      }
      moved += bit
    }
    this.used[opened] = moved
    this.used[page] = (this.used[page] as number) - moved
  }

  private doubleDirectory(): void {
    const { directory } = this
    const doubled = new Int32Array(directory.length * 2)
    for (let i = 0; i < directory.length; i++) {
      const base = directory[i] as number
      doubled[2 * i] = base
      doubled[2 * i + 1] = base
    }
    this.directory = doubled
    this.directoryShift--
  }

  private overflowRoom(home: number): number {
    let page = home
    while ((this.used[page] as number) >= ENTRIES_A_PAGE_MAX) {
      let next = this.next[page] as number
      if (next === 0) {
        next = this.openPage(0)
        this.next[page] = next
        this.overflowPages++
      }
      page = next
    }
    return page << this.pageShift
  }

  private openPage(depth: number): number {
    let page = this.firstFreePage
    if (page !== 0) {
      this.firstFreePage = this.next[page] as number
    } else {
      page = this.pageCount
      const pageBytes = (PAGE_CELLS << this.cellShift) * Int32Array.BYTES_PER_ELEMENT
      if (this.memory.reserve((page + 1) * pageBytes)) {
        this.cells = new Int32Array(this.memory.buffer)
      }
      if (page === this.used.length) this.doublePageTables()
      this.pageCount++
    }
    this.depths[page] = depth
    this.used[page] = 0
    this.next[page] = 0
    return page
  }

  private doublePageTables(): void {
    const length = 2 * this.used.length
    const { used, next, depths } = this
    this.used = new Int32Array(length)
    this.used.set(used)
    this.next = new Int32Array(length)
    this.next.set(next)
    this.depths = new Uint8Array(length)
    this.depths.set(depths)
  }
}
