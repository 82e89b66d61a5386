/**
 * What the running transaction has changed in record state, so that a range error in the middle
 * leaves nothing behind: a copy of each slot before an event is applied, restored newest first.
 * Object state has no copy; `hasObjectChanges` says that there is no way back.
 */
import type { RecordStore } from './record-store.js'

const WORDS_INITIAL = 4096

export class UndoLog {
  hasObjectChanges = false
  private readonly isKept: boolean
  private words = new Int32Array(WORDS_INITIAL)
  private wordCount = 0
  /** Entries used of `stores` and `slots`: cutting arrays to nothing each time is slow. */
  private count = 0
  private readonly stores: RecordStore[] = []
  private readonly slots: number[] = []
  private columnValues: unknown[] = []

  /** At replay there is no way back, so nothing is kept for one. */
  constructor(isKept: boolean) {
    this.isKept = isKept
  }

  clear(): void {
    this.hasObjectChanges = false
    this.count = 0
    this.wordCount = 0
    if (this.columnValues.length > 0) this.columnValues = []
  }

  save(store: RecordStore, slot: number): void {
    if (!this.isKept) return
    const { strideWords, slabWords, columns } = store
    if (this.wordCount + strideWords > this.words.length) this.grow(strideWords)
    const { words } = this
    const from = slot * strideWords
    let to = this.wordCount
    for (let i = 0; i < strideWords; i++) words[to++] = slabWords[from + i]!
    this.wordCount = to
    this.stores[this.count] = store
    this.slots[this.count++] = slot
    for (let i = 0; i < columns.length; i++) this.columnValues.push(columns[i]!.get(slot))
  }

  /** Puts back everything saved since {@link clear}. */
  restore(): void {
    while (this.count > 0) {
      const store = this.stores[--this.count]!
      const slot = this.slots[this.count]!
      const { strideWords, slabWords, columns } = store
      this.wordCount -= strideWords
      for (let w = 0; w < strideWords; w++) {
        slabWords[slot * strideWords + w] = this.words[this.wordCount + w]!
      }
      for (let c = columns.length - 1; c >= 0; c--) columns[c]!.set(slot, this.columnValues.pop())
    }
    this.clear()
  }

  private grow(wordsNeeded: number): void {
    const larger = new Int32Array(Math.max(this.words.length * 2, this.wordCount + wordsNeeded))
    larger.set(this.words)
    this.words = larger
  }
}
