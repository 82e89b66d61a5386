/**
 * `journal.bytes`: bytes of a transfer's transaction in the journal, with both events, before headers
 * of blocks and padding. The limit is what the hand-written loop writes for one (limits/bytes-limit.ts).
 */
import { join } from 'node:path'
import { type Benchmark, type Contender, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { interleaved } from '../interleaved.js'
import { journalSize } from '../journal-size.js'
import { LedgerEngine } from '../transfer-engine.js'
import { type TransferOptions, TransferWorkload } from '../transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 5_000, warmUp: 0 },
  quick: { accounts: 32_768, transfers: 100_000, warmUp: 0 },
  full: { accounts: 1_048_576, transfers: 1_000_000, warmUp: 0 },
} as const

export const journalBytes: Benchmark = {
  name: 'journal.bytes',
  async run({ size, directory, seed }) {
    const options = { ...SIZES[size], seed }
    const [runs = [], limitRuns = []] = await interleaved<number, TransferOptions>(
      [
        { module: import.meta.url, options: { ...options, directory: join(directory, 'engine') } },
        {
          module: limitModule('bytes-limit'),
          options: { ...options, directory: join(directory, 'limit') },
        },
      ],
      // It is no speed: the next run writes as many.
      { processes: 1, rounds: 1 },
    )
    const config = { ...SIZES[size], seed, durability: 'disk' }
    const unit = 'bytes a transfer'
    return [rowOf({ name: this.name, unit, better: 'less', runs, limitRuns, config })]
  },
}

export async function prepare(options: TransferOptions): Promise<Contender<number>> {
  const { directory, accounts, transfers, seed } = options
  const ledger = await LedgerEngine.open(ledgerUser, options)
  return {
    async round() {
      const before = ledger.engine.journalPosition()
      await ledger.transfer(new TransferWorkload(seed, accounts), transfers)
      const after = ledger.engine.journalPosition()
      const { events, frameBytes } = await journalSize(directory, before.sequence + 1, after)
      if (events !== 2 * transfers) throw new Error(`${events} events of ${transfers} transfers`)
      return frameBytes / transfers
    },
    end: () => ledger.verify(transfers),
  }
}
