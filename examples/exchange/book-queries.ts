/** What people ask of a book. Pure functions of any readable book, so they serve live and past ones. */
import type { ReadonlyOrderBook, RestingOrder, Side } from './order-book.js'

export interface DepthLevel {
  readonly price: number
  readonly quantity: number
  readonly orders: number
}

export interface Depth {
  /** Best first. */
  readonly bids: readonly DepthLevel[]
  /** Best first. */
  readonly asks: readonly DepthLevel[]
}

export function bestBid(book: ReadonlyOrderBook): number | undefined {
  return book.best('buy')?.price
}

export function bestAsk(book: ReadonlyOrderBook): number | undefined {
  return book.best('sell')?.price
}

/** The best `levels` prices of either side with what rests there. */
export function depth(book: ReadonlyOrderBook, levels: number): Depth {
  return { bids: depthOf(book, 'buy', levels), asks: depthOf(book, 'sell', levels) }
}

/** A copy of the order, which stays as it is while the book goes on. */
export function orderOf(book: ReadonlyOrderBook, id: number): RestingOrder | undefined {
  const order = book.find(id)
  if (order === undefined) return undefined
  return { id: order.id, side: order.side, price: order.price, quantity: order.quantity }
}

function depthOf(book: ReadonlyOrderBook, side: Side, levels: number): DepthLevel[] {
  const found: DepthLevel[] = []
  let order = book.best(side)
  while (order !== undefined && found.length < levels) {
    const { price } = order
    let quantity = 0
    let orders = 0
    for (; order !== undefined && order.price === price; order = book.next(order)) {
      quantity += order.quantity
      orders += 1
    }
    found.push({ price, quantity, orders })
  }
  return found
}
