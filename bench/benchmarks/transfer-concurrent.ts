/**
 * `transfer.concurrent`: 1,000 callers, each of which awaits `execute` and then calls it again. The
 * limit is limits/concurrent-limit.ts.
 */
import type { Engine } from '../../engine/index.js'
import type { Benchmark, Contender } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { Transfer } from '../domains/ledger.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { LedgerEngine } from '../transfer-engine.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from '../transfer-workload.js'

const CALLERS = 1_000
const SIZES = {
  smoke: { accounts: 1024, transfers: 10_000, warmUp: 1_000, callers: 100 },
  quick: { accounts: 1_048_576, transfers: 300_000, warmUp: 200_000, callers: CALLERS },
  full: { accounts: 1_048_576, transfers: 5_000_000, warmUp: 500_000, callers: CALLERS },
} as const

export interface ConcurrentOptions extends TransferOptions {
  readonly callers: number
}

export const transferConcurrent: Benchmark = {
  name: 'transfer.concurrent',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('concurrent-limit'),
      options: SIZES[options.size],
      config: { mode: 'inline' },
    })
    return [row]
  },
}

export async function prepare(options: ConcurrentOptions): Promise<Contender<number>> {
  const { accounts, transfers, warmUp, callers, seed } = options
  const ledger = await LedgerEngine.open(ledgerUser, options)
  const workload = new TransferWorkload(seed, accounts)
  await call(ledger.engine, workload, callers, warmUp)
  let rounds = 0
  return {
    async round() {
      rounds++
      const startedMs = performance.now()
      await call(ledger.engine, workload, callers, transfers)
      return (transfers * 1000) / (performance.now() - startedMs)
    },
    end: () => ledger.verify(warmUp + rounds * transfers),
  }
}

async function call(
  engine: Engine,
  workload: TransferWorkload,
  callers: number,
  transfers: number,
): Promise<void> {
  let left = transfers
  const caller = async (): Promise<void> => {
    while (left-- > 0) {
      const from = workload.nextAccount()
      const to = workload.nextAccount()
      const receipt = await engine.execute(Transfer, { from, to, amount: AMOUNT })
      if (!receipt.accepted) throw new Error(`a transfer was refused: ${receipt.code}`)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}
