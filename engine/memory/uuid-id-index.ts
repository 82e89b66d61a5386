/** Ids that are UUIDs: 16 bytes a slot, and a hash index to the slots. */
import { assert } from '../../journal/errors.js'
import { isUuid, loadUuid, storeUuid, UUID_BYTES } from '../../journal/schema/uuid-bytes.js'
import { SeededHash } from './hash.js'
import { HashIndex } from './hash-index.js'
import { assertNew, assertSlot, invalidId } from './id-checks.js'
import type { IdIndex } from './id-index.js'
import { findManyHashed, type IdLookup } from './id-lookup.js'
import { SlotTable } from './slot-table.js'

const WORDS = 4

export class UuidIdIndex implements IdIndex<string> {
  count = 0
  private readonly hashed: HashIndex
  private readonly ids: SlotTable
  private readonly hash: SeededHash
  private readonly scratch = new DataView(new ArrayBuffer(UUID_BYTES))
  /** Found or added last: a command names its streams several times. */
  private recentId: unknown
  private recentSlot = 0

  constructor(name: string, seed?: number) {
    this.hashed = new HashIndex(name, 'narrow')
    this.ids = new SlotTable(name, WORDS)
    this.hash = new SeededHash(seed)
  }

  get memoryBytes(): number {
    return this.hashed.memoryBytes + this.ids.memoryBytes
  }

  find(id: unknown): number {
    if (id === this.recentId && this.recentSlot !== 0) return this.recentSlot
    if (!isUuid(id)) return 0
    storeUuid(this.scratch, 0, id)
    const hash = this.hash.bytes(this.scratch, 0, UUID_BYTES)
    return this.remember(id, this.findBytes(this.scratch, 0, UUID_BYTES, hash))
  }

  add(id: unknown): number {
    if (!isUuid(id)) throw invalidId('uuid')
    storeUuid(this.scratch, 0, id)
    return this.remember(id, this.addBytes(this.scratch, 0, UUID_BYTES))
  }

  removeLast(): void {
    assert(this.count > 0, 'an empty index has no last id')
    this.writeIdBytes(this.count, this.scratch, 0)
    this.hashed.remove(this.hash.bytes(this.scratch, 0, UUID_BYTES), this.count)
    this.count--
    this.recentSlot = 0
  }

  idOf(slot: number): string {
    this.writeIdBytes(slot, this.scratch, 0)
    return loadUuid(this.scratch, 0)
  }

  hashBytes(view: DataView, offset: number, lengthBytes: number): number {
    return lengthBytes === UUID_BYTES ? this.hash.bytes(view, offset, UUID_BYTES) : 0
  }

  touchMany(hashes: Int32Array, count: number): number {
    return this.hashed.touchMany(hashes, count)
  }

  findBytes(view: DataView, offset: number, lengthBytes: number, hash: number): number {
    if (lengthBytes !== UUID_BYTES) return 0
    const { hashed, ids } = this
    let cell = hashed.firstCandidate(hash)
    while (cell >= 0) {
      const slot = hashed.valueAt(cell)
      if (isUuidAt(ids.words, slot * WORDS, view, offset)) return slot
      cell = hashed.nextCandidate(cell, hash)
    }
    return 0
  }

  findMany(view: DataView, lookup: IdLookup): number {
    return findManyHashed(this, view, lookup)
  }

  addBytes(view: DataView, offset: number, lengthBytes: number): number {
    if (lengthBytes !== UUID_BYTES) throw invalidId('uuid')
    const hash = this.hash.bytes(view, offset, UUID_BYTES)
    assertNew(this.findBytes(view, offset, UUID_BYTES, hash))
    const slot = this.count + 1
    this.ids.reserve(slot)
    for (let word = 0; word < WORDS; word++) {
      this.ids.words[slot * WORDS + word] = view.getInt32(offset + 4 * word, true)
    }
    this.hashed.insert(hash, slot)
    this.count = slot
    return slot
  }

  idBytesOf(slot: number): number {
    assertSlot(slot, this.count)
    return UUID_BYTES
  }

  writeIdBytes(slot: number, view: DataView, offset: number): number {
    assertSlot(slot, this.count)
    for (let word = 0; word < WORDS; word++) {
      view.setInt32(offset + 4 * word, this.ids.words[slot * WORDS + word] as number, true)
    }
    return UUID_BYTES
  }

  private remember(id: unknown, slot: number): number {
    this.recentId = id
    this.recentSlot = slot
    return slot
  }
}

function isUuidAt(words: Int32Array, at: number, view: DataView, offset: number): boolean {
  return (
    words[at] === view.getInt32(offset, true) &&
    words[at + 1] === view.getInt32(offset + 4, true) &&
    words[at + 2] === view.getInt32(offset + 8, true) &&
    words[at + 3] === view.getInt32(offset + 12, true)
  )
}
