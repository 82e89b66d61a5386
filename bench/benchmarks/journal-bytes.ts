/**
 * `journal.bytes`: bytes of a transfer's transaction in the journal, with both events, before headers
 * of blocks and padding. There is no limit beside: it is a size, not a speed.
 */
import { join } from 'node:path'
import { type Benchmark, type Contender, rowOf } from '../benchmark.js'
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
    const options = { ...SIZES[size], seed, directory: join(directory, 'engine') }
    const entrant = { module: import.meta.url, options }
    const repeats = { processes: 1, rounds: 1 }
    const [runs = []] = await interleaved<number, TransferOptions>([entrant], repeats)
    const config = { ...SIZES[size], seed, durability: 'disk' }
    return [rowOf({ name: this.name, unit: 'bytes a transfer', better: 'less', runs, config })]
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
