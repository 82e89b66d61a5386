/**
 * A limit order exchange: orders are matched by price, then by time, at the price of the order that
 * waited. One `Book` per instrument; a book opens with its first order. Prices count ticks and
 * quantities count lots, both integers.
 *
 * The id of an order comes from whoever submits it and must not be that of a resting order. An
 * order may trade with another one of the same owner: the exchange does not know owners.
 *
 * How an order ended is in the events: `Traded` says what is left of the taker (0: filled),
 * `OrderRested` that the rest waits in the book, `RemainderCancelled` that the rest was given up.
 */
import { domain, int, object, oneOf, type Transaction, text } from '../../engine/index.js'
import { NO_ORDER, OrderBook, oppositeOf, type ReadonlyOrderBook, type Side } from './order-book.js'

const exchange = domain('exchange', import.meta.url)
export default exchange

/** One order holds at most 2⁴⁰ lots, so that the sum of 8,192 of them is still exact. */
export const QUANTITY_MAX = 2 ** 40

const side = oneOf('buy', 'sell')

export const Book = exchange.aggregate('Book', {
  id: text,
  state: object({
    create: () => new OrderBook(),
    snapshot: (book) => book.snapshot(),
    restore: OrderBook.restore,
  }),
})

// ── Events ──────────────────────────────────────────────────────────────────────────────────────

/** An order, or what is left of it, waits at the end of the line at its price. */
export const OrderRested = Book.event(
  'OrderRested',
  { order: int, side, price: int, quantity: int },
  (book, event) => {
    book.rest(event.order, event.side, event.price, event.quantity)
  },
)

/** `maker` rested in the book and set the price; `taker` arrived and has `takerLeft` still to fill. */
export const Traded = Book.event(
  'Traded',
  { maker: int, taker: int, takerSide: side, price: int, quantity: int, takerLeft: int },
  (book, event) => {
    book.reduce(event.maker, event.quantity)
  },
)

/** What an order could not fill at once was given up; it never rested. */
export const RemainderCancelled = Book.event(
  'RemainderCancelled',
  { order: int, quantity: int },
  () => {},
)

/** A resting order left the book with `quantity` unfilled. */
export const OrderCancelled = Book.event(
  'OrderCancelled',
  { order: int, quantity: int },
  (book, event) => {
    book.remove(event.order)
  },
)

/** A resting order became smaller by `quantity` and kept its place. */
export const OrderReduced = Book.event(
  'OrderReduced',
  { order: int, quantity: int },
  (book, event) => {
    book.reduce(event.order, event.quantity)
  },
)

/** A resting order gave up its place. What follows treats it as a new order with these terms. */
export const OrderReplaced = Book.event(
  'OrderReplaced',
  { order: int, price: int, quantity: int },
  (book, event) => {
    book.remove(event.order)
  },
)

// ── Commands ────────────────────────────────────────────────────────────────────────────────────

/** Trades up to `price`. What is then left waits, is given up, or (fill or kill) prevents it all. */
export const PlaceLimit = exchange.command(
  'PlaceLimit',
  {
    book: Book.id,
    order: int,
    side,
    price: int,
    quantity: int,
    timeInForce: oneOf('goodTillCancelled', 'immediateOrCancel', 'fillOrKill'),
  },
  (command, tx) => {
    const { order, side, price, quantity, timeInForce } = command
    const book = tx.get(Book, command.book)
    if (!isQuantity(quantity)) return tx.reject('INVALID_QUANTITY')
    if (price <= 0) return tx.reject('INVALID_PRICE')
    if (book.find(order) !== NO_ORDER) return tx.reject('DUPLICATE_ORDER')
    if (timeInForce === 'fillOrKill' && !canFill(book, side, price, quantity)) {
      return tx.reject('FILL_OR_KILL_UNFILLABLE')
    }
    const left = match(tx, command.book, book, order, side, price, quantity)
    if (left === 0) return
    if (timeInForce === 'goodTillCancelled') {
      tx.emit(OrderRested, command.book, { order, side, price, quantity: left })
    } else {
      tx.emit(RemainderCancelled, command.book, { order, quantity: left })
    }
  },
)

