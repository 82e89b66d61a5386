/**
 * The entries of the key table in the order in which they were added (memory-layout.ts), in chunks
 * of 1 MiB that go round: what is emptied at the old end is filled at the new end.
 *
 *   oldest                                              newest
 *   ┌──────────────┐   ┌──────────────┐   ┌──────────────┐
 *   │ gone │ e  e  │──▶│ e   e   e  e │──▶│ e  e │ free  │      free: chunk ─▶ chunk
 *   └──────────────┘   └──────────────┘   └──────────────┘
 *
 * Memory is that of the largest window so far, and is never given back. It knows nothing of keys
 * that are equal or of what is visible: that is key-table.ts.
 */
import { assert } from '../../journal/errors.js'
import { BLOCK_BYTES, ByteBlocks } from './byte-blocks.js'
import {
  CHUNK_BYTES,
  CHUNK_HEADER_BYTES,
  CHUNK_NEXT,
  ENTRY_LENGTH,
  UNIT_BYTES,
} from './memory-layout.js'

const CHUNKS_A_BLOCK = BLOCK_BYTES / CHUNK_BYTES
const LENGTH_BYTES = 4
export const KEY_ENTRY_BYTES_MAX = CHUNK_BYTES - CHUNK_HEADER_BYTES - LENGTH_BYTES
/** Of a chunk without a successor, and of an empty list: no chunk has this number. */
const NO_CHUNK = 0xffff_ffff

export class KeyLog {
  /** Number of entries. */
  count = 0
  private readonly blocks: ByteBlocks
  private chunkCount = 0
  private firstFree = NO_CHUNK
  private oldestChunk: number
  private oldestOffset = CHUNK_HEADER_BYTES
  private newestChunk: number
  private newestOffset = CHUNK_HEADER_BYTES

  constructor(name: string) {
    this.blocks = new ByteBlocks(name)
    this.newestChunk = this.takeChunk()
    this.oldestChunk = this.newestChunk
  }

  get memoryBytes(): number {
    return this.blocks.memoryBytes
  }

  viewOf(reference: number): DataView {
    return this.blocks.viewOf(reference)
  }

  offsetOf(reference: number): number {
    return this.blocks.offsetOf(reference)
  }

  /** Makes room for an entry, writes its length, and returns its reference, which is never 0. */
  append(lengthBytes: number): number {
    const entryBytes = (lengthBytes + UNIT_BYTES - 1) & -UNIT_BYTES
    assert(entryBytes <= KEY_ENTRY_BYTES_MAX, `an entry of ${lengthBytes} bytes fits no chunk`)
    if (this.newestOffset + entryBytes > CHUNK_BYTES - LENGTH_BYTES) this.openChunk()
    const reference = this.at(this.newestChunk, this.newestOffset)
    const view = this.viewOf(reference)
    const offset = this.offsetOf(reference)
    view.setUint32(offset + ENTRY_LENGTH, entryBytes, true)
    view.setUint32(offset + entryBytes + ENTRY_LENGTH, 0, true)
    this.newestOffset += entryBytes
    this.count++
    return reference
  }

  /** Reference of the oldest entry, or 0. */
  oldest(): number {
    return this.count === 0 ? 0 : this.at(this.oldestChunk, this.oldestOffset)
  }

  /** Reference of the entry that was added after this one, or 0. */
  after(reference: number): number {
    const view = this.viewOf(reference)
    const offset = this.offsetOf(reference)
    const chunk = Math.floor((reference * UNIT_BYTES) / CHUNK_BYTES)
    const end = offset + view.getUint32(offset + ENTRY_LENGTH, true)
    const endInChunk = end & (CHUNK_BYTES - 1)
    if (chunk === this.newestChunk && endInChunk === this.newestOffset) return 0
    if (view.getUint32(end + ENTRY_LENGTH, true) !== 0) return this.at(chunk, endInChunk)
    return this.at(this.nextOf(chunk), CHUNK_HEADER_BYTES)
  }

  removeOldest(): void {
    const reference = this.oldest()
    assert(reference !== 0, 'an empty key log has no oldest entry')
    const next = this.after(reference)
    this.count--
    if (next === 0) {
      this.oldestOffset = this.newestOffset
      return
    }
    const chunk = Math.floor((next * UNIT_BYTES) / CHUNK_BYTES)
    this.oldestOffset = this.offsetOf(next) & (CHUNK_BYTES - 1)
    if (chunk === this.oldestChunk) return
    this.setNext(this.oldestChunk, this.firstFree)
    this.firstFree = this.oldestChunk
    this.oldestChunk = chunk
  }

  private openChunk(): void {
    if (this.count === 0) {
      // Nothing is left in the chunk: begin it anew.
      this.newestOffset = CHUNK_HEADER_BYTES
      this.oldestOffset = CHUNK_HEADER_BYTES
      return
    }
    const chunk = this.takeChunk()
    this.setNext(this.newestChunk, chunk)
    this.newestChunk = chunk
    this.newestOffset = CHUNK_HEADER_BYTES
  }

  private takeChunk(): number {
    let chunk = this.firstFree
    if (chunk !== NO_CHUNK) {
      this.firstFree = this.nextOf(chunk)
    } else {
      chunk = this.chunkCount
      const block = Math.floor(chunk / CHUNKS_A_BLOCK)
      this.blocks.reserve(block, ((chunk % CHUNKS_A_BLOCK) + 1) * CHUNK_BYTES)
      this.chunkCount++
    }
    this.setNext(chunk, NO_CHUNK)
    return chunk
  }

  private at(chunk: number, offset: number): number {
    const block = Math.floor(chunk / CHUNKS_A_BLOCK)
    return this.blocks.referenceOf(block, (chunk % CHUNKS_A_BLOCK) * CHUNK_BYTES + offset)
  }

  private nextOf(chunk: number): number {
    const reference = this.at(chunk, 0)
    return this.viewOf(reference).getUint32(this.offsetOf(reference) + CHUNK_NEXT, true)
  }

  private setNext(chunk: number, next: number): void {
    const reference = this.at(chunk, 0)
    this.viewOf(reference).setUint32(this.offsetOf(reference) + CHUNK_NEXT, next, true)
  }
}
