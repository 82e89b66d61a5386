/**
 * `journal.amplification@RATE`: bytes written to the journal (headers of blocks, padding, seals) for
 * each byte of a transaction, at several rates. What is written to prepare files, once for each byte
 * of them, comes on top. The limit is what synced writes on the same schedule take
 * (limits/amplification-limit.ts). Who waits longer writes less: the other side of this choice is
 * `transfer.latency`.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Benchmark, type Contender, type Row, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { interleaved, REPEATS } from '../interleaved.js'
import { journalSize } from '../journal-size.js'
import { TRANSFER_BYTES } from '../limits/transfer-slab.js'
import { commandCount, offer, type Schedule } from '../open-loop.js'
import { LedgerEngine } from '../transfer-engine.js'
import { type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { submitter } from './transfer-latency.js'

/** Rates, and for how long each is offered. */
const RATES = {
  smoke: [{ rate: 1_000, seconds: 0.1 }],
  quick: [
    { rate: 1, seconds: 1 },
    { rate: 1_000, seconds: 0.5 },
    { rate: 1_000_000, seconds: 0.5 },
  ],
  full: [
    { rate: 1, seconds: 10 },
    { rate: 1_000, seconds: 10 },
    { rate: 1_000_000, seconds: 10 },
  ],
} as const

const ACCOUNTS = { smoke: 1024, quick: 32_768, full: 1_048_576 } as const
export type AmplificationOptions = TransferOptions & Schedule

/** Longer than the journaler waits before it seals. */
const SEAL_MS = 400

export const journalAmplification: Benchmark = {
  name: 'journal.amplification',
  async run({ size, directory, seed }) {
    const rows: Row[] = []
    for (const { rate, seconds } of RATES[size]) {
      const schedule = { rate, seconds, warmUpSeconds: 0 }
      const options = { ...schedule, accounts: ACCOUNTS[size], transfers: 0, warmUp: 0, seed }
      const [runs = [], limitRuns = []] = await interleaved<number, AmplificationOptions>(
        [
          {
            module: import.meta.url,
            options: { ...options, directory: join(directory, 'engine') },
          },
          {
            module: limitModule('amplification-limit'),
            options: { ...options, directory: join(directory, 'limit') },
          },
        ],
        size === 'full' ? REPEATS.full : REPEATS.smoke,
      )
      const row = rowOf({
        name: `${this.name}@${rate}`,
        unit: 'bytes written a byte',
        better: 'less',
        runs,
        limitRuns,
        config: { ...options, durability: 'disk', mode: 'inline', loop: 'open' },
      })
      rows.push(row)
    }
    return rows
  },
}

export async function prepare(options: AmplificationOptions): Promise<Contender<number>> {
  const { directory, accounts, seed } = options
  const ledger = await LedgerEngine.open(ledgerUser, options)
  const { engine } = ledger
  const workload = new TransferWorkload(seed, accounts)
  const transfers = commandCount(options)
  let rounds = 0
  return {
    async round() {
      rounds++
      await sleep(SEAL_MS)
      const { sequence } = engine.journalPosition()
      const { accepted } = await offer(engine, options, submitter(workload, ledger))
      ledger.accepted += accepted
      await sleep(SEAL_MS)
      const size = await journalSize(directory, sequence + 1, engine.journalPosition())
      if (size.events !== 2 * transfers) throw new Error(`${size.events} events`)
      return size.blockBytes / (transfers * TRANSFER_BYTES)
    },
    end: () => ledger.verify(rounds * transfers),
  }
}
