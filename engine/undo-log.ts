/**
 * What the running transaction has changed in record state, so that a range error in the middle
 * leaves nothing behind: a copy of each slot before an event is applied, restored newest first.
 * Object state has no copy; `hasObjectChanges` says that there is no way back.
 *
 *   words:  … │ words of a slot │ index of its store │ slot │ …        columnValues: beside them
 *                                 the newest entry is read first, from its end
 */
import type { AggregateStore } from './aggregate-store.js'
import type { RecordStore } from './record-store.js'

const WORDS_INITIAL = 4096

/** What an entry has besides the words of its slot. */
export const UNDO_ENTRY_WORDS = 2

export class UndoLog {
  hasObjectChanges = false
  /** At replay there is no way back, so nothing is kept for one. */
  isKept = true
  /** In `roomFor`'s words: where the next entry goes. */
  wordCount = 0
  private words = new Int32Array(WORDS_INITIAL)
  private columnValues: unknown[] = []
  private readonly stores: readonly AggregateStore[]

  constructor(stores: readonly AggregateStore[]) {
    this.stores = stores
  }

  clear(): void {
    this.hasObjectChanges = false
    this.wordCount = 0
    if (this.columnValues.length > 0) this.columnValues = []
  }

  /** Words with room for an entry of `count` at `wordCount`. */
  roomFor(count: number): Int32Array {
    while (this.wordCount + count > this.words.length) this.grow()
    return this.words
  }

  save(store: RecordStore, slot: number): void {
    if (!this.isKept) return
    const { strideWords, words, columns } = store
    const saved = this.roomFor(strideWords + UNDO_ENTRY_WORDS)
    const from = slot * strideWords
    let to = this.wordCount
    for (let i = 0; i < strideWords; i++) saved[to++] = words[from + i]!
    saved[to++] = store.index
    saved[to++] = slot
    this.wordCount = to
    for (let i = 0; i < columns.length; i++) this.columnValues.push(columns[i]!.get(slot))
  }

  /** Puts back everything saved since {@link clear}. */
  restore(): void {
    const { words: saved } = this
    while (this.wordCount > 0) {
      this.wordCount -= UNDO_ENTRY_WORDS
      const store = this.stores[saved[this.wordCount]!] as RecordStore
      const slot = saved[this.wordCount + 1]!
      const { strideWords, words, columns } = store
      this.wordCount -= strideWords
      for (let w = 0; w < strideWords; w++) {
        words[slot * strideWords + w] = saved[this.wordCount + w]!
      }
      for (let c = columns.length - 1; c >= 0; c--) columns[c]!.set(slot, this.columnValues.pop())
    }
    this.clear()
  }

  private grow(): void {
    const larger = new Int32Array(this.words.length * 2)
    larger.set(this.words)
    this.words = larger
  }
}
