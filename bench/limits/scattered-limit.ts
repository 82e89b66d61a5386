/**
 * The limit of transfers between accounts with scattered 64-bit ids: transfer-limit.ts, with ids that
 * are hashed and looked up in one flat table that never grows, in two sweeps.
 *
 *   cell:  │ id low │ id high │ slot, 0: empty │ unused │      at most half of the cells are taken
 *
 * The id stays two halves, where the public API takes a bigint: a loop of its own has no need of one.
 * Included and left out: as in transfer-limit.ts. No secret in the hash, and no growth.
 */
import type { Contender } from '../benchmark.js'
import { ScatteredId } from '../ids.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'
import { PairTable } from './pair-table.js'
import { TRANSFER_BYTES, TransferSlab } from './transfer-slab.js'

const BATCH = 256

export async function prepare(options: TransferOptions): Promise<Contender<number>> {
  const { directory, accounts, seed } = options
  const journal = await LimitJournal.start(directory)
  const loop = new ScatteredLoop(journal, accounts, new TransferWorkload(seed, accounts))
  return limitContender(journal, loop, options.transfers, options.warmUp)
}

class ScatteredLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly workload: TransferWorkload
  private readonly table: PairTable
  private readonly slab: TransferSlab
  private readonly id = new ScatteredId()
  /** Of a batch: from, to, from, to … */
  private readonly lows = new Int32Array(2 * BATCH)
  private readonly highs = new Int32Array(2 * BATCH)
  private readonly homes = new Int32Array(2 * BATCH)
  private readonly slots = new Int32Array(2 * BATCH)
  private transfers = 0

  constructor(journal: LimitJournal, accounts: number, workload: TransferWorkload) {
    this.journal = journal
    this.workload = workload
    this.table = new PairTable(accounts)
    for (let account = 0; account < accounts; account++) {
      this.id.set(account)
      this.table.add(this.id.low, this.id.high, account + 1)
    }
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
    const { journal, slab, slots } = this
    this.findSlots(2 * count)
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

  private findSlots(count: number): void {
    const { workload, table, id, lows, highs, homes, slots } = this
    for (let i = 0; i < count; i++) {
      id.set(workload.nextAccount())
      lows[i] = id.low
      highs[i] = id.high
      homes[i] = table.home(id.low, id.high)
    }
    table.touch(homes, count)
    for (let i = 0; i < count; i++) slots[i] = table.findFrom(homes[i]!, lows[i]!, highs[i]!)
  }
}
