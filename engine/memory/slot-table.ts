/** A fixed number of words for each slot 1, 2, 3 …: what an index remembers of a slot's id. */
import { GrowingMemory } from './growing-memory.js'

export class SlotTable {
  /** The words of `slot` begin at `slot * wordsPerSlot`. Another object after {@link reserve}. */
  words: Int32Array
  private readonly memory: GrowingMemory
  private readonly bytesPerSlot: number

  constructor(name: string, wordsPerSlot: number) {
    this.memory = new GrowingMemory(name)
    this.words = new Int32Array(this.memory.buffer)
    this.bytesPerSlot = wordsPerSlot * Int32Array.BYTES_PER_ELEMENT
  }

  /** Makes `slot` writable. */
  reserve(slot: number): void {
    if (this.memory.reserve((slot + 1) * this.bytesPerSlot)) {
      this.words = new Int32Array(this.memory.buffer)
    }
  }

  get memoryBytes(): number {
    return this.memory.lengthBytes
  }
}
