/**
 * Ids of one aggregate that are looked up together: where they lie in a view, and what was found. A
 * batch gathers them, so that one tight loop looks them all up and their cache misses overlap; in
 * loops with other work between, the processor sees too few of them at once (see docs/decisions).
 */

export class IdLookup {
  /** How many are in it: whoever gathers them writes them, and counts. */
  count = 0
  /** Of ids that need no hash: the ids themselves. Of others: where they lie. */
  readonly words: Int32Array
  readonly offsets: Int32Array
  readonly lengths: Int32Array
  /** For the index: hashes between its sweeps. */
  readonly hashes: Int32Array
  /** Found slots; 0: none. */
  readonly slots: Int32Array

  constructor(capacity: number) {
    this.words = new Int32Array(capacity)
    this.offsets = new Int32Array(capacity)
    this.lengths = new Int32Array(capacity)
    this.hashes = new Int32Array(capacity)
    this.slots = new Int32Array(capacity)
  }
}

/** What an index looked up in sweeps has to offer. */
interface HashedIds {
  hashBytes(view: DataView, offset: number, lengthBytes: number): number
  touchMany(hashes: Int32Array, count: number): number
  findBytes(view: DataView, offset: number, lengthBytes: number, hash: number): number
}

/** Finds all ids of `lookup` in sweeps; returns something derived from what it touched. */
export function findManyHashed(ids: HashedIds, view: DataView, lookup: IdLookup): number {
  const { offsets, lengths, hashes, slots, count } = lookup
  for (let i = 0; i < count; i++) hashes[i] = ids.hashBytes(view, offsets[i]!, lengths[i]!)
  const touched = ids.touchMany(hashes, count)
  for (let i = 0; i < count; i++) {
    slots[i] = ids.findBytes(view, offsets[i]!, lengths[i]!, hashes[i]!)
  }
  return touched
}
