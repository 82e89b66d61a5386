/**
 * `transfer.throughput`: durable transfers a second between 1,048,576 accounts with dense u32 ids,
 * chosen uniformly, two events each, level `disk`, through `submit`, inline, with segments rolling.
 * The limit is limits/transfer-limit.ts.
 */
import type { Benchmark, Contender } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { prepareTransfers } from '../transfer-engine.js'
import type { TransferOptions } from '../transfer-workload.js'

export const TRANSFER_SIZES = {
  smoke: { accounts: 1024, transfers: 20_000, warmUp: 1_000 },
  quick: { accounts: 1_048_576, transfers: 1_000_000, warmUp: 500_000 },
  full: { accounts: 1_048_576, transfers: 10_000_000, warmUp: 4_000_000 },
} as const

export const transferThroughput: Benchmark = {
  name: 'transfer.throughput',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('transfer-limit'),
      options: TRANSFER_SIZES[options.size],
      config: { mode: 'inline', producers: 1 },
    })
    return [row]
  },
}

export function prepare(options: TransferOptions): Promise<Contender<number>> {
  return prepareTransfers(ledgerUser, options)
}
