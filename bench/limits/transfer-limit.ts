/**
 * The limit of transfers between accounts with dense ids: one hand-written loop on typed arrays.
 *
 * Included, as no engine can do without it: the workload, ids → slots by a table, state in a slab,
 * sweeps that let cache misses overlap, decide (funds), evolve (from the bytes of the records), stream
 * versions, the same 64 bytes a transfer, one reading of the clock a batch, and a journal that syncs
 * blocks on the other core (limit-journal-thread.ts). A round ends when everything is on disk.
 *
 * Left out, since it knows its one command and calls it: rings of commands and receipts, checks of
 * what comes in, undo, opening of streams, keys, reports, preparing of files, recovery.
 */
import type { Contender } from '../benchmark.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'
import { TRANSFER_BYTES, TransferSlab } from './transfer-slab.js'

const BATCH = 256

export async function prepare(options: TransferOptions): Promise<Contender<number>> {
  const { directory, accounts, seed } = options
  const journal = await LimitJournal.start(directory)
  const loop = new TransferLoop(journal, accounts, new TransferWorkload(seed, accounts))
  return limitContender(journal, loop, options.transfers, options.warmUp)
}

export class TransferLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly workload: TransferWorkload
  /** Account → slot. */
  private readonly index: Int32Array
  private readonly slab: TransferSlab
  /** Of a batch: from, to, from, to … */
  private readonly slots = new Int32Array(2 * BATCH)
  private transfers = 0

  constructor(journal: LimitJournal, accounts: number, workload: TransferWorkload) {
    this.journal = journal
    this.workload = workload
    this.index = Int32Array.from({ length: accounts }, (_, account) => account + 1)
    this.slab = new TransferSlab(accounts)
  }

  /** Returns when all of them are on disk. */
  run(transfers: number): void {
    for (let done = 0; done < transfers; done += BATCH) {
      this.batch(Math.min(BATCH, transfers - done))
    }
    this.journal.drain()
    this.transfers += transfers
  }

  verify(): void {
    this.slab.verify(this.transfers)
  }

  private batch(count: number): void {
    const { journal, workload, index, slab, slots } = this
    for (let i = 0; i < 2 * count; i++) slots[i] = index[workload.nextAccount()]!
    slab.touch(slots, 2 * count)
    const start = journal.makeRoom(count * TRANSFER_BYTES)
    const { view } = journal
    const timeUs = Date.now() * 1000
    for (let i = 0; i < count; i++) {
      const o = start + i * TRANSFER_BYTES
      slab.transfer(view, o, slots[2 * i]!, slots[2 * i + 1]!, AMOUNT, timeUs, TRANSFER_BYTES)
    }
    journal.publish(count * TRANSFER_BYTES)
  }
}
