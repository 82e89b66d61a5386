/**
 * Ids that are text. The hash index leads to the text, which carries its slot, so that a lookup
 * misses the cache twice and not three times; a table from slot to text serves the way back.
 */
import type { Buffer } from 'node:buffer'
import { assert } from '../../journal/errors.js'
import { ID_BYTES_MAX } from '../../journal/record-layout.js'
import { bytesOver, readText, textBytes, writeText } from '../../journal/schema/text-bytes.js'
import { SeededHash } from './hash.js'
import { HashIndex } from './hash-index.js'
import { assertNew, assertSlot, invalidId } from './id-checks.js'
import type { IdIndex } from './id-index.js'
import { findManyHashed, type IdLookup } from './id-lookup.js'
import { SlotTable } from './slot-table.js'
import { TextArena } from './text-arena.js'

export class TextIdIndex implements IdIndex<string> {
  count = 0
  private readonly hashed: HashIndex
  private readonly texts: SlotTable
  private readonly arena: TextArena
  private readonly hash: SeededHash
  private readonly scratch = new DataView(new ArrayBuffer(ID_BYTES_MAX))
  private readonly scratchBytes: Buffer = bytesOver(this.scratch)
  /** Found or added last: a command names its streams several times. */
  private recentId: unknown
  private recentSlot = 0

  constructor(name: string, seed?: number, arena: TextArena = new TextArena(name)) {
    this.hashed = new HashIndex(name, 'narrow')
    this.texts = new SlotTable(name, 1)
    this.arena = arena
    this.hash = new SeededHash(seed)
  }

  get memoryBytes(): number {
    return this.hashed.memoryBytes + this.texts.memoryBytes + this.arena.memoryBytes
  }

  find(id: unknown): number {
    if (id === this.recentId && this.recentSlot !== 0) return this.recentSlot
    const lengthBytes = this.encode(id)
    if (lengthBytes < 0) return 0
    const hash = this.hashBytes(this.scratch, 0, lengthBytes)
    return this.remember(id, this.findBytes(this.scratch, 0, lengthBytes, hash))
  }

  add(id: unknown): number {
    const lengthBytes = this.encode(id)
    if (lengthBytes < 0) throw invalidId('text')
    return this.remember(id, this.addBytes(this.scratch, 0, lengthBytes))
  }

  removeLast(): void {
    assert(this.count > 0, 'an empty index has no last id')
    const lengthBytes = this.writeIdBytes(this.count, this.scratch, 0)
    const reference = this.referenceOf(this.count)
    this.hashed.remove(this.hash.bytes(this.scratch, 0, lengthBytes), reference)
    this.arena.removeLast(reference)
    this.count--
    this.recentSlot = 0
  }

  idOf(slot: number): string {
    return readText(this.scratchBytes, 0, this.writeIdBytes(slot, this.scratch, 0))
  }

  hashBytes(view: DataView, offset: number, lengthBytes: number): number {
    return this.hash.bytes(view, offset, lengthBytes)
  }

  touchMany(hashes: Int32Array, count: number): number {
    return this.hashed.touchMany(hashes, count)
  }

  findBytes(view: DataView, offset: number, lengthBytes: number, hash: number): number {
    const { hashed, arena } = this
    let cell = hashed.firstCandidate(hash)
    while (cell >= 0) {
      const reference = hashed.valueAt(cell)
      if (arena.equals(reference, view, offset, lengthBytes)) return arena.slotOf(reference)
      cell = hashed.nextCandidate(cell, hash)
    }
    return 0
  }

  findMany(view: DataView, lookup: IdLookup): number {
    return findManyHashed(this, view, lookup)
  }

  addBytes(view: DataView, offset: number, lengthBytes: number): number {
    if (lengthBytes > ID_BYTES_MAX) throw invalidId('text')
    const hash = this.hashBytes(view, offset, lengthBytes)
    assertNew(this.findBytes(view, offset, lengthBytes, hash))
    const slot = this.count + 1
    this.texts.reserve(slot)
    const reference = this.arena.append(slot, view, offset, lengthBytes)
    this.hashed.insert(hash, reference)
    this.texts.words[slot] = reference
    this.count = slot
    return slot
  }

  idBytesOf(slot: number): number {
    return this.arena.lengthOf(this.referenceOf(slot))
  }

  writeIdBytes(slot: number, view: DataView, offset: number): number {
    const reference = this.referenceOf(slot)
    this.arena.copyTo(reference, view, offset)
    return this.arena.lengthOf(reference)
  }

  private remember(id: unknown, slot: number): number {
    this.recentId = id
    this.recentSlot = slot
    return slot
  }

  private referenceOf(slot: number): number {
    assertSlot(slot, this.count)
    return this.texts.words[slot] as number
  }

  /** Puts the UTF-8 of an id into the scratch and returns its length, or -1: it is no id. */
  private encode(id: unknown): number {
    const lengthBytes = textBytes(id)
    if (lengthBytes < 0 || lengthBytes > ID_BYTES_MAX) return -1
    writeText(this.scratchBytes, 0, id as string, lengthBytes)
    return lengthBytes
  }
}
