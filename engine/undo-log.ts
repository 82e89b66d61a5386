/**
 * What the running transaction has changed in record state, so that a range error in the middle
 * leaves nothing behind: the fields of each slot before an event is applied, taken back newest first.
 * Object state has no copy; `hasObjectChanges` says that there is no way back.
 *
 *   words:         │ fields of the 1st event's slot │ of the 2nd │ …      ▲ wordCount
 *   columnValues:  what its columns held, in the same order
 *
 * Which slot an entry belongs to is not kept: the transaction's records say it (applier.ts). Every
 * event pays for this and hardly any needs it, so live-event.ts writes the words by itself. At replay
 * there is no way back, and nothing is kept for one.
 */
import type { ChunkedColumn } from '../journal/schema/chunked-column.js'

const WORDS_INITIAL = 4096

export class UndoLog {
  hasObjectChanges = false
  /** With room for all events that {@link begin} was told of. */
  words = new Int32Array(WORDS_INITIAL)
  wordCount = 0
  private columnValues: unknown[] = []
  /** What an event takes at most. */
  private readonly entryWordsMax: number

  constructor(entryWordsMax: number) {
    this.entryWordsMax = entryWordsMax
  }

  /** A transaction of `eventCount` events is about to be applied. */
  begin(eventCount: number): void {
    this.hasObjectChanges = false
    this.wordCount = 0
    if (this.columnValues.length > 0) this.columnValues = []
    const needed = eventCount * this.entryWordsMax
    if (needed > this.words.length) this.words = new Int32Array(needed)
  }

  /** Words `from` to `from + count` of a slab: for slots of many words. */
  saveWords(words: Int32Array, from: number, count: number): void {
    const { words: saved, wordCount } = this
    for (let i = 0; i < count; i++) saved[wordCount + i] = words[from + i]!
    this.wordCount = wordCount + count
  }

  saveColumns(columns: readonly ChunkedColumn<unknown>[], slot: number): void {
    for (let i = 0; i < columns.length; i++) this.columnValues.push(columns[i]!.get(slot))
  }

  /** Takes the newest words out of here and back to where they were. */
  restoreWords(words: Int32Array, from: number, count: number): void {
    this.wordCount -= count
    for (let i = 0; i < count; i++) words[from + i] = this.words[this.wordCount + i]!
  }

  restoreColumns(columns: readonly ChunkedColumn<unknown>[], slot: number): void {
    for (let i = columns.length - 1; i >= 0; i--) columns[i]!.set(slot, this.columnValues.pop())
  }
}
