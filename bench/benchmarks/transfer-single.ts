/**
 * `transfer.single.…`: one caller that awaits each `execute`, one after the other. The limit is what
 * the disk takes for the smallest block: synced writes of 4 KiB, limits/single-write-limit.ts.
 */
import { join } from 'node:path'
import { type Benchmark, type Contender, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import { Transfer } from '../domains/ledger.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { interleaved, REPEATS } from '../interleaved.js'
import { type Percentiles, percentilesOf } from '../percentiles.js'
import { LedgerEngine } from '../transfer-engine.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from '../transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 50, warmUp: 20 },
  quick: { accounts: 32_768, transfers: 2_000, warmUp: 2_000 },
  full: { accounts: 1_048_576, transfers: 50_000, warmUp: 20_000 },
} as const

export const transferSingle: Benchmark = {
  name: 'transfer.single',
  async run({ size, directory, seed }) {
    const sizes = { ...SIZES[size], seed }
    const [runs = [], limitRuns = []] = await interleaved<Percentiles, TransferOptions>(
      [
        { module: import.meta.url, options: { ...sizes, directory: join(directory, 'engine') } },
        {
          module: limitModule('single-write-limit'),
          options: { ...sizes, directory: join(directory, 'limit') },
        },
      ],
      REPEATS[size],
    )
    const config = { ...sizes, durability: 'disk', mode: 'inline', limitBytes: 4096 }
    return (['p50', 'p99'] as const).map((percentile) =>
      rowOf({
        name: `${this.name}.${percentile}`,
        unit: 'µs',
        better: 'less',
        runs: runs.map((run) => run[percentile]),
        limitRuns: limitRuns.map((run) => run[percentile]),
        config,
      }),
    )
  },
}

export async function prepare(options: TransferOptions): Promise<Contender<Percentiles>> {
  const { accounts, transfers, warmUp, seed } = options
  const ledger = await LedgerEngine.open(ledgerUser, options)
  const workload = new TransferWorkload(seed, accounts)
  const callOneByOne = async (count: number): Promise<Percentiles> => {
    const latenciesUs = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const from = workload.nextAccount()
      const to = workload.nextAccount()
      const startedMs = performance.now()
      await ledger.engine.execute(Transfer, { from, to, amount: AMOUNT })
      latenciesUs[i] = (performance.now() - startedMs) * 1000
    }
    return percentilesOf(latenciesUs)
  }
  await callOneByOne(warmUp)
  let rounds = 0
  return {
    round: () => {
      rounds++
      return callOneByOne(transfers)
    },
    end: () => ledger.verify(warmUp + rounds * transfers),
  }
}
