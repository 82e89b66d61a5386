/**
 * What the running transaction has changed in record state, so that a range error in the middle
 * leaves nothing behind: a copy of each slot before an event is applied, restored newest first.
 * Object state has no copy; `hasObjectChanges` says that there is no way back.
 */
import type { AggregateStore } from './aggregate-store.js'
import type { RecordStore } from './record-store.js'

const WORDS_INITIAL = 4096

/** Behind the words of a slot: index of its store, slot. */
const ENTRY_HEADER_WORDS = 2

export class UndoLog {
  hasObjectChanges = false
  private readonly isKept: boolean
  private readonly stores: readonly AggregateStore[]
  private words = new Int32Array(WORDS_INITIAL)
  private wordCount = 0
  private columnValues: unknown[] = []

  /** At replay there is no way back, so nothing is kept for one. */
  constructor(stores: readonly AggregateStore[], isKept: boolean) {
    this.stores = stores
    this.isKept = isKept
  }

  clear(): void {
    this.hasObjectChanges = false
    this.wordCount = 0
    if (this.columnValues.length > 0) this.columnValues = []
  }

  save(store: RecordStore, slot: number): void {
    if (!this.isKept) return
    const { strideWords, slabWords, columns } = store
    const needed = this.wordCount + strideWords + ENTRY_HEADER_WORDS
    if (needed > this.words.length) this.grow(needed)
    const { words } = this
    const from = slot * strideWords
    let to = this.wordCount
    for (let i = 0; i < strideWords; i++) words[to++] = slabWords[from + i]!
    // Behind the words, since the newest entry is read first.
    words[to++] = store.index
    words[to++] = slot
    this.wordCount = to
    for (let i = 0; i < columns.length; i++) this.columnValues.push(columns[i]!.get(slot))
  }

  /** Puts back everything saved since {@link clear}. */
  restore(): void {
    const { words } = this
    while (this.wordCount > 0) {
      this.wordCount -= ENTRY_HEADER_WORDS
      const store = this.stores[words[this.wordCount]!] as RecordStore
      const slot = words[this.wordCount + 1]!
      const { strideWords, slabWords, columns } = store
      this.wordCount -= strideWords
      for (let w = 0; w < strideWords; w++) {
        slabWords[slot * strideWords + w] = words[this.wordCount + w]!
      }
      for (let c = columns.length - 1; c >= 0; c--) columns[c]!.set(slot, this.columnValues.pop())
    }
    this.clear()
  }

  private grow(wordsNeeded: number): void {
    const larger = new Int32Array(Math.max(this.words.length * 2, wordsNeeded))
    larger.set(this.words)
    this.words = larger
  }
}
