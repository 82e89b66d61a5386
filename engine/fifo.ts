/** A queue that neither shifts its array nor allocates for each entry. */
import { assert } from '../journal/errors.js'

const COMPACT_AT = 1024

export class Fifo<T> {
  private items: (T | undefined)[] = []
  private head = 0

  get first(): T | undefined {
    return this.items[this.head]
  }

  get length(): number {
    return this.items.length - this.head
  }

  push(item: T): void {
    this.items.push(item)
  }

  shift(): T {
    const item = this.items[this.head]
    assert(item !== undefined, 'the queue has a first item')
    this.items[this.head++] = undefined
    if (this.head === this.items.length) {
      this.items.length = 0
      this.head = 0
    } else if (this.head >= COMPACT_AT && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return item
  }

  /** Takes all. */
  drain(): T[] {
    const rest = this.items.slice(this.head) as T[]
    this.items = []
    this.head = 0
    return rest
  }
}
