/**
 * `transfer.text`: `transfer.throughput` with text ids and an idempotency key on each transfer, which
 * is kept with its outcome. The window of keys is full when the clock starts, so that each key that
 * comes drives one out. The limit is limits/text-limit.ts.
 */
import type { Benchmark, Contender } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { textLedgerUser } from '../domains/text-ledger-user.js'
import { prepareTransfers } from '../transfer-engine.js'
import type { TransferOptions } from '../transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 10_000, warmUp: 1_000, keyCountMax: 1_000 },
  quick: { accounts: 262_144, transfers: 150_000, warmUp: 100_000, keyCountMax: 100_000 },
  full: { accounts: 1_048_576, transfers: 3_000_000, warmUp: 1_000_000, keyCountMax: 1_000_000 },
} as const

export const transferText: Benchmark = {
  name: 'transfer.text',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('text-limit'),
      options: SIZES[options.size],
      config: { mode: 'inline', producers: 1, ids: 'text' },
    })
    return [row]
  },
}

export interface TextOptions extends TransferOptions {
  readonly keyCountMax: number
}

export function prepare(options: TextOptions): Promise<Contender<number>> {
  return prepareTransfers(textLedgerUser(), options, { keyCountMax: options.keyCountMax })
}
