/**
 * Ids of one aggregate that are looked up together: where they lie in a view, and what was found. A
 * batch gathers them, so that one tight loop looks them all up and their cache misses overlap; in
 * loops with other work between, the processor sees too few of them at once (see docs/decisions).
 */

const COUNT_INITIAL = 1024

export class IdLookup {
  count = 0
  /** Of ids that need no hash: the ids themselves. Of others: where they lie. */
  words = new Int32Array(COUNT_INITIAL)
  offsets = new Int32Array(COUNT_INITIAL)
  lengths = new Int32Array(COUNT_INITIAL)
  /** For the index: hashes between its sweeps. */
  hashes = new Int32Array(COUNT_INITIAL)
  /** Found slots; 0: none. */
  slots = new Int32Array(COUNT_INITIAL)

  clear(): void {
    this.count = 0
  }

  /** Adds a u32. The index of its result in `slots` is that of the call since {@link clear}. */
  addWord(word: number): void {
    const index = this.count++
    if (index === this.words.length) this.grow()
    this.words[index] = word
  }

  /** Returns the index of the result in `slots`. */
  add(offset: number, lengthBytes: number): number {
    const index = this.count++
    if (index === this.offsets.length) this.grow()
    this.offsets[index] = offset
    this.lengths[index] = lengthBytes
    return index
  }

  private grow(): void {
    const size = this.offsets.length * 2
    this.words = enlarged(this.words, size)
    this.offsets = enlarged(this.offsets, size)
    this.lengths = enlarged(this.lengths, size)
    this.hashes = new Int32Array(size)
    this.slots = new Int32Array(size)
  }
}

function enlarged(array: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size)
  larger.set(array)
  return larger
}

/** What an index looked up in two sweeps has to offer. */
interface HashedIds {
  hashBytes(view: DataView, offset: number, lengthBytes: number): number
  touch(hash: number): number
  findBytes(view: DataView, offset: number, lengthBytes: number, hash: number): number
}

/** Finds all ids of `lookup` in two sweeps; returns something derived from what it touched. */
export function findManyHashed(ids: HashedIds, view: DataView, lookup: IdLookup): number {
  const { offsets, lengths, hashes, slots, count } = lookup
  let touched = 0
  for (let i = 0; i < count; i++) {
    const hash = ids.hashBytes(view, offsets[i]!, lengths[i]!)
    hashes[i] = hash
    touched += ids.touch(hash)
  }
  for (let i = 0; i < count; i++) {
    slots[i] = ids.findBytes(view, offsets[i]!, lengths[i]!, hashes[i]!)
  }
  return touched
}
