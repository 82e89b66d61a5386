/** Ids of streams on a thread that does not have the state: fetched in pieces, and kept. */
import { ChunkedColumn } from '../journal/schema/chunked-column.js'
import type { IdValue } from '../journal/schema/id-type.js'
import type { IdSource } from './processor-side.js'

const FETCH_COUNT = 1024

type Fetch = (aggregateIndex: number, slot: number, count: number) => Promise<IdValue[]>

export class RemoteIds implements IdSource {
  isMissing = false
  private missingAggregate = 0
  private missingSlot = 0
  private readonly known: ChunkedColumn<IdValue | undefined>[] = []
  private readonly fetch: Fetch

  constructor(fetch: Fetch) {
    this.fetch = fetch
  }

  idOf(aggregateIndex: number, slot: number): IdValue | undefined {
    if (slot === 0) return undefined
    const id = this.columnOf(aggregateIndex).get(slot)
    if (id === undefined) {
      this.isMissing = true
      this.missingAggregate = aggregateIndex
      this.missingSlot = slot
    }
    return id
  }

  async fetchMissing(): Promise<void> {
    const { missingAggregate, missingSlot } = this
    // Slots are given in order, so neighbours are read together.
    const first = missingSlot - (missingSlot % FETCH_COUNT) || 1
    const column = this.columnOf(missingAggregate)
    const ids = await this.fetch(missingAggregate, first, FETCH_COUNT)
    for (let i = 0; i < ids.length; i++) column.set(first + i, ids[i])
    this.isMissing = false
  }

  private columnOf(aggregateIndex: number): ChunkedColumn<IdValue | undefined> {
    let column = this.known[aggregateIndex]
    if (column === undefined) {
      column = new ChunkedColumn<IdValue | undefined>(undefined)
      this.known[aggregateIndex] = column
    }
    return column
  }
}
