/**
 * The orders of `exchange.orders`: a generated flow that is shaped like a real feed
 * (scripts/feeds/generated-order-flow.ts), one a book, books chosen at random. Made up ahead into
 * flat arrays, so that reading it costs next to nothing while the clock runs.
 */
import { GeneratedOrderFlow } from '../scripts/feeds/generated-order-flow.js'
import type { WorkOptions } from './domain-engine.js'
import { TransferWorkload } from './transfer-workload.js'

export interface OrderOptions extends WorkOptions {
  readonly books: number
}

export class OrderTape {
  count = 0
  book = new Uint8Array(0)
  /** 1: place, 0: cancel; then side, price and quantity say nothing. */
  places = new Uint8Array(0)
  /** 1: buy. */
  buys = new Uint8Array(0)
  order = new Float64Array(0)
  price = new Float64Array(0)
  quantity = new Float64Array(0)
  private readonly flows: readonly GeneratedOrderFlow[]
  private readonly chooser: TransferWorkload

  constructor({ books, seed }: Pick<OrderOptions, 'books' | 'seed'>) {
    this.flows = Array.from(
      { length: books },
      (_, book) => new GeneratedOrderFlow({ seed: seed * 1000 + book }),
    )
    this.chooser = new TransferWorkload(seed, books)
  }

  /** Overwrites the tape with the next `count` commands. */
  plan(count: number): void {
    if (this.book.length < count) this.reserve(count)
    for (let i = 0; i < count; i++) {
      const book = this.chooser.nextAccount()
      const flow = this.flows[book]!
      flow.next()
      this.book[i] = book
      this.places[i] = flow.kind === 'place' ? 1 : 0
      this.buys[i] = flow.side === 'buy' ? 1 : 0
      this.order[i] = flow.order
      this.price[i] = flow.price
      this.quantity[i] = flow.quantity
    }
    this.count = count
  }

  private reserve(count: number): void {
    this.book = new Uint8Array(count)
    this.places = new Uint8Array(count)
    this.buys = new Uint8Array(count)
    this.order = new Float64Array(count)
    this.price = new Float64Array(count)
    this.quantity = new Float64Array(count)
  }
}
