/**
 * All streams of one aggregate in one engine: ids, slots, versions and state.
 *
 *   id ──index──▶ slot ──▶ slab: version, pending, record state       (slab-layout.ts)
 *                      └─▶ columns: variable-length fields, or the object state
 *
 * The slab is reserved once and neither moves nor grows; the system gives pages as they are touched.
 * `record-store.ts` and `object-store.ts` are the two kinds.
 */
import { TidewheelError } from '../journal/errors.js'
import { STREAM_VERSION_MAX } from '../journal/record-layout.js'
import type { IdType } from '../journal/schema/id-type.js'
import type { Aggregate } from './domain.js'
import { createIdIndex, type IdIndex } from './memory/id-index.js'
import { touchWords } from './memory/touch.js'
import {
  SLOT_FIELDS,
  SLOT_PENDING_SHIFT,
  SLOT_PENDING_WORD,
  SLOT_VERSION_HIGH_MASK,
  SLOT_VERSION_WORD,
} from './slab-layout.js'

export abstract class AggregateStore {
  readonly name: string
  readonly index: number
  readonly capacity: number
  readonly strideBytes: number
  readonly idType: IdType
  readonly ids: IdIndex<unknown>
  /** Whether finding an id costs a hash; a small integer is looked up directly. */
  readonly hasHashedIds: boolean
  readonly slab: DataView
  /** The same memory, and what a slot takes of it. */
  readonly words: Int32Array
  readonly strideWords: number
  /** Whether views were handed out since {@link releaseViews}; whoever hands them out says so. */
  hasViews = false
  /** Number of the aggregate in the journal's catalogue. */
  catalogueNumber = 0

  constructor(aggregate: Aggregate, stateBytes: number) {
    const { name, capacity } = aggregate
    this.name = name
    this.index = aggregate.index
    this.idType = aggregate.idType
    this.capacity = capacity
    this.strideBytes = SLOT_FIELDS + stateBytes
    this.hasHashedIds = aggregate.idType !== 'u32'
    this.ids = createIdIndex(aggregate.idType) as IdIndex<unknown>
    this.slab = reserveSlab(name, capacity, this.strideBytes)
    this.words = new Int32Array(this.slab.buffer)
    this.strideWords = this.strideBytes / Int32Array.BYTES_PER_ELEMENT
  }

  /** Of the last event applied; 0 without events. */
  version(slot: number): number {
    const { words } = this
    const at = slot * this.strideWords
    const high = words[at + SLOT_PENDING_WORD]! & SLOT_VERSION_HIGH_MASK
    const low = words[at + SLOT_VERSION_WORD]! >>> 0
    return high === 0 ? low : low + high * 0x1_0000_0000
  }

  /** The stream has reached `version`; nothing is pending. */
  setVersion(slot: number, version: number): void {
    const { words } = this
    const at = slot * this.strideWords
    words[at + SLOT_VERSION_WORD] = version | 0
    words[at + SLOT_PENDING_WORD] = Math.floor(version / 0x1_0000_0000)
  }

  isPending(slot: number): boolean {
    return this.words[slot * this.strideWords + SLOT_PENDING_WORD]! >>> SLOT_PENDING_SHIFT !== 0
  }

  /**
   * Counts one more pending event of the stream, and returns the version that it will have; or 0,
   * and counts nothing, when versions have come to their end. Generated code does the common case
   * by itself (live-event.ts).
   */
  addPending(slot: number): number {
    const at = slot * this.strideWords + SLOT_PENDING_WORD
    const rest = this.words[at]!
    const version = this.version(slot) + (rest >>> SLOT_PENDING_SHIFT) + 1
    if (version > STREAM_VERSION_MAX) return 0
    this.words[at] = rest + (1 << SLOT_PENDING_SHIFT)
    return version
  }

  /** What the running command has emitted to the stream is taken back. */
  clearPending(slot: number): void {
    this.words[slot * this.strideWords + SLOT_PENDING_WORD]! &= SLOT_VERSION_HIGH_MASK
  }

  /** Loads the slot of each stream; returns something derived from what was loaded. */
  touchMany(slots: Int32Array, count: number): number {
    return touchWords(this.words, slots, count, this.strideWords)
  }

  get isFull(): boolean {
    return this.ids.count >= this.capacity
  }

  /** The state that `decide` reads; the same view for the same stream until {@link releaseViews}. */
  abstract readable(slot: number, id: unknown): unknown

  /** Makes all views handed out since the last call unusable, and sets `hasViews` back. */
  abstract releaseViews(): void

  /** A copy of the state that no later command changes. */
  abstract copy(slot: number): unknown
}

function reserveSlab(name: string, capacity: number, strideBytes: number): DataView {
  const lengthBytes = (capacity + 1) * strideBytes
  try {
    return new DataView(new ArrayBuffer(lengthBytes))
  } catch (cause) {
    throw new TidewheelError(
      'OUT_OF_MEMORY',
      `the system refused ${lengthBytes} bytes for ${capacity} streams of aggregate ${name}; lower its capacity, or give the process more memory`,
      { cause },
    )
  }
}
