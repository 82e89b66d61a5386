/**
 * The limit order book of one instrument: who is first in line at which price. It keeps places; the
 * rules of matching are in exchange.ts.
 *
 * ```
 *   asks:  head ─▶ order ⇄ order ⇄ order ⇄ order ⇄ order       as they trade: best price, then oldest
 *          price    101     101     101     104     107
 *                                    ▲       ▲       ▲
 *                                  levels: the last order at each price      (price-levels.ts)
 * ```
 *
 * A resting order has a number, and what is known of it lies at that number in one array a field;
 * the number is used again when the order has left. Nothing is made or thrown away when orders come
 * and go, so the garbage collector has no part in trading. The price: a book that grows copies its
 * arrays whenever their size doubles, which pauses for some milliseconds at a million orders.
 *
 * Prices are integers in ticks, quantities integers in lots, ids safe integers chosen by whoever
 * submits the order.
 */
import { OrderNumbers } from './order-numbers.js'
import { PriceLevels } from './price-levels.js'

export type Side = 'buy' | 'sell'

/** What `find`, `best` and `next` give when there is no such order. */
export const NO_ORDER = 0

/**
 * What reading a book needs; matching and all queries go through this. Orders are given by their
 * numbers, which mean the same order as long as it rests.
 */
export interface ReadonlyOrderBook {
  /** How many orders rest. */
  readonly size: number
  find(id: number): number
  /** The order that trades first on `side`: best price, then oldest. */
  best(side: Side): number
  /** The order that trades after `order` on its side. */
  next(order: number): number
  idOf(order: number): number
  sideOf(order: number): Side
  priceOf(order: number): number
  /** What is left of it. Never 0: a filled order does not rest. */
  quantityOf(order: number): number
}

export interface OrderBookSnapshot {
  /** Both sides in the order in which they trade, which is all that a book is. */
  readonly buy: readonly OrderSnapshot[]
  readonly sell: readonly OrderSnapshot[]
}
export type OrderSnapshot = readonly [id: number, price: number, quantity: number]

export function oppositeOf(side: Side): Side {
  return side === 'buy' ? 'sell' : 'buy'
}

/** Numbers that are no orders: what stands before the first order of either side. */
const BUY_HEAD = 1
const SELL_HEAD = 2
const FIRST_ORDER = 3
const SIZE_AT_START = 8

/**
 * The methods that change the book name their `this`, so that a deeply read-only book, such as
 * `decide` gets, offers them but the compiler refuses the call.
 */
export class OrderBook implements ReadonlyOrderBook {
  /** By number. Heads, and what no order uses, have no price. */
  #ids = new Float64Array(SIZE_AT_START)
  #prices = new Float64Array(SIZE_AT_START).fill(Number.NaN)
  #quantities = new Float64Array(SIZE_AT_START)
  #isBuy = new Uint8Array(SIZE_AT_START)
  /** The orders that trade before and after it on its side. Of free numbers: `#nexts` is a list. */
  #nexts = new Int32Array(SIZE_AT_START)
  #previous = new Int32Array(SIZE_AT_START)
  #firstFree = NO_ORDER
  #unused = FIRST_ORDER
  readonly #numbers = new OrderNumbers()
  readonly #bids = new PriceLevels('buy')
  readonly #asks = new PriceLevels('sell')

  get size(): number {
    return this.#numbers.count
  }

  find(id: number): number {
    return this.#numbers.find(id)
  }

  best(side: Side): number {
    return this.#nexts[side === 'buy' ? BUY_HEAD : SELL_HEAD]!
  }

  next(order: number): number {
    return this.#nexts[order]!
  }

  idOf(order: number): number {
    return this.#ids[order]!
  }

  sideOf(order: number): Side {
    return this.#isBuy[order] === 1 ? 'buy' : 'sell'
  }

  priceOf(order: number): number {
    return this.#prices[order]!
  }

