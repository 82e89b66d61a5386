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
import { getU48, setU48 } from '../journal/layout.js'
import type { IdType } from '../journal/schema/id-type.js'
import type { Aggregate } from './domain.js'
import { createIdIndex, type IdIndex } from './memory/id-index.js'
import { SLOT_FIELDS, SLOT_PENDING, SLOT_VERSION, SLOT_VERSION_HIGH } from './slab-layout.js'
import type { UndoLog } from './undo-log.js'

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
  }

  version(slot: number): number {
    const offset = slot * this.strideBytes
    return getU48(this.slab, offset + SLOT_VERSION, offset + SLOT_VERSION_HIGH)
  }

  /** The stream has reached `version`; nothing is pending. */
  setVersion(slot: number, version: number): void {
    const offset = slot * this.strideBytes
    setU48(this.slab, offset + SLOT_VERSION, offset + SLOT_VERSION_HIGH, version)
    this.slab.setUint16(offset + SLOT_PENDING, 0, true)
  }

  pending(slot: number): number {
    return this.slab.getUint16(slot * this.strideBytes + SLOT_PENDING, true)
  }

  setPending(slot: number, count: number): void {
    this.slab.setUint16(slot * this.strideBytes + SLOT_PENDING, count, true)
  }

  /** Loads the slot of each stream; returns something derived from what was loaded. */
  touchMany(slots: Int32Array, count: number): number {
    const { slab, strideBytes } = this
    let touched = 0
    for (let i = 0; i < count; i++) touched += slab.getInt32(slots[i]! * strideBytes, true)
    return touched
  }

  get isFull(): boolean {
    return this.ids.count >= this.capacity
  }

  /** The state that `evolve` changes, after `undo` has been told. */
  abstract writable(slot: number, undo: UndoLog): unknown

  /** The state that `decide` reads; the same view for the same stream until {@link releaseViews}. */
  abstract readable(slot: number, id: unknown): unknown

  /** Makes all views handed out since the last call unusable. */
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
