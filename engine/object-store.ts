/** Streams whose state is a JavaScript object. The slab holds only their versions. */
import { ChunkedColumn } from '../journal/schema/chunked-column.js'
import { AggregateStore } from './aggregate-store.js'
import type { Aggregate, ObjectState } from './domain.js'
import type { UndoLog } from './undo-log.js'

export class ObjectStore extends AggregateStore {
  readonly object: ObjectState<object>
  private readonly states = new ChunkedColumn<object | undefined>(undefined)
  /** What the running command was shown of streams without events, by id. */
  private readonly initials: object[] = []
  private readonly initialIds: unknown[] = []

  constructor(aggregate: Aggregate, object: ObjectState<object>) {
    super(aggregate, 0)
    this.object = object
  }

  /** The state that `evolve` changes; there is no way back from it. */
  writable(slot: number, undo: UndoLog): object {
    undo.hasObjectChanges = true
    let state = this.states.get(slot)
    if (state === undefined) {
      state = this.object.create()
      this.states.set(slot, state)
    }
    return state
  }

  override readable(slot: number, id: unknown): object {
    return this.states.get(slot) ?? this.initialOf(id)
  }

  /** Handlers get the state itself, which cannot be taken back; but nobody else sees these. */
  override releaseViews(): void {
    this.hasViews = false
    if (this.initials.length === 0) return
    this.initials.length = 0
    this.initialIds.length = 0
  }

  override copy(slot: number): object {
    return this.object.restore(structuredClone(this.object.snapshot(this.stateOf(slot))))
  }

  /** The state as plain data, for digests and snapshots. */
  snapshotOf(slot: number): unknown {
    return this.object.snapshot(this.stateOf(slot))
  }

  /** From what {@link snapshotOf} gave. @throws what `restore` throws */
  restoreState(slot: number, data: unknown): void {
    this.states.set(slot, this.object.restore(data))
  }

  private stateOf(slot: number): object {
    return this.states.get(slot) ?? this.object.create()
  }

  private initialOf(id: unknown): object {
    const { initials, initialIds } = this
    for (let i = 0; i < initials.length; i++) {
      // biome-ignore lint/suspicious/noDoubleEquals: a u64 is one id, as a number and as a bigint
      if (initialIds[i] == id) return initials[i]!
    }
    const initial = this.object.create()
    initials.push(initial)
    initialIds.push(id)
    return initial
  }
}
