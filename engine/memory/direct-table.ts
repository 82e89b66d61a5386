/**
 * Integers that lie close together → slots, without hashing: a lookup is two loads, and ids that
 * are neighbours share a cache line.
 *
 *   id:  │ page, upper 20 bits │ entry, lower 12 bits │
 *
 *   words:  │ directory: 2²⁰ words    │ page of 4,096 words │ page │ page │ …
 *             begin of a page, or 0     slot, or 0
 *
 * A page is opened only while ids are dense, that is while
 *
 *     entries of all pages ≤ 8 × ids in pages + ids elsewhere + 65,536
 *
 * so an id costs at most 32 bytes in pages or 4 bytes outside; other ids go to a hash index, and one
 * that went there stays there when its page is opened later. Which of the two holds an id is
 * therefore no result of anything. The second summand lets pages be opened again after a few
 * outliers have used up the free ones.
 *
 * The directory is 4 MiB of addresses, of which the system gives only the pages that are touched.
 */
import { GrowingMemory } from './growing-memory.js'

const ENTRY_BITS = 12
const PAGE_ENTRIES = 1 << ENTRY_BITS
const ENTRY_MASK = PAGE_ENTRIES - 1
const DIRECTORY_WORDS = 1 << (32 - ENTRY_BITS)
const ENTRIES_PER_ID_MAX = 8
const FREE_ENTRIES = 65_536

export class DirectTable {
  /** Number of ids in pages. */
  count = 0
  private words: Int32Array
  private pageCount = 0
  private readonly memory: GrowingMemory

  constructor(name: string) {
    this.memory = new GrowingMemory(name)
    this.memory.reserve(DIRECTORY_WORDS * Int32Array.BYTES_PER_ELEMENT)
    this.words = new Int32Array(this.memory.buffer)
  }

  /** The slot of an id given as Int32 or u32, or 0. */
  find(id: number): number {
    const words = this.words
    const page = words[id >>> ENTRY_BITS] as number
    return page === 0 ? 0 : (words[page + (id & ENTRY_MASK)] as number)
  }

  /** One tight loop: a lookup is two loads, and those of many ids overlap. */
  findMany(ids: Int32Array, slots: Int32Array, count: number): void {
    const words = this.words
    for (let i = 0; i < count; i++) {
      const id = ids[i] as number
      const page = words[id >>> ENTRY_BITS] as number
      slots[i] = page === 0 ? 0 : (words[page + (id & ENTRY_MASK)] as number)
    }
  }

  hasPage(id: number): boolean {
    return this.words[id >>> ENTRY_BITS] !== 0
  }

  /** Puts an id, or returns false: it lies too far from others. `elsewhere` ids are not in here. */
  tryPut(id: number, slot: number, elsewhere: number): boolean {
    let page = this.words[id >>> ENTRY_BITS] as number
    if (page === 0) {
      const entries = (this.pageCount + 1) * PAGE_ENTRIES
      if (entries > ENTRIES_PER_ID_MAX * this.count + elsewhere + FREE_ENTRIES) return false
      page = this.openPage(id >>> ENTRY_BITS)
    }
    this.words[page + (id & ENTRY_MASK)] = slot
    this.count++
    return true
  }

  /** Takes out an id that is in here. */
  remove(id: number): void {
    this.words[(this.words[id >>> ENTRY_BITS] as number) + (id & ENTRY_MASK)] = 0
    this.count--
  }

  get memoryBytes(): number {
    return this.memory.lengthBytes
  }

  private openPage(directoryIndex: number): number {
    const page = DIRECTORY_WORDS + this.pageCount * PAGE_ENTRIES
    if (this.memory.reserve((page + PAGE_ENTRIES) * Int32Array.BYTES_PER_ELEMENT)) {
      this.words = new Int32Array(this.memory.buffer)
    }
    this.pageCount++
    this.words[directoryIndex] = page
    return page
  }
}
