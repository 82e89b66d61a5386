/**
 * The texts of ids, one after the other in the order of their slots, each with its slot
 * (memory-layout.ts). A text lies inside one block; what is left at the end of a block stays unused.
 */
import { BLOCK_BYTES, ByteBlocks } from './byte-blocks.js'
import { bytesEqual, copyBytes } from './bytes.js'
import { TEXT_HEADER_BYTES, TEXT_LENGTH, TEXT_SLOT, UNIT_BYTES } from './memory-layout.js'

export class TextArena {
  private readonly blocks: ByteBlocks
  private readonly blockBytes: number
  private block = 0
  /** Where the next text begins; not 0, since reference 0 means none. */
  private offset = UNIT_BYTES

  constructor(name: string, blockBytes: number = BLOCK_BYTES) {
    this.blocks = new ByteBlocks(name)
    this.blockBytes = blockBytes
  }

  get memoryBytes(): number {
    return this.blocks.memoryBytes
  }

  /** Copies a text and returns its reference. */
  append(slot: number, view: DataView, offset: number, lengthBytes: number): number {
    const paddedBytes = (lengthBytes + UNIT_BYTES - 1) & -UNIT_BYTES
    const entryBytes = TEXT_HEADER_BYTES + paddedBytes
    const fits = this.offset + entryBytes <= this.blockBytes
    const block = fits ? this.block : this.block + 1
    const start = fits ? this.offset : 0
    this.blocks.reserve(block, start + entryBytes)
    const reference = this.blocks.referenceOf(block, start)
    const to = this.blocks.viewOf(reference)
    to.setUint32(start + TEXT_SLOT, slot, true)
    to.setUint32(start + TEXT_LENGTH, lengthBytes, true)
    copyBytes(view, offset, to, start + TEXT_HEADER_BYTES, lengthBytes)
    this.block = block
    this.offset = start + entryBytes
    return reference
  }

  /** Forgets a text, which must be the last one, so that the next one takes its place. */
  removeLast(reference: number): void {
    this.block = this.blocks.blockOf(reference)
    this.offset = this.blocks.offsetOf(reference)
  }

  slotOf(reference: number): number {
    const view = this.blocks.viewOf(reference)
    return view.getUint32(this.blocks.offsetOf(reference) + TEXT_SLOT, true)
  }

  lengthOf(reference: number): number {
    const view = this.blocks.viewOf(reference)
    return view.getUint32(this.blocks.offsetOf(reference) + TEXT_LENGTH, true)
  }

  equals(reference: number, view: DataView, offset: number, lengthBytes: number): boolean {
    const own = this.blocks.viewOf(reference)
    const at = this.blocks.offsetOf(reference)
    if (own.getUint32(at + TEXT_LENGTH, true) !== lengthBytes) return false
    return bytesEqual(own, at + TEXT_HEADER_BYTES, view, offset, lengthBytes)
  }

  /** Copies the bytes of a text to `offset`. */
  copyTo(reference: number, view: DataView, offset: number): void {
    const own = this.blocks.viewOf(reference)
    const at = this.blocks.offsetOf(reference)
    copyBytes(own, at + TEXT_HEADER_BYTES, view, offset, own.getUint32(at + TEXT_LENGTH, true))
  }
}
