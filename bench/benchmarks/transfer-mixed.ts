/**
 * `transfer.mixed`: the whole payments domain (examples/payments), all its commands in the mix of a
 * bank that also runs a card business (payments-mix.ts), some of them refused. The limit is
 * limits/payments-limit.ts.
 */
import type { Benchmark, Contender } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { prepareCommands } from '../domain-engine.js'
import type { PaymentsOptions } from '../payments-tape.js'
import { PaymentsUser } from '../payments-user.js'

const SIZES = {
  smoke: { accounts: 1_000, commands: 10_000, warmUp: 2_000 },
  quick: { accounts: 100_000, commands: 200_000, warmUp: 150_000 },
  full: { accounts: 1_000_000, commands: 3_000_000, warmUp: 1_000_000 },
} as const

export const transferMixed: Benchmark = {
  name: 'transfer.mixed',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('payments-limit'),
      options: SIZES[options.size],
      config: { mode: 'inline', producers: 1 },
    })
    return [row]
  },
}

export function prepare(options: PaymentsOptions): Promise<Contender<number>> {
  return prepareCommands(new PaymentsUser(options), options)
}
