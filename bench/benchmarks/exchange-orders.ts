/**
 * `exchange.orders@1`, `exchange.orders@64`: durable orders and cancels a second on so many books, in
 * a flow that is shaped like a real feed. The limit is limits/order-limit.ts.
 */
import type { Benchmark, Contender, Row } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { prepareCommands } from '../domain-engine.js'
import { ExchangeUser } from '../exchange-user.js'
import type { OrderOptions } from '../order-tape.js'

const SIZES = {
  smoke: { commands: 10_000, warmUp: 1_000 },
  quick: { commands: 200_000, warmUp: 200_000 },
  full: { commands: 5_000_000, warmUp: 1_000_000 },
} as const

const BOOKS = [1, 64]

export const exchangeOrders: Benchmark = {
  name: 'exchange.orders',
  async run(options) {
    const rows: Row[] = []
    for (const books of BOOKS) {
      const row = await compare(options, {
        name: `${this.name}@${books}`,
        unit: 'durable commands/s',
        better: 'more',
        engine: import.meta.url,
        limit: limitModule('order-limit'),
        options: { ...SIZES[options.size], books },
        config: { mode: 'inline', producers: 1 },
      })
      rows.push(row)
    }
    return rows
  },
}

export function prepare(options: OrderOptions): Promise<Contender<number>> {
  return prepareCommands(new ExchangeUser(options), options)
}
