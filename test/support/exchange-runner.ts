/**
 * Runs exchange commands one by one and gives what they came to, in one form for all: the exchange
 * in an engine, and the naive exchange that is its oracle.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine, type EngineOptions, type Receipt } from '../../engine/index.js'
import exchange, {
  Book,
  CancelOrder,
  PlaceLimit,
  PlaceMarket,
  ReduceOrder,
  ReplaceOrder,
} from '../../examples/exchange/exchange.js'
import { OrderBook } from '../../examples/exchange/order-book.js'
import { type ExchangeCommand, type ExchangeOutcome, NaiveExchange } from './naive-exchange.js'

export interface ExchangeRunner {
  run(command: ExchangeCommand): Promise<ExchangeOutcome>
  /** The book now, which no later command changes. */
  book(): OrderBook
  close(): Promise<void>
}

const TESTED_BOOK = 'BTC/USD'

export class EngineExchange implements ExchangeRunner {
  #engine: Engine
  readonly #folder: string
  readonly #options: EngineOptions

  private constructor(engine: Engine, folder: string, options: EngineOptions) {
    this.#engine = engine
    this.#folder = folder
    this.#options = options
  }

  static async open(options: EngineOptions = { durability: 'none' }): Promise<EngineExchange> {
    const folder = mkdtempSync(join(tmpdir(), 'tidewheel-exchange-'))
    const engine = await Engine.open(join(folder, 'journal'), exchange, options)
    return new EngineExchange(engine, folder, options)
  }

  async run(command: ExchangeCommand): Promise<ExchangeOutcome> {
    const receipt = await this.#execute(command)
    if (!receipt.accepted) return receipt.code
    const events = [...this.#engine.events(receipt)]
    return events.map(({ type, data }) => [type, data as Record<string, unknown>] as const)
  }

  book(): OrderBook {
    return this.#engine.get(Book, TESTED_BOOK) ?? new OrderBook()
  }

  digest(): Promise<string> {
    return this.#engine.digest()
  }

  /** Closes the engine and opens it again on the same journal. */
  async restart(): Promise<void> {
    await this.#engine.close()
    this.#engine = await Engine.open(join(this.#folder, 'journal'), exchange, this.#options)
  }

  async close(): Promise<void> {
    await this.#engine.close()
    rmSync(this.#folder, { recursive: true })
  }

  #execute(command: ExchangeCommand): Promise<Receipt> {
    const engine = this.#engine
    const book = TESTED_BOOK
    switch (command.type) {
      case 'PlaceLimit':
        return engine.execute(PlaceLimit, { book, ...withoutType(command) })
      case 'PlaceMarket':
        return engine.execute(PlaceMarket, { book, ...withoutType(command) })
      case 'CancelOrder':
        return engine.execute(CancelOrder, { book, ...withoutType(command) })
      case 'ReduceOrder':
        return engine.execute(ReduceOrder, { book, ...withoutType(command) })
      case 'ReplaceOrder':
        return engine.execute(ReplaceOrder, { book, ...withoutType(command) })
    }
  }
}

/** The naive exchange in the same form. */
export class NaiveRunner implements ExchangeRunner {
  readonly #naive = new NaiveExchange()

  async run(command: ExchangeCommand): Promise<ExchangeOutcome> {
    return this.#naive.run(command)
  }

  book(): OrderBook {
    return OrderBook.restore(this.#naive.book.snapshot())
  }

  async close(): Promise<void> {}
}

function withoutType<Command extends ExchangeCommand>(command: Command): Omit<Command, 'type'> {
  const { type: _, ...value } = command
  return value
}
