/** Streams whose state is a JavaScript object. The slab holds only their versions. */
import { ChunkedColumn } from '../journal/schema/chunked-column.js'
import { AggregateStore } from './aggregate-store.js'
import type { Aggregate, ObjectState } from './domain.js'
import type { UndoLog } from './undo-log.js'

export class ObjectStore extends AggregateStore {
  readonly object: ObjectState<object>
  private readonly states = new ChunkedColumn<object | undefined>(undefined)
  /** What a stream without events looks like; `decide` only reads it. */
  private readonly initial: object

  constructor(aggregate: Aggregate, object: ObjectState<object>) {
    super(aggregate, 0)
    this.object = object
    this.initial = object.create()
  }

  override writable(slot: number, undo: UndoLog): object {
    undo.hasObjectChanges = true
    let state = this.states.get(slot)
    if (state === undefined) {
      state = this.object.create()
      this.states.set(slot, state)
    }
    return state
  }

  override readable(slot: number): object {
    return this.states.get(slot) ?? this.initial
  }

  override releaseViews(): void {
    // Handlers get the state itself: there is no view to take back.
  }

  override copy(slot: number): object {
    return this.object.restore(structuredClone(this.object.snapshot(this.readable(slot))))
  }

  /** The state as plain data, for digests and snapshots. */
  snapshotOf(slot: number): unknown {
    return this.object.snapshot(this.readable(slot))
  }
}
