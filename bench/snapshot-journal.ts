/**
 * Makes the journal that the benchmark of opening from a snapshot opens: accounts of the ledger, a
 * snapshot, and transfers with so many events behind it. Runs in a process of its own, which ends
 * before any opening is measured.
 */
import type { Contender } from './benchmark.js'
import { ledgerUser } from './domains/ledger-user.js'
import { interleaved } from './interleaved.js'
import { NO_SNAPSHOTS } from './no-snapshots.js'
import { LedgerEngine } from './transfer-engine.js'
import { TransferWorkload } from './transfer-workload.js'

export interface SnapshotJournalOptions {
  /** Of the journal. */
  readonly directory: string
  readonly accounts: number
  /** Events behind the snapshot. */
  readonly tailEvents: number
  readonly segmentBytes: number
  readonly seed: number
}

/** What an opening has to find. */
export interface SnapshotJournal extends SnapshotJournalOptions {
  /** The snapshot. */
  readonly file: string
  readonly eventsBehind: number
  readonly digest: string
}

const TRANSFERS_A_STEP = 5000
const EVENTS_A_TRANSFER = 2

export async function makeSnapshotJournal(
  options: SnapshotJournalOptions,
): Promise<SnapshotJournal> {
  const entrant = { module: import.meta.url, options }
  const [made = []] = await interleaved<SnapshotJournal>([entrant], { processes: 1, rounds: 1 })
  return made[0]!
}

export async function prepare(
  options: SnapshotJournalOptions,
): Promise<Contender<SnapshotJournal>> {
  const { directory, accounts, tailEvents, segmentBytes, seed } = options
  const ledger = await LedgerEngine.open(
    ledgerUser,
    { directory, accounts, transfers: 0, warmUp: 0, seed },
    { segmentBytes, ...NO_SNAPSHOTS },
  )
  const { engine } = ledger
  const workload = new TransferWorkload(seed, accounts)
  return {
    async round() {
      while (engine.journalPosition().segmentNumber < 2) {
        await ledger.transfer(workload, TRANSFERS_A_STEP)
      }
      const file = (await engine.snapshot()) ?? ''
      const covered = Number.parseInt(file, 10)
      const tail = engine.journalPosition().sequence - covered
      await ledger.transfer(workload, Math.ceil((tailEvents - tail) / EVENTS_A_TRANSFER))
      const eventsBehind = engine.journalPosition().sequence - covered
      return { ...options, file, eventsBehind, digest: await engine.digest() }
    },
    end: () => engine.close(),
  }
}
