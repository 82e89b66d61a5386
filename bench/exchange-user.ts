/** How the benchmarks use the exchange of examples/exchange. */
import type { Engine } from '../engine/index.js'
import exchange, { Book, CancelOrder, PlaceLimit } from '../examples/exchange/exchange.js'
import type { Side } from '../examples/exchange/order-book.js'
import type { Answered, DomainUser } from './domain-engine.js'
import type { FlatBook } from './limits/flat-book.js'
import { FlatExchange } from './limits/order-limit.js'
import { type OrderOptions, OrderTape } from './order-tape.js'

const VERIFIED_AT_ONCE = 10_000
/** Room for the frames of as many commands. */
const VERIFY_BYTES = 16 * 1024 * 1024

export class ExchangeUser implements DomainUser {
  readonly domain = exchange
  private readonly options: OrderOptions
  private readonly tape: OrderTape
  private readonly names: readonly string[]
  private next = 0
  private planned = 0
  private readonly placing = {
    book: '',
    order: 0,
    side: 'buy' as Side,
    price: 0,
    quantity: 0,
    timeInForce: 'goodTillCancelled' as const,
  }
  private readonly cancelling = { book: '', order: 0 }

  constructor(options: OrderOptions) {
    this.options = options
    this.tape = new OrderTape(options)
    this.names = Array.from({ length: options.books }, (_, book) => `INSTRUMENT-${100 + book}`)
  }

  async open(): Promise<void> {
    // A book opens with its first order.
  }

  plan(count: number): void {
    this.tape.plan(count)
    this.next = 0
    this.planned += count
  }

  submitNext(engine: Engine): number {
    const { tape, next, names } = this
    const ticket =
      tape.places[next] === 1
        ? this.place(engine, names[tape.book[next]!]!, next)
        : this.cancel(engine, names[tape.book[next]!]!, tape.order[next]!)
    if (ticket !== 0) this.next = next + 1
    return ticket
  }

  /** The flat books of the limit, which ran the same orders, hold the same. */
  verify(engine: Engine, { accepted, rejected }: Answered): void {
    const { books } = this.options
    const tape = new OrderTape(this.options)
    const flat = new FlatExchange(books, new DataView(new ArrayBuffer(VERIFY_BYTES)))
    for (let done = 0; done < this.planned; done += VERIFIED_AT_ONCE) {
      const count = Math.min(VERIFIED_AT_ONCE, this.planned - done)
      tape.plan(count)
      flat.run(tape, 0, count, 0)
    }
    if (flat.accepted !== accepted || flat.rejected !== rejected) {
      throw new Error(`${accepted} commands were accepted, ${flat.accepted} by hand`)
    }
    for (const [book, name] of this.names.entries()) {
      const expected = JSON.stringify(snapshotOf(flat.books[book]!))
      const actual = JSON.stringify(engine.get(Book, name)?.snapshot() ?? snapshotOf(EMPTY))
      if (actual !== expected) throw new Error(`book ${name} differs from that of the limit`)
    }
  }

  private place(engine: Engine, book: string, at: number): number {
    const { placing, tape } = this
    placing.book = book
    placing.order = tape.order[at]!
    placing.side = tape.buys[at] === 1 ? 'buy' : 'sell'
    placing.price = tape.price[at]!
    placing.quantity = tape.quantity[at]!
    return engine.submit(PlaceLimit, placing)
  }

  private cancel(engine: Engine, book: string, order: number): number {
    const { cancelling } = this
    cancelling.book = book
    cancelling.order = order
    return engine.submit(CancelOrder, cancelling)
  }
}

const EMPTY = { resting: () => [] }

function snapshotOf(book: Pick<FlatBook, 'resting'> | typeof EMPTY): object {
  return { buy: [...book.resting(1)], sell: [...book.resting(0)] }
}
