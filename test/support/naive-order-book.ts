/**
 * The order book that is obviously right: one array in order of arrival, sorted anew for every
 * question. It is the oracle of examples/exchange/order-book.ts.
 */
import type {
  OrderBookSnapshot,
  ReadonlyOrderBook,
  RestingOrder,
  Side,
} from '../../examples/exchange/order-book.js'

/** What the fast and the naive book share, so that one suite serves both. */
export interface TestedOrderBook extends ReadonlyOrderBook {
  rest(id: number, side: Side, price: number, quantity: number): void
  reduce(id: number, quantity: number): void
  remove(id: number): void
  snapshot(): OrderBookSnapshot
}

interface NaiveOrder extends RestingOrder {
  quantity: number
}

export class NaiveOrderBook implements TestedOrderBook {
  #orders: NaiveOrder[] = []

  get size(): number {
    return this.#orders.length
  }

  find(id: number): NaiveOrder | undefined {
    return this.#orders.find((order) => order.id === id)
  }

  best(side: Side): NaiveOrder | undefined {
    return this.line(side)[0]
  }

  next(order: RestingOrder): NaiveOrder | undefined {
    const line = this.line(order.side)
    return line[line.findIndex((each) => each.id === order.id) + 1]
  }

  rest(id: number, side: Side, price: number, quantity: number): void {
    this.#orders.push({ id, side, price, quantity })
  }

  reduce(id: number, quantity: number): void {
    const order = this.find(id)!
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
}

function tupleOf(order: RestingOrder): [number, number, number] {
  return [order.id, order.price, order.quantity]
}
