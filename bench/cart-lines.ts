/** What goes into the carts of `payload.any`: a few hundred different lines, over and over. */

import type { WorkOptions } from './domain-engine.js'
import type { Line } from './domains/carts.js'

export interface CartOptions extends WorkOptions {
  readonly carts: number
}

/** A power of two. */
const LINES = 512

export class CartLines {
  cart = 0
  line: Line
  private count = 0
  private readonly carts: number
  private readonly lines: readonly Line[]

  constructor({ carts, seed }: CartOptions) {
    this.carts = carts
    this.lines = Array.from({ length: LINES }, (_, index) => lineOf(index + seed))
    this.line = this.lines[0]!
  }

  /** Moves `cart` and `line` on. */
  next(): void {
    const count = ++this.count
    this.cart = Math.imul(count, 0x9e3779b1) % this.carts
    if (this.cart < 0) this.cart += this.carts
    this.line = this.lines[count & (LINES - 1)]!
  }
}

function lineOf(index: number): Line {
  return {
    sku: `SKU-${100_000 + index}`,
    quantity: 1 + (index % 5),
    price: 199 + index * 7,
    tags: index % 2 === 0 ? ['new', 'summer'] : ['sale'],
    options: { gift: index % 7 === 0, note: index % 3 === 0 ? 'leave at the door' : '' },
  }
}
