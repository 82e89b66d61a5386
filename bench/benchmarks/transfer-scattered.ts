/**
 * `transfer.scattered`: `transfer.throughput` with u64 ids that are spread over all 64 bits, so that
 * each is a bigint and every lookup is hashed. The limit is limits/scattered-limit.ts.
 */
import type { Benchmark, Contender } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { scatteredLedgerUser } from '../domains/scattered-ledger-user.js'
import { prepareTransfers } from '../transfer-engine.js'
import type { TransferOptions } from '../transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 20_000, warmUp: 1_000 },
  quick: { accounts: 1_048_576, transfers: 500_000, warmUp: 400_000 },
  full: { accounts: 1_048_576, transfers: 10_000_000, warmUp: 4_000_000 },
} as const

export const transferScattered: Benchmark = {
  name: 'transfer.scattered',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('scattered-limit'),
      options: SIZES[options.size],
      config: { mode: 'inline', producers: 1, ids: 'u64' },
    })
    return [row]
  },
}

export function prepare(options: TransferOptions): Promise<Contender<number>> {
  return prepareTransfers(scatteredLedgerUser, options)
}
