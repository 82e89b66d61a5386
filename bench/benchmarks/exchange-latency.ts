/**
 * `exchange.latency@RATE.…`: percentiles of orders and cancels on one book in an open loop. The limit
 * is synced writes of as many bytes on the same schedule, limits/write-schedule-limit.ts.
 */
import { type Benchmark, type Contender, numbersOf, type Row } from '../benchmark.js'
import { DomainEngine } from '../domain-engine.js'
import { ExchangeUser } from '../exchange-user.js'
import { latencyRows } from '../latency-rows.js'
import { commandCount, type OpenLoopResult, offer, type Schedule } from '../open-loop.js'
import type { OrderOptions } from '../order-tape.js'

const SIZES = {
  smoke: { warmUp: 1_000, seconds: 0.2, warmUpSeconds: 0.1 },
  quick: { warmUp: 200_000, seconds: 0.5, warmUpSeconds: 0.3 },
  full: { warmUp: 1_000_000, seconds: 10, warmUpSeconds: 2 },
} as const

const RATES = {
  smoke: [20_000],
  quick: [500_000],
  full: [100_000, 500_000, 1_000_000, 2_000_000],
} as const

/** Of a command's transaction in the journal, on average: checked in every round. */
const COMMAND_BYTES = 58

export const exchangeLatency: Benchmark = {
  name: 'exchange.latency',
  at: 'commands a second',
  async run(options) {
    const rows: Row[] = []
    const { warmUp, ...schedule } = SIZES[options.size]
    for (const rate of numbersOf(options, RATES)) {
      const atRate = await latencyRows(options, {
        name: this.name,
        engine: import.meta.url,
        options: { books: 1, commands: 0, warmUp },
        commandBytes: COMMAND_BYTES,
        rate,
        ...schedule,
      })
      rows.push(...atRate)
    }
    return rows
  },
}

export async function prepare(
  options: OrderOptions & Schedule,
): Promise<Contender<OpenLoopResult>> {
  const user = new ExchangeUser(options)
  const opened = await DomainEngine.open(user, options.directory)
  const { engine } = opened
  opened.plan(options.warmUp)
  await opened.submit(options.warmUp)
  return {
    async round() {
      const commands = commandCount(options)
      opened.plan(commands)
      const before = engine.journalPosition().ringPosition
      const result = await offer(engine, options, () => user.submitNext(engine))
      opened.accepted += result.accepted
      opened.rejected += result.rejected
      const commandBytes = (engine.journalPosition().ringPosition - before) / commands
      if (Math.abs(commandBytes / COMMAND_BYTES - 1) > 0.1) {
        throw new Error(`a command takes ${commandBytes} bytes, not ${COMMAND_BYTES}`)
      }
      return result
    },
    end: () => opened.verify(),
  }
}
