/**
 * A recorded feed as an order flow: its commands in columns, replayed as often as asked for. Each
 * repetition shifts the order ids, so that its orders are new ones.
 *
 * ```
 *   order     Float64Array   ids as the feed has them; a cancel is the negative id
 *   price     Float64Array   ticks; negative: a sale
 *   quantity  Float64Array   lots
 * ```
 *
 * 24 bytes a command: a feed of 30 million commands takes 720 MB. The feed is read once, since
 * reading and parsing it costs more than an engine does.
 */
import type { Side } from '../../examples/exchange/order-book.js'
import { readBitstampRows } from './bitstamp.js'
import type { BrokenLine, OnBrokenLine } from './feed-lines.js'
import type { OrderFlow } from './order-flow.js'

const ROWS_AT_FIRST = 64 * 1024
/** Broken lines that are kept for the report; the others are only counted. */
const BROKEN_KEPT_MAX = 20

export interface RecordedFeed {
  readonly commands: number
  readonly brokenCount: number
  /** The first of them. */
  readonly broken: readonly BrokenLine[]
  /** The commands from the first one on, `repeat` times. */
  flow(repeat?: number): OrderFlow
}

/** Reads the orders and cancels of a Bitstamp recording, plain or `.gz`. */
export async function readBitstampFeed(file: string): Promise<RecordedFeed> {
  const columns = new OrderColumns()
  const broken: BrokenLine[] = []
  let brokenCount = 0
  const onBroken: OnBrokenLine = (each) => {
    brokenCount += 1
    if (broken.length < BROKEN_KEPT_MAX) broken.push(each)
  }
  for await (const row of readBitstampRows(file, onBroken)) {
    if (row.kind === 'order_created') {
      columns.place(row.order, row.side, row.priceCents, row.amountSatoshi)
    } else if (row.kind === 'order_deleted' && row.amountSatoshi > 0) {
      columns.cancel(row.order)
    }
  }
  const flow = (repeat = 1) => new RecordedOrderFlow(columns, repeat)
  return { commands: columns.count, brokenCount, broken, flow }
}

export class OrderColumns {
  count = 0
  orderMax = 0
  order = new Float64Array(ROWS_AT_FIRST)
  price = new Float64Array(ROWS_AT_FIRST)
  quantity = new Float64Array(ROWS_AT_FIRST)

  place(order: number, side: Side, price: number, quantity: number): void {
    this.#add(order, side === 'buy' ? price : -price, quantity)
    this.orderMax = Math.max(this.orderMax, order)
  }

  cancel(order: number): void {
    this.#add(-order, 0, 0)
    this.orderMax = Math.max(this.orderMax, order)
  }

  #add(order: number, price: number, quantity: number): void {
    if (this.count === this.order.length) this.#grow()
    this.order[this.count] = order
    this.price[this.count] = price
    this.quantity[this.count] = quantity
    this.count += 1
  }

  #grow(): void {
    const twice = (column: Float64Array<ArrayBuffer>) => {
      const larger = new Float64Array(column.length * 2)
      larger.set(column)
      return larger
    }
    this.order = twice(this.order)
    this.price = twice(this.price)
    this.quantity = twice(this.quantity)
  }
}

export class RecordedOrderFlow implements OrderFlow {
  kind: 'place' | 'cancel' = 'place'
  order = 0
  side: Side = 'buy'
  price = 0
  quantity = 0

  readonly #columns: OrderColumns
  readonly #repeat: number
  #row = 0
  #round = 0

  constructor(columns: OrderColumns, repeat: number) {
    this.#columns = columns
    this.#repeat = repeat
  }

  next(): boolean {
    const columns = this.#columns
    if (this.#row === columns.count) {
      this.#row = 0
      this.#round += 1
    }
    if (this.#round >= this.#repeat || columns.count === 0) return false
    const row = this.#row++
    const order = columns.order[row]!
    const price = columns.price[row]!
    const shift = this.#round * columns.orderMax
    this.kind = order < 0 ? 'cancel' : 'place'
    this.order = Math.abs(order) + shift
    this.side = price < 0 ? 'sell' : 'buy'
    this.price = Math.abs(price)
    this.quantity = columns.quantity[row]!
    return true
  }
}