/** Trades at any price until it is filled or nobody is left to trade with. */
export const PlaceMarket = exchange.command(
  'PlaceMarket',
  { book: Book.id, order: int, side, quantity: int },
  (command, tx) => {
    const { order, side, quantity } = command
    const book = tx.get(Book, command.book)
    if (!isQuantity(quantity)) return tx.reject('INVALID_QUANTITY')
    if (book.find(order) !== NO_ORDER) return tx.reject('DUPLICATE_ORDER')
    if (book.best(oppositeOf(side)) === NO_ORDER) return tx.reject('NO_LIQUIDITY')
    const left = match(tx, command.book, book, order, side, anyPrice(side), quantity)
    if (left > 0) tx.emit(RemainderCancelled, command.book, { order, quantity: left })
  },
)

export const CancelOrder = exchange.command(
  'CancelOrder',
  { book: Book.id, order: int },
  (command, tx) => {
    const book = tx.get(Book, command.book)
    const resting = book.find(command.order)
    if (resting === NO_ORDER) return tx.reject('UNKNOWN_ORDER')
    const quantity = book.quantityOf(resting)
    tx.emit(OrderCancelled, command.book, { order: command.order, quantity })
  },
)

/** Makes a resting order smaller, in its place. To take away everything is to cancel. */
export const ReduceOrder = exchange.command(
  'ReduceOrder',
  { book: Book.id, order: int, by: int },
  (command, tx) => {
    const book = tx.get(Book, command.book)
    const resting = book.find(command.order)
    if (resting === NO_ORDER) return tx.reject('UNKNOWN_ORDER')
    const quantity = book.quantityOf(resting)
    if (command.by <= 0 || command.by >= quantity) return tx.reject('INVALID_QUANTITY')
    tx.emit(OrderReduced, command.book, { order: command.order, quantity: command.by })
  },
)

/**
 * Gives a resting order a new price and a new quantity. It keeps its place only if it merely becomes
 * smaller; otherwise it goes to the end of the line, and trades if its new price allows it.
 */
export const ReplaceOrder = exchange.command(
  'ReplaceOrder',
  { book: Book.id, order: int, price: int, quantity: int },
  (command, tx) => {
    const { order, price, quantity } = command
    const book = tx.get(Book, command.book)
    const resting = book.find(order)
    if (resting === NO_ORDER) return tx.reject('UNKNOWN_ORDER')
    if (!isQuantity(quantity)) return tx.reject('INVALID_QUANTITY')
    if (price <= 0) return tx.reject('INVALID_PRICE')
    const by = book.quantityOf(resting) - quantity
    if (price === book.priceOf(resting) && by >= 0) {
      if (by > 0) tx.emit(OrderReduced, command.book, { order, quantity: by })
      return
    }
    const side = book.sideOf(resting)
    tx.emit(OrderReplaced, command.book, { order, price, quantity })
    const left = match(tx, command.book, book, order, side, price, quantity)
    if (left > 0) tx.emit(OrderRested, command.book, { order, side, price, quantity: left })
  },
)

// ── Matching ────────────────────────────────────────────────────────────────────────────────────

/**
 * Trades against the other side, best price and oldest first, down to the limit. Reads the book as
 * it was when the command began: the trades reach it afterwards, one by one, as events.
 */
function match(
  tx: Transaction,
  bookId: string,
  book: ReadonlyOrderBook,
  taker: number,
  takerSide: Side,
  limit: number,
  quantity: number,
): number {
  let left = quantity
  let maker = book.best(oppositeOf(takerSide))
  while (left > 0 && maker !== NO_ORDER) {
    const price = book.priceOf(maker)
    if (!isWithin(takerSide, limit, price)) break
    const traded = Math.min(left, book.quantityOf(maker))
    left -= traded
    const id = book.idOf(maker)
    const trade = { maker: id, taker, takerSide, price, quantity: traded, takerLeft: left }
    tx.emit(Traded, bookId, trade)
    maker = book.next(maker)
  }
  return left
}

/** Whether enough rests within the limit to fill `quantity` at once. */
function canFill(book: ReadonlyOrderBook, side: Side, limit: number, quantity: number): boolean {
  let missing = quantity
  let maker = book.best(oppositeOf(side))
  while (missing > 0 && maker !== NO_ORDER && isWithin(side, limit, book.priceOf(maker))) {
    missing -= book.quantityOf(maker)
    maker = book.next(maker)
  }
  return missing <= 0
}

function isWithin(side: Side, limit: number, price: number): boolean {
  return side === 'buy' ? price <= limit : price >= limit
}

function anyPrice(side: Side): number {
  return side === 'buy' ? Number.MAX_SAFE_INTEGER : 1
}

function isQuantity(quantity: number): boolean {
  return quantity > 0 && quantity <= QUANTITY_MAX
}
