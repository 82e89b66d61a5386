/**
 * The limit order book of one instrument: who is first in line at which price. It keeps places; the
 * rules of matching are in exchange.ts.
 *
 * ```
 *   bids.levels   [ 99 ][ 100 ][ 103 ]  ◀─ best is last, so that most insertions are a push
 *                                 │
 *                               first ─▶ order ⇄ order ⇄ order ◀─ last      (oldest first)
 * ```
 *
 * Prices are integers in ticks, quantities integers in lots, order ids safe integers chosen by
 * whoever submits. Orders are found by a Map: it holds only the orders that rest now, which are few
 * because orders die quickly. A book with millions of resting orders needs a flat table instead,
 * since a growing Map pauses at every doubling.
 */

export type Side = 'buy' | 'sell'

export interface RestingOrder {
  readonly id: number
  readonly side: Side
  readonly price: number
  /** What is left of it. Never 0: a filled order does not rest. */
  readonly quantity: number
}

/** What reading a book needs; matching and all queries go through this. */
export interface ReadonlyOrderBook {
  /** How many orders rest. */
  readonly size: number
  find(id: number): RestingOrder | undefined
  /** The order that trades first on `side`: best price, then oldest. */
  best(side: Side): RestingOrder | undefined
  /** The order that trades after `order` on its side. */
  next(order: RestingOrder): RestingOrder | undefined
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

class Order implements RestingOrder {
  readonly id: number
  readonly side: Side
  readonly price: number
  quantity: number
  readonly level: Level
  previous: Order | undefined = undefined
  next: Order | undefined = undefined

  constructor(id: number, side: Side, quantity: number, level: Level) {
    this.id = id
    this.side = side
    this.price = level.price
    this.quantity = quantity
    this.level = level
  }
}

class Level {
  readonly price: number
  first: Order | undefined = undefined
  last: Order | undefined = undefined

  constructor(price: number) {
    this.price = price
  }
}

/** The price levels of one side, sorted so that the best is last. None is empty. */
class BookSide {
  readonly levels: Level[] = []
  /** Turns a price into a rank that grows towards the best: +1 for bids, −1 for asks. */
  readonly #sign: 1 | -1

  constructor(side: Side) {
    this.#sign = side === 'buy' ? 1 : -1
  }

  best(): Level | undefined {
    return this.levels[this.levels.length - 1]
  }

  worseThan(level: Level): Level | undefined {
    return this.levels[this.#indexOf(level.price) - 1]
  }

  obtain(price: number): Level {
    const index = this.#indexOf(price)
    const present = this.levels[index]
    if (present?.price === price) return present
    const level = new Level(price)
    if (index === this.levels.length) this.levels.push(level)
    else this.levels.splice(index, 0, level)
    return level
  }

  remove(level: Level): void {
    if (level === this.best()) this.levels.pop()
    else this.levels.splice(this.#indexOf(level.price), 1)
  }

  /** Where `price` is, or where it would be inserted. */
  #indexOf(price: number): number {
    const { levels } = this
    const sign = this.#sign
    const rank = price * sign
    let low = 0
    let high = levels.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (levels[middle]!.price * sign < rank) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * The methods that change the book name their `this`, so that a deeply read-only book, such as
 * `decide` gets, offers them but the compiler refuses the call.
 */
export class OrderBook implements ReadonlyOrderBook {
  readonly #orders = new Map<number, Order>()
  readonly #bids = new BookSide('buy')
  readonly #asks = new BookSide('sell')

  get size(): number {
    return this.#orders.size
  }

  find(id: number): RestingOrder | undefined {
    return this.#orders.get(id)
  }

  best(side: Side): RestingOrder | undefined {
    return this.#side(side).best()?.first
  }

  next(order: RestingOrder): RestingOrder | undefined {
    // Whoever holds an order of this book holds one of its links.
    const { next, level, side } = order as Order
    return next ?? this.#side(side).worseThan(level)?.first
  }

  /** Puts an order at the end of the line at its price. */
  rest(this: OrderBook, id: number, side: Side, price: number, quantity: number): void {
    const level = this.#side(side).obtain(price)
    const order = new Order(id, side, quantity, level)
    order.previous = level.last
    if (level.last === undefined) level.first = order
    else level.last.next = order
    level.last = order
    this.#orders.set(id, order)
  }

  /** Takes `quantity` from an order, which keeps its place, or leaves when nothing is left. */
  reduce(this: OrderBook, id: number, quantity: number): void {
    const order = this.#resting(id)
    if (quantity < order.quantity) order.quantity -= quantity
    else this.remove(id)
  }

  remove(this: OrderBook, id: number): void {
    const order = this.#resting(id)
    const { previous, next, level } = order
    if (previous === undefined) level.first = next
    else previous.next = next
    if (next === undefined) level.last = previous
    else next.previous = previous
    if (level.first === undefined) this.#side(order.side).remove(level)
    this.#orders.delete(id)
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

  #resting(id: number): Order {
    const order = this.#orders.get(id)
    if (order === undefined) throw new Error(`order ${id} does not rest in this book`)
    return order
  }

  #side(side: Side): BookSide {
    return side === 'buy' ? this.#bids : this.#asks
  }
}

function* ordersOf(book: ReadonlyOrderBook, side: Side): Generator<OrderSnapshot> {
  for (let order = book.best(side); order !== undefined; order = book.next(order)) {
    yield [order.id, order.price, order.quantity]
  }
}
