/** Ids of type u32: a direct table where they are dense, a hash index for the others. */
import { assert } from '../../journal/errors.js'
import { isU32 } from '../../journal/schema/integers.js'
import { DirectTable } from './direct-table.js'
import { SeededHash } from './hash.js'
import { HashIndex } from './hash-index.js'
import { assertNew, assertSlot, invalidId } from './id-checks.js'
import type { IdIndex } from './id-index.js'
import type { IdLookup } from './id-lookup.js'
import { SlotTable } from './slot-table.js'

const U32_BYTES = 4
/** The module's own: V8 reads an imported function anew at each call (docs/decisions/0023). */
const isWord = isU32

export class U32IdIndex implements IdIndex<number> {
  count = 0
  private readonly direct: DirectTable
  private readonly hashed: HashIndex
  private readonly ids: SlotTable
  private readonly hash: SeededHash

  constructor(name: string, seed?: number) {
    this.direct = new DirectTable(name)
    this.hashed = new HashIndex(name, 'narrow')
    this.ids = new SlotTable(name, 1)
    this.hash = new SeededHash(seed)
  }

  get memoryBytes(): number {
    return this.direct.memoryBytes + this.hashed.memoryBytes + this.ids.memoryBytes
  }

  find(id: unknown): number {
    return isWord(id) ? this.findWord(id | 0) : 0
  }

  add(id: unknown): number {
    if (!isU32(id)) throw invalidId('u32')
    return this.addWord(id | 0)
  }

  removeLast(): void {
    assert(this.count > 0, 'an empty index has no last id')
    const id = this.ids.words[this.count] as number
    if (this.direct.find(id) !== 0) this.direct.remove(id)
    else this.hashed.remove(this.hash.word(id), this.count)
    this.count--
  }

  idOf(slot: number): number {
    assertSlot(slot, this.count)
    return (this.ids.words[slot] as number) >>> 0
  }

  /** The id itself: most lookups need no hash. */
  hashBytes(view: DataView, offset: number, lengthBytes: number): number {
    return lengthBytes === U32_BYTES ? view.getInt32(offset, true) : 0
  }

  /** A hash is the id itself, which the hash index knows by another: only the direct table. */
  touchMany(hashes: Int32Array, count: number): number {
    return this.direct.touchMany(hashes, count)
  }

  findBytes(view: DataView, offset: number, lengthBytes: number, _hash: number): number {
    return lengthBytes === U32_BYTES ? this.findWord(view.getInt32(offset, true)) : 0
  }

  findMany(_view: DataView, { words, hashes, slots, count }: IdLookup): number {
    if (this.hashed.count === 0) {
      this.direct.findMany(words, slots, count)
      return 0
    }
    for (let i = 0; i < count; i++) hashes[i] = this.hash.word(words[i] as number)
    const touched = this.hashed.touchMany(hashes, count)
    for (let i = 0; i < count; i++) slots[i] = this.findWord(words[i] as number)
    return touched
  }

  addBytes(view: DataView, offset: number, lengthBytes: number): number {
    if (lengthBytes !== U32_BYTES) throw invalidId('u32')
    return this.addWord(view.getInt32(offset, true))
  }

  idBytesOf(slot: number): number {
    assertSlot(slot, this.count)
    return U32_BYTES
  }

  writeIdBytes(slot: number, view: DataView, offset: number): number {
    assertSlot(slot, this.count)
    view.setInt32(offset, this.ids.words[slot] as number, true)
    return U32_BYTES
  }

  private findWord(id: number): number {
    const slot = this.direct.find(id)
    if (slot !== 0 || this.hashed.count === 0) return slot
    // The hash of a word is a bijection: no need to compare the id.
    const cell = this.hashed.firstCandidate(this.hash.word(id))
    return cell < 0 ? 0 : this.hashed.valueAt(cell)
  }

  private addWord(id: number): number {
    assertNew(this.findWord(id))
    const slot = this.count + 1
    this.ids.reserve(slot)
    if (!this.direct.tryPut(id, slot, this.hashed.count)) {
      this.hashed.insert(this.hash.word(id), slot)
    }
    this.ids.words[slot] = id
    this.count = slot
    return slot
  }
}
