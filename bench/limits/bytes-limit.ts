/** The limit of bytes: what the hand-written loop hands to its journal for a transfer. */
import type { Contender } from '../benchmark.js'
import { type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { LimitJournal } from './limit-journal.js'
import { TransferLoop } from './transfer-limit.js'

export async function prepare(options: TransferOptions): Promise<Contender<number>> {
  const { directory, accounts, transfers, seed } = options
  const journal = await LimitJournal.start(directory)
  const loop = new TransferLoop(journal, accounts, new TransferWorkload(seed, accounts))
  return {
    async round() {
      const before = journal.position
      loop.run(transfers)
      return (journal.position - before) / transfers
    },
    async end() {
      await journal.end()
      loop.verify()
    },
  }
}
