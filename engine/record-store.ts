/** Streams whose state is a record: fixed fields in the slab, variable-length ones in columns. */
import type { ChunkedColumn } from '../journal/schema/chunked-column.js'
import { type PayloadLayout, stateBytes } from '../journal/schema/payload-layout.js'
import {
  createColumns,
  createStateViews,
  type StateIds,
  type StateView,
} from '../journal/schema/state-view.js'
import { AggregateStore } from './aggregate-store.js'
import type { Aggregate } from './domain.js'
import { SLOT_FIELDS, SLOT_FIELDS_WORD } from './slab-layout.js'
import type { UndoLog } from './undo-log.js'

/** Views are looked for one by one; beyond this many in one command, through a Map. */
const VIEWS_SEARCHED_MAX = 16

export class RecordStore extends AggregateStore {
  readonly columns: ChunkedColumn<unknown>[]
  /** Of a slot, behind version and pending. */
  readonly fieldWords: number
  /** What `evolve` changes; moved from slot to slot. */
  readonly writer: StateView
  private readonly createReader: () => StateView
  private readonly readers: StateView[] = []
  /** Ids of the readers that stand on slot 0, by index of the reader. */
  private readonly readerIds: unknown[] = []
  /** How many views were handed out since {@link releaseViews}. */
  readersUsed = 0
  private readonly readersBySlot = new Map<number, StateView>()

  constructor(aggregate: Aggregate, layout: PayloadLayout, ids: StateIds) {
    super(aggregate, stateBytes(layout))
    this.columns = createColumns(layout)
    this.fieldWords = this.strideWords - SLOT_FIELDS_WORD
    const { Writable, ReadOnly } = createStateViews(layout)
    this.writer = new Writable()
    this.writer.$attach(this.slab, this.columns, ids)
    this.createReader = () => {
      const reader = new ReadOnly()
      reader.$attach(this.slab, this.columns, ids)
      return reader
    }
    for (let i = 0; i < 2; i++) this.addReader()
  }

  /** The views that are handed out first (compiled-reader.ts). */
  get firstReaders(): readonly StateView[] {
    return this.readers.slice(0, 2)
  }

  /** Puts back the fields that `undo` saved last, which were of this slot. */
  restore(slot: number, undo: UndoLog): void {
    undo.restoreColumns(this.columns, slot)
    undo.restoreWords(this.words, slot * this.strideWords + SLOT_FIELDS_WORD, this.fieldWords)
  }

  override readable(slot: number, id: unknown): StateView {
    const { readers, readersUsed } = this
    if (readersUsed === 0) return this.nextReader(slot, id)
    // Without a slot there is nothing but the id to find a view by: all are searched.
    const isSearched = slot === 0 || readersUsed < VIEWS_SEARCHED_MAX
    const searched = isSearched ? readersUsed : VIEWS_SEARCHED_MAX
    for (let i = 0; i < searched; i++) {
      const reader = readers[i]!
      // A u64 is one id, whether it is given as a number or as a bigint.
      // biome-ignore lint/suspicious/noDoubleEquals: 5n == 5, and ids of one type have no other equals
      if (reader.$slot === slot && (slot !== 0 || this.readerIds[i] == id)) return reader
    }
    if (readersUsed >= VIEWS_SEARCHED_MAX && slot !== 0) {
      const known = this.readersBySlot.get(slot)
      if (known !== undefined) return known
    }
    return this.nextReader(slot, id)
  }

  override releaseViews(): void {
    const { readers, readersUsed } = this
    for (let i = 0; i < readersUsed; i++) readers[i]!.$poison()
    if (readersUsed > VIEWS_SEARCHED_MAX) this.readersBySlot.clear()
    this.readersUsed = 0
    this.hasViews = false
  }

  override copy(slot: number): Record<string, unknown> {
    const reader = this.createReader()
    reader.$wrap(slot * this.strideBytes + SLOT_FIELDS, slot)
    return reader.$copy()
  }

  private nextReader(slot: number, id: unknown): StateView {
    const index = this.readersUsed++
    if (index === this.readers.length) this.addReader()
    const reader = this.readers[index]!
    reader.$wrap(slot * this.strideBytes + SLOT_FIELDS, slot)
    if (slot === 0) this.readerIds[index] = id
    if (index >= VIEWS_SEARCHED_MAX) this.readersBySlot.set(slot, reader)
    return reader
  }

  private addReader(): void {
    this.readers.push(this.createReader())
    this.readerIds.push(undefined)
  }
}
