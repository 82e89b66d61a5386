/**
 * The first place at which two states of one domain differ: what a digest cannot tell. It looks at
 * what the digest hashes, stream by stream, in the same order.
 */
import type { AggregateStore } from './aggregate-store.js'
import type { DomainRuntime } from './domain-runtime.js'
import { ObjectStore } from './object-store.js'
import { hashStream, stateDigest } from './state-digest.js'

export interface StateDifference {
  /** Undefined when all streams agree, and something else differs. */
  readonly aggregate: string | undefined
  readonly id: unknown
  /** The state in either: plain data. Undefined where the stream is in one of them only. */
  readonly first: unknown
  readonly second: unknown
}

/** Undefined when the digests are the same. */
export function findDifference(
  first: DomainRuntime,
  second: DomainRuntime,
): StateDifference | undefined {
  // Much faster than stream by stream, and mostly all that is to be said.
  if (stateDigest(first) === stateDigest(second)) return undefined
  for (const [i, a] of first.stores.entries()) {
    const b = second.stores[i] as AggregateStore
    const count = Math.max(a.ids.count, b.ids.count)
    for (let slot = 1; slot <= count; slot++) {
      const isInBoth = slot <= a.ids.count && slot <= b.ids.count
      if (isInBoth && hashStream(a, slot) === hashStream(b, slot)) continue
      const owner = slot <= a.ids.count ? a : b
      return {
        aggregate: a.name,
        id: owner.ids.idOf(slot),
        first: shown(a, slot),
        second: shown(b, slot),
      }
    }
  }
  return { aggregate: undefined, id: undefined, first: undefined, second: undefined }
}

function shown(store: AggregateStore, slot: number): unknown {
  if (slot > store.ids.count) return undefined
  return store instanceof ObjectStore ? store.snapshotOf(slot) : store.copy(slot)
}
