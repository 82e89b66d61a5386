/**
 * `transfer.thread`: `transfer.throughput` with the processor on a thread of its own; this thread
 * submits and reads receipts. The limit is limits/thread-limit.ts.
 */
import type { Benchmark, Contender } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { prepareTransfers } from '../transfer-engine.js'
import type { TransferOptions } from '../transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 20_000, warmUp: 1_000 },
  quick: { accounts: 262_144, transfers: 700_000, warmUp: 500_000 },
  full: { accounts: 1_048_576, transfers: 10_000_000, warmUp: 4_000_000 },
} as const

export const transferThread: Benchmark = {
  name: 'transfer.thread',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('thread-limit'),
      options: SIZES[options.size],
      config: { mode: 'thread', producers: 1 },
    })
    return [row]
  },
}

export function prepare(options: TransferOptions): Promise<Contender<number>> {
  return prepareTransfers(ledgerUser, options, { processor: 'thread' })
}
