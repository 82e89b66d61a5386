/**
 * `transfer.accounts@…`: `transfer.throughput` over the number of accounts, from what fits into the
 * processor's caches to what fits nowhere. The limit is limits/transfer-limit.ts.
 */
import { type Benchmark, type Contender, numbersOf, type Row } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { prepareTransfers } from '../transfer-engine.js'
import type { TransferOptions } from '../transfer-workload.js'

const SIZES = {
  smoke: { transfers: 10_000, warmUp: 1_000 },
  quick: { transfers: 500_000, warmUp: 300_000 },
  full: { transfers: 10_000_000, warmUp: 4_000_000 },
} as const

const ACCOUNTS = {
  smoke: [1_024],
  quick: [1_024, 32_768],
  full: [1_024, 32_768, 1_048_576, 16_777_216],
} as const

export const transferAccounts: Benchmark = {
  name: 'transfer.accounts',
  at: 'accounts',
  async run(options) {
    const rows: Row[] = []
    for (const accounts of numbersOf(options, ACCOUNTS)) {
      const row = await compare(options, {
        name: `${this.name}@${accounts}`,
        unit: 'durable commands/s',
        better: 'more',
        engine: import.meta.url,
        limit: limitModule('transfer-limit'),
        options: { ...SIZES[options.size], accounts },
        config: { mode: 'inline', producers: 1 },
      })
      rows.push(row)
    }
    return rows
  },
}

export function prepare(options: TransferOptions): Promise<Contender<number>> {
  return prepareTransfers(ledgerUser, options)
}