  quantityOf(order: number): number {
    return this.#quantities[order]!
  }

  /** Puts an order at the end of the line at its price. */
  rest(this: OrderBook, id: number, side: Side, price: number, quantity: number): void {
    const order = this.#takeNumber()
    this.#ids[order] = id
    this.#prices[order] = price
    this.#quantities[order] = quantity
    this.#isBuy[order] = side === 'buy' ? 1 : 0
    this.#numbers.add(id, order)
    const before = this.#levelsOf(order).append(price, order)
    this.#insert(order, before !== NO_ORDER ? before : side === 'buy' ? BUY_HEAD : SELL_HEAD)
  }

  /** Takes `quantity` from an order, which keeps its place, or leaves when nothing is left. */
  reduce(this: OrderBook, id: number, quantity: number): void {
    const order = this.#restingOrder(id)
    const left = this.#quantities[order]! - quantity
    if (left > 0) this.#quantities[order] = left
    else this.#remove(order)
  }

  remove(this: OrderBook, id: number): void {
    this.#remove(this.#restingOrder(id))
  }

  snapshot(): OrderBookSnapshot {
    return { buy: [...ordersOf(this, 'buy')], sell: [...ordersOf(this, 'sell')] }
  }

  static restore(snapshot: OrderBookSnapshot): OrderBook {
    const book = new OrderBook()
    for (const [id, price, quantity] of snapshot.buy) book.rest(id, 'buy', price, quantity)
    for (const [id, price, quantity] of snapshot.sell) book.rest(id, 'sell', price, quantity)
    return book
  }

  #restingOrder(id: number): number {
    const order = this.#numbers.find(id)
    if (order === NO_ORDER) throw new Error(`order ${id} does not rest in this book`)
    return order
  }

  #levelsOf(order: number): PriceLevels {
    return this.#isBuy[order] === 1 ? this.#bids : this.#asks
  }

  #insert(order: number, before: number): void {
    const after = this.#nexts[before]!
    this.#nexts[order] = after
    this.#previous[order] = before
    this.#nexts[before] = order
    // Where nobody comes after, this writes to number 0, which nobody reads.
    this.#previous[after] = order
  }

  #remove(order: number): void {
    const price = this.#prices[order]!
    const before = this.#previous[order]!
    const after = this.#nexts[order]!
    this.#nexts[before] = after
    this.#previous[after] = before
    if (this.#prices[after] !== price) {
      const levels = this.#levelsOf(order)
      if (this.#prices[before] === price) levels.replaceLast(price, before)
      else levels.remove(price)
    }
    this.#numbers.remove(this.#ids[order]!)
    this.#nexts[order] = this.#firstFree
    this.#firstFree = order
  }

  #takeNumber(): number {
    const free = this.#firstFree
    if (free !== NO_ORDER) {
      this.#firstFree = this.#nexts[free]!
      return free
    }
    if (this.#unused === this.#ids.length) this.#grow()
    return this.#unused++
  }

  #grow(): void {
    const size = this.#ids.length * 2
    this.#ids = copied(this.#ids, new Float64Array(size))
    this.#prices = copied(this.#prices, new Float64Array(size))
    this.#quantities = copied(this.#quantities, new Float64Array(size))
    this.#isBuy = copied(this.#isBuy, new Uint8Array(size))
    this.#nexts = copied(this.#nexts, new Int32Array(size))
    this.#previous = copied(this.#previous, new Int32Array(size))
  }
}

function copied<Numbers extends Float64Array | Int32Array | Uint8Array>(
  from: Numbers,
  to: Numbers,
): Numbers {
  to.set(from)
  return to
}

function* ordersOf(book: ReadonlyOrderBook, side: Side): Generator<OrderSnapshot> {
  for (let order = book.best(side); order !== NO_ORDER; order = book.next(order)) {
    yield [book.idOf(order), book.priceOf(order), book.quantityOf(order)]
  }
}
