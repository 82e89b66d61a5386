/**
 * The order book that is obviously right: one array in order of arrival, sorted anew for every
 * question. It is the oracle of examples/exchange/order-book.ts.
 */
import type { RestingOrder } from '../../examples/exchange/book-queries.js'
import {
  NO_ORDER,
  type OrderBookSnapshot,
  type ReadonlyOrderBook,
  type Side,
} from '../../examples/exchange/order-book.js'

/** What the fast and the naive book share, so that one suite serves both. */
export interface TestedOrderBook extends ReadonlyOrderBook {
  rest(id: number, side: Side, price: number, quantity: number): void
  reduce(id: number, quantity: number): void
  remove(id: number): void
  snapshot(): OrderBookSnapshot
}

interface NaiveOrder extends RestingOrder {
  /** Which one to arrive it was, from 1. */
  readonly number: number
  quantity: number
}

export class NaiveOrderBook implements TestedOrderBook {
  #orders: NaiveOrder[] = []
  #arrived = 0

  get size(): number {
    return this.#orders.length
  }

  order(id: number): NaiveOrder | undefined {
    return this.#orders.find((order) => order.id === id)
  }

  find(id: number): number {
    return this.order(id)?.number ?? NO_ORDER
  }

  best(side: Side): number {
    return this.line(side)[0]?.number ?? NO_ORDER
  }

  next(number: number): number {
    const line = this.line(this.sideOf(number))
    return line[line.findIndex((order) => order.number === number) + 1]?.number ?? NO_ORDER
  }

  idOf(number: number): number {
    return this.#numbered(number).id
  }

  sideOf(number: number): Side {
    return this.#numbered(number).side
  }

  priceOf(number: number): number {
    return this.#numbered(number).price
  }

  quantityOf(number: number): number {
    return this.#numbered(number).quantity
  }

  rest(id: number, side: Side, price: number, quantity: number): void {
    this.#orders.push({ number: ++this.#arrived, id, side, price, quantity })
  }

  reduce(id: number, quantity: number): void {
    const order = this.order(id)!
    order.quantity -= quantity
    if (order.quantity === 0) this.remove(id)
  }

  remove(id: number): void {
    this.#orders = this.#orders.filter((order) => order.id !== id)
  }

  snapshot(): OrderBookSnapshot {
    return { buy: this.line('buy').map(tupleOf), sell: this.line('sell').map(tupleOf) }
  }

  /** All orders of a side in the order in which they trade. Sorting is stable: age decides ties. */
  line(side: Side): NaiveOrder[] {
    const orders = this.#orders.filter((order) => order.side === side)
    return orders.sort((a, b) => (side === 'buy' ? b.price - a.price : a.price - b.price))
  }

  #numbered(number: number): NaiveOrder {
    return this.#orders.find((order) => order.number === number)!
  }
}

function tupleOf(order: RestingOrder): [number, number, number] {
  return [order.id, order.price, order.quantity]
}
