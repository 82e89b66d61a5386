/**
 * Integers that lie close together → slots, without hashing. Ids that were given out by a counter
 * and opened in that order cost no memory access of their own: a page of them is a run, of which
 * only its ends are known.
 *
 *   id:  │ page, upper 20 bits │ entry, lower 12 bits │
 *
 *   words:  │ directory: 2²⁰ × 4 words                      │ table of 4,096 words │ table │ …
 *             first entry of the run │ its length │           slot, or 0
 *             slot of entry 0, if it were in it │ begin of a table, or 0
 *
 *   a page is     when
 *   empty         no id of it is here: length and begin are 0
 *   a run         its ids were put in order without a gap: slots and entries differ by a constant
 *   a table       an id came that the run could not take: the run was written into a table
 *
 * A table is opened only while ids are dense, that is while
 *
 *     entries of all tables ≤ 8 × ids in here + ids elsewhere + 65,536
 *
 * so an id costs at most 32 bytes in tables or 4 bytes outside; other ids go to a hash index, and one
 * that went there stays there when a table is opened later. Which of the two holds an id is
 * therefore no result of anything. The second summand lets tables be opened again after a few
 * outliers have used up the free ones.
 *
 * The directory is 16 MiB of addresses, of which the system gives only the pages that are touched.
 * Of 1,048,576 ids put in order, a batch finds one in 3 ns; in tables in 11 to 17 ns, and in 35 where
 * the rest of the engine uses the caches as well (docs/decisions/0022).
 */
import { GrowingMemory } from './growing-memory.js'

const ENTRY_BITS = 12
const PAGE_ENTRIES = 1 << ENTRY_BITS
const ENTRY_MASK = PAGE_ENTRIES - 1
const ENTRIES_PER_ID_MAX = 8
const FREE_ENTRIES = 65_536

/** Words of a page in the directory. */
const RUN_FIRST = 0
const RUN_LENGTH = 1
const RUN_BASE = 2
const TABLE = 3
const PAGE_SHIFT = ENTRY_BITS - 2
const PAGE_MASK = ~3
const DIRECTORY_WORDS = 1 << (32 - PAGE_SHIFT)

export class DirectTable {
  /** Number of ids in here. */
  count = 0
  private words: Int32Array
  private tableCount = 0
  private readonly memory: GrowingMemory

  constructor(name: string) {
    this.memory = new GrowingMemory(name)
    this.memory.reserve(DIRECTORY_WORDS * Int32Array.BYTES_PER_ELEMENT)
    this.words = new Int32Array(this.memory.buffer)
  }

  /** The slot of an id given as Int32 or u32, or 0. */
  find(id: number): number {
    const { words } = this
    const page = (id >>> PAGE_SHIFT) & PAGE_MASK
    const entry = id & ENTRY_MASK
    // One comparison for both ends: below the first, the difference is a large unsigned number.
    if ((entry - words[page]!) >>> 0 < words[page + RUN_LENGTH]!) {
      return words[page + RUN_BASE]! + entry
    }
    const table = words[page + TABLE]!
    return table === 0 ? 0 : words[table + entry]!
  }

  /** One tight loop, so that the cache misses of many ids overlap. */
  findMany(ids: Int32Array, slots: Int32Array, count: number): void {
    const { words } = this
    for (let i = 0; i < count; i++) {
      const id = ids[i]!
      const page = (id >>> PAGE_SHIFT) & PAGE_MASK
      const entry = id & ENTRY_MASK
      if ((entry - words[page]!) >>> 0 < words[page + RUN_LENGTH]!) {
        slots[i] = words[page + RUN_BASE]! + entry
      } else {
        const table = words[page + TABLE]!
        slots[i] = table === 0 ? 0 : words[table + entry]!
      }
    }
  }

  /** Loads what finding each id needs; returns something derived from that. */
  touchMany(ids: Int32Array, count: number): number {
    let touched = 0
    for (let i = 0; i < count; i++) touched |= this.find(ids[i]!)
    return touched
  }

  /** Whether any id of this one's page is in here. */
  hasPage(id: number): boolean {
    const page = (id >>> PAGE_SHIFT) & PAGE_MASK
    return this.words[page + RUN_LENGTH] !== 0 || this.words[page + TABLE] !== 0
  }

  /** Puts an id, or returns false: it lies too far from others. `elsewhere` ids are not in here. */
  tryPut(id: number, slot: number, elsewhere: number): boolean {
    const page = (id >>> PAGE_SHIFT) & PAGE_MASK
    const entry = id & ENTRY_MASK
    let table = this.words[page + TABLE]!
    if (table === 0) {
      if (this.putInRun(page, entry, slot)) return true
      const entries = (this.tableCount + 1) * PAGE_ENTRIES
      if (entries > ENTRIES_PER_ID_MAX * this.count + elsewhere + FREE_ENTRIES) return false
      table = this.openTable(page)
    }
    this.words[table + entry] = slot
    this.count++
    return true
  }

  /** Takes out an id that is in here; of a run, only its last. */
  remove(id: number): void {
    const { words } = this
    const page = (id >>> PAGE_SHIFT) & PAGE_MASK
    const table = words[page + TABLE]!
    if (table === 0) words[page + RUN_LENGTH]!--
    else words[table + (id & ENTRY_MASK)] = 0
    this.count--
  }

  get memoryBytes(): number {
    return this.memory.lengthBytes
  }

  private putInRun(page: number, entry: number, slot: number): boolean {
    const { words } = this
    const length = words[page + RUN_LENGTH]!
    if (length === 0) {
      words[page + RUN_FIRST] = entry
      words[page + RUN_BASE] = slot - entry
    } else if (
      entry !== words[page + RUN_FIRST]! + length ||
      slot !== words[page + RUN_BASE]! + entry
    ) {
      return false
    }
    words[page + RUN_LENGTH] = length + 1
    this.count++
    return true
  }

  /** Turns the run of a page into a table. */
  private openTable(page: number): number {
    const table = DIRECTORY_WORDS + this.tableCount * PAGE_ENTRIES
    if (this.memory.reserve((table + PAGE_ENTRIES) * Int32Array.BYTES_PER_ELEMENT)) {
      this.words = new Int32Array(this.memory.buffer)
    }
    this.tableCount++
    const { words } = this
    const first = words[page + RUN_FIRST]!
    const end = first + words[page + RUN_LENGTH]!
    for (let e = first; e < end; e++) words[table + e] = words[page + RUN_BASE]! + e
    words[page + RUN_LENGTH] = 0
    words[page + TABLE] = table
    return table
  }
}
