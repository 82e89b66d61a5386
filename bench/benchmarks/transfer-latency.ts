/**
 * `transfer.latency@RATE.…`: percentiles in an open loop, at several rates up to saturation and
 * beyond, and what was answered a second. The limit is synced writes of the same bytes on the same
 * schedule, limits/write-schedule-limit.ts.
 */
import { type Benchmark, type Contender, numbersOf, type Row } from '../benchmark.js'
import { Transfer } from '../domains/ledger.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { latencyRows } from '../latency-rows.js'
import { TRANSFER_BYTES } from '../limits/transfer-slab.js'
import { commandCount, type OpenLoopResult, offer, type Schedule } from '../open-loop.js'
import { LedgerEngine } from '../transfer-engine.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from '../transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, seconds: 0.2, warmUpSeconds: 0.1 },
  quick: { accounts: 262_144, seconds: 0.6, warmUpSeconds: 0.3 },
  full: { accounts: 1_048_576, seconds: 30, warmUpSeconds: 5 },
} as const

const RATES = {
  smoke: [20_000],
  quick: [500_000, 1_000_000],
  full: [100_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 4_000_000],
} as const

export const transferLatency: Benchmark = {
  name: 'transfer.latency',
  at: 'commands a second',
  async run(options) {
    const rows: Row[] = []
    const { accounts, ...schedule } = SIZES[options.size]
    for (const rate of numbersOf(options, RATES)) {
      const atRate = await latencyRows(options, {
        name: this.name,
        engine: import.meta.url,
        options: { accounts, transfers: 0, warmUp: 0 },
        commandBytes: TRANSFER_BYTES,
        rate,
        ...schedule,
      })
      rows.push(...atRate)
    }
    return rows
  },
}

export async function prepare(
  options: TransferOptions & Schedule,
): Promise<Contender<OpenLoopResult>> {
  const ledger = await LedgerEngine.open(ledgerUser, options)
  const { engine } = ledger
  const workload = new TransferWorkload(options.seed, options.accounts)
  let offered = 0
  return {
    async round() {
      const result = await offer(engine, options, submitter(workload, ledger))
      ledger.accepted += result.accepted
      offered += commandCount(options)
      return result
    },
    end: () => ledger.verify(offered),
  }
}

/** Submits one transfer after the other; what was not taken is submitted again. */
export function submitter(workload: TransferWorkload, { engine }: LedgerEngine): () => number {
  const command = { from: 0, to: 0, amount: AMOUNT }
  let isTaken = true
  return () => {
    if (isTaken) {
      command.from = workload.nextAccount()
      command.to = workload.nextAccount()
    }
    const ticket = engine.submit(Transfer, command)
    isTaken = ticket !== 0
    return ticket
  }
}
