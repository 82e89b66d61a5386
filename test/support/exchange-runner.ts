/**
 * Runs exchange commands one by one and gives what they came to, in one form for all: the exchange
 * domain, and the naive exchange that is its oracle.
 */
import {
  Book,
  CancelOrder,
  PlaceLimit,
  PlaceMarket,
  ReduceOrder,
  ReplaceOrder,
} from '../../examples/exchange/exchange.js'
import type { OrderBookSnapshot, ReadonlyOrderBook } from '../../examples/exchange/order-book.js'
import type { ExchangeCommand, ExchangeOutcome } from './naive-exchange.js'
import { NaiveObjectEngine, type NaiveReceipt } from './naive-object-engine.js'

export interface ExchangeRunner {
  run(command: ExchangeCommand): ExchangeOutcome
  readonly book: ReadonlyOrderBook
}

export const TESTED_BOOK = 'BTC/USD'

/** The domain's own handlers, without an engine. */
export class DomainExchange implements ExchangeRunner {
  readonly #engine = new NaiveObjectEngine()

  get book(): ReadonlyOrderBook {
    return this.#engine.get(Book, TESTED_BOOK)
  }

  run(command: ExchangeCommand): ExchangeOutcome {
    const receipt = this.#execute(command)
    if (!receipt.accepted) return receipt.code
    return receipt.events.map(({ type, data }) => [type, data] as const)
  }

  snapshot(): OrderBookSnapshot {
    return this.#engine.get(Book, TESTED_BOOK).snapshot()
  }

  /** Goes on from a snapshot of the book. */
  restart(): void {
    this.#engine.restart(Book)
  }

  #execute(command: ExchangeCommand): NaiveReceipt {
    const engine = this.#engine
    const book = TESTED_BOOK
    switch (command.type) {
      case 'PlaceLimit':
        return engine.execute(PlaceLimit, { book, ...fieldsOf(command) })
      case 'PlaceMarket':
        return engine.execute(PlaceMarket, { book, ...fieldsOf(command) })
      case 'CancelOrder':
        return engine.execute(CancelOrder, { book, ...fieldsOf(command) })
      case 'ReduceOrder':
        return engine.execute(ReduceOrder, { book, ...fieldsOf(command) })
      case 'ReplaceOrder':
        return engine.execute(ReplaceOrder, { book, ...fieldsOf(command) })
    }
  }
}

function fieldsOf<Command extends ExchangeCommand>(command: Command): Omit<Command, 'type'> {
  const { type: _, ...value } = command
  return value
}
