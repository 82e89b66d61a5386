/** What people ask of a book. Pure functions of any readable book, so they serve live and past ones. */
import { NO_ORDER, type ReadonlyOrderBook, type Side } from './order-book.js'

export interface RestingOrder {
  readonly id: number
  readonly side: Side
  readonly price: number
  readonly quantity: number
}

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
  return bestOrder(book, 'buy')?.price
}

export function bestAsk(book: ReadonlyOrderBook): number | undefined {
  return bestOrder(book, 'sell')?.price
}

/** The best `levels` prices of either side with what rests there. */
export function depth(book: ReadonlyOrderBook, levels: number): Depth {
  return { bids: depthOf(book, 'buy', levels), asks: depthOf(book, 'sell', levels) }
}

/** The order that trades first on its side. A copy, as all that is given here. */
export function bestOrder(book: ReadonlyOrderBook, side: Side): RestingOrder | undefined {
  return copyOf(book, book.best(side))
}

export function orderOf(book: ReadonlyOrderBook, id: number): RestingOrder | undefined {
  return copyOf(book, book.find(id))
}

function copyOf(book: ReadonlyOrderBook, order: number): RestingOrder | undefined {
  if (order === NO_ORDER) return undefined
  return {
    id: book.idOf(order),
    side: book.sideOf(order),
    price: book.priceOf(order),
    quantity: book.quantityOf(order),
  }
}

function depthOf(book: ReadonlyOrderBook, side: Side, levels: number): DepthLevel[] {
  const found: DepthLevel[] = []
  let order = book.best(side)
  while (order !== NO_ORDER && found.length < levels) {
    const price = book.priceOf(order)
    let quantity = 0
    let orders = 0
    for (; order !== NO_ORDER && book.priceOf(order) === price; order = book.next(order)) {
      quantity += book.quantityOf(order)
      orders += 1
    }
    found.push({ price, quantity, orders })
  }
  return found
}
