/**
 * Makes the journal that the benchmarks of recovery open: deposits and transfers of the ledger, so
 * many events in all. Runs in a process of its own, which ends before any opening is measured.
 */
import type { Contender } from './benchmark.js'
import { ledgerUser } from './domains/ledger-user.js'
import { interleaved } from './interleaved.js'
import { LedgerEngine } from './transfer-engine.js'
import { TransferWorkload } from './transfer-workload.js'

export interface RecoveryOptions {
  /** Of the journal. */
  readonly directory: string
  readonly events: number
  readonly accounts: number
  readonly seed: number
}

/** What an opening has to find. */
export interface RecoveryJournal extends RecoveryOptions {
  readonly digest: string
}

export async function makeRecoveryJournal(options: RecoveryOptions): Promise<RecoveryJournal> {
  const entrant = { module: import.meta.url, options }
  const [digests = []] = await interleaved<string>([entrant], { processes: 1, rounds: 1 })
  return { ...options, digest: digests[0]! }
}

export async function prepare(options: RecoveryOptions): Promise<Contender<string>> {
  const { directory, events, accounts, seed } = options
  const transfers = (events - accounts) / 2
  const ledger = await LedgerEngine.open(ledgerUser, {
    directory,
    accounts,
    transfers,
    warmUp: 0,
    seed,
  })
  return {
    async round() {
      await ledger.transfer(new TransferWorkload(seed, accounts), transfers)
      return ledger.engine.digest()
    },
    async end() {
      await ledger.engine.close()
      if (ledger.accepted !== transfers) throw new Error(`${ledger.accepted} of ${transfers}`)
    },
  }
}
