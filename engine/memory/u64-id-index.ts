/**
 * Ids of type u64, as two Int32 halves: below 2³² a direct table where they are dense, and for all
 * others a hash index whose cells hold the id.
 */
import { assert } from '../../journal/errors.js'
import { isU64, storeU64 } from '../../journal/schema/integers.js'
import { DirectTable } from './direct-table.js'
import { SeededHash } from './hash.js'
import { HashIndex } from './hash-index.js'
import { assertNew, assertSlot, invalidId } from './id-checks.js'
import type { IdIndex } from './id-index.js'
import { findManyHashed, type IdLookup } from './id-lookup.js'
import { SlotTable } from './slot-table.js'

const U64_BYTES = 8
const WORDS = 2

export class U64IdIndex implements IdIndex<bigint> {
  count = 0
  private readonly direct: DirectTable
  private readonly hashed: HashIndex
  private readonly ids: SlotTable
  private readonly hash: SeededHash
  private readonly scratch = new DataView(new ArrayBuffer(U64_BYTES))

  constructor(name: string, seed?: number) {
    this.direct = new DirectTable(name)
    this.hashed = new HashIndex(name, 'wide')
    this.ids = new SlotTable(name, WORDS)
    this.hash = new SeededHash(seed)
  }

  get memoryBytes(): number {
    return this.direct.memoryBytes + this.hashed.memoryBytes + this.ids.memoryBytes
  }

  find(id: unknown): number {
    if (!isU64(id)) return 0
    storeU64(this.scratch, 0, id)
    return this.findBytes(this.scratch, 0, U64_BYTES, this.hashBytes(this.scratch, 0, U64_BYTES))
  }

  add(id: unknown): number {
    if (!isU64(id)) throw invalidId('u64')
    storeU64(this.scratch, 0, id)
    return this.addBytes(this.scratch, 0, U64_BYTES)
  }

  removeLast(): void {
    assert(this.count > 0, 'an empty index has no last id')
    const low = this.ids.words[this.count * WORDS] as number
    const high = this.ids.words[this.count * WORDS + 1] as number
    if (high === 0 && this.direct.find(low) !== 0) this.direct.remove(low)
    else this.hashed.remove(this.hash.pair(low, high), this.count)
    this.count--
  }

  idOf(slot: number): bigint {
    this.writeIdBytes(slot, this.scratch, 0)
    return this.scratch.getBigUint64(0, true)
  }

  /** For an id that the direct table may hold, its lower half; for others, a hash. */
  hashBytes(view: DataView, offset: number, lengthBytes: number): number {
    if (lengthBytes !== U64_BYTES) return 0
    const low = view.getInt32(offset, true)
    const high = view.getInt32(offset + 4, true)
    return high === 0 && this.direct.hasPage(low) ? low : this.hash.pair(low, high)
  }

  /** Where both tables are in use it does not know which one a hash is for, and touches both. */
  touchMany(hashes: Int32Array, count: number): number {
    const touched = this.hashed.count === 0 ? 0 : this.hashed.touchMany(hashes, count)
    return this.direct.count === 0 ? touched : touched | this.direct.touchMany(hashes, count)
  }

  findBytes(view: DataView, offset: number, lengthBytes: number, hash: number): number {
    if (lengthBytes !== U64_BYTES) return 0
    const low = view.getInt32(offset, true)
    const high = view.getInt32(offset + 4, true)
    return high === 0 ? this.findLow(low) : this.hashed.findPair(hash, low, high)
  }

  findMany(view: DataView, lookup: IdLookup): number {
    return findManyHashed(this, view, lookup)
  }

  addBytes(view: DataView, offset: number, lengthBytes: number): number {
    if (lengthBytes !== U64_BYTES) throw invalidId('u64')
    const low = view.getInt32(offset, true)
    const high = view.getInt32(offset + 4, true)
    const hash = this.hash.pair(low, high)
    assertNew(high === 0 ? this.findLow(low) : this.hashed.findPair(hash, low, high))
    const slot = this.count + 1
    this.ids.reserve(slot)
    if (high !== 0 || !this.direct.tryPut(low, slot, this.hashed.count)) {
      this.hashed.insertPair(hash, slot, low, high)
    }
    this.ids.words[slot * WORDS] = low
    this.ids.words[slot * WORDS + 1] = high
    this.count = slot
    return slot
  }

  idBytesOf(slot: number): number {
    assertSlot(slot, this.count)
    return U64_BYTES
  }

  writeIdBytes(slot: number, view: DataView, offset: number): number {
    assertSlot(slot, this.count)
    view.setInt32(offset, this.ids.words[slot * WORDS] as number, true)
    view.setInt32(offset + 4, this.ids.words[slot * WORDS + 1] as number, true)
    return U64_BYTES
  }

  private findLow(low: number): number {
    const slot = this.direct.find(low)
    if (slot !== 0 || this.hashed.count === 0) return slot
    return this.hashed.findPair(this.hash.pair(low, 0), low, 0)
  }
}
