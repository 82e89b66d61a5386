/**
 * Memory for bytes of every length, addressed by references that fit 32 bits.
 *
 *   reference u32:  │ block, 5 bits │ offset in units of 8 bytes, 27 bits │
 *
 * A block is a {@link GrowingMemory} of up to 1 GiB. What lies where is the owner's business: ids
 * are appended, the key table takes and gives back chunks. Reference 0 is left to mean "none".
 */
import { assert } from '../../journal/errors.js'
import { GrowingMemory } from './growing-memory.js'
import { UNIT_SHIFT } from './memory-layout.js'

const BLOCK_UNITS_SHIFT = 27
const OFFSET_MASK = (1 << BLOCK_UNITS_SHIFT) - 1
const BLOCKS_MAX = 1 << (32 - BLOCK_UNITS_SHIFT)
export const BLOCK_BYTES = 1 << (BLOCK_UNITS_SHIFT + UNIT_SHIFT)

export class ByteBlocks {
  private readonly name: string
  private readonly memories: GrowingMemory[] = []
  private readonly views: DataView[] = []

  constructor(name: string) {
    this.name = name
  }

  /** The block of a reference: every position in it is relative to this view. */
  viewOf(reference: number): DataView {
    return this.views[reference >>> BLOCK_UNITS_SHIFT] as DataView
  }

  offsetOf(reference: number): number {
    return (reference & OFFSET_MASK) << UNIT_SHIFT
  }

  blockOf(reference: number): number {
    return reference >>> BLOCK_UNITS_SHIFT
  }

  referenceOf(block: number, offset: number): number {
    return ((block << BLOCK_UNITS_SHIFT) | (offset >>> UNIT_SHIFT)) >>> 0
  }

  /** Makes the first `lengthBytes` of a block usable; blocks are opened one after the other. */
  reserve(block: number, lengthBytes: number): void {
    let memory = this.memories[block]
    if (memory === undefined) {
      assert(block === this.memories.length && block < BLOCKS_MAX, `no block ${block}`)
      memory = new GrowingMemory(this.name, BLOCK_BYTES)
      memory.reserve(lengthBytes)
      this.memories.push(memory)
      this.views.push(new DataView(memory.buffer))
    } else if (memory.reserve(lengthBytes)) {
      this.views[block] = new DataView(memory.buffer)
    }
  }

  get memoryBytes(): number {
    let sum = 0
    for (const memory of this.memories) sum += memory.lengthBytes
    return sum
  }
}
