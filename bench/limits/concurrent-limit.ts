/**
 * The limit of many callers that await each transfer: the hand-written transfer of transfer-limit.ts,
 * and what awaiting cannot do without: a promise for each transfer, batches of what they ask in
 * a turn of the event loop, and a look at the synced position in the next ones.
 *
 *   callers ─▶ asked ─▶ published by the 256th, or at the end of the turn ─▶ on disk: resolve them
 *
 * Left out: as in transfer-limit.ts, and receipts: a promise is resolved with nothing in it.
 */

import type { Contender } from '../benchmark.js'
import type { ConcurrentOptions } from '../benchmarks/transfer-concurrent.js'
import { AMOUNT, TransferWorkload } from '../transfer-workload.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'
import { TRANSFER_BYTES, TransferSlab } from './transfer-slab.js'

const BATCH = 256

export async function prepare(options: ConcurrentOptions): Promise<Contender<number>> {
  const { directory, accounts, callers, seed } = options
  const journal = await LimitJournal.start(directory)
  const workload = new TransferWorkload(seed, accounts)
  const loop = new ConcurrentLoop(journal, accounts, callers, workload)
  return limitContender(journal, loop, options.transfers, options.warmUp)
}

class ConcurrentLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly workload: TransferWorkload
  private readonly callers: number
  /** Account → slot. */
  private readonly index: Int32Array
  private readonly slab: TransferSlab
  /** Asked in this turn: from, to, from, to … */
  private readonly slots: Int32Array
  private asked = 0
  private isFlushing = false
  /** Of all that is not answered, in order. */
  private resolves: (() => void)[] = []
  /** Where the journal has to be for the first so many of `resolves`. */
  private readonly positions: { position: number; count: number }[] = []
  private transfers = 0
  private readonly boundFlush = (): void => this.flush()
  private readonly boundPoll = (): void => this.poll()

  constructor(
    journal: LimitJournal,
    accounts: number,
    callers: number,
    workload: TransferWorkload,
  ) {
    this.journal = journal
    this.workload = workload
    this.callers = callers
    this.index = Int32Array.from({ length: accounts }, (_, account) => account + 1)
    this.slab = new TransferSlab(accounts)
    this.slots = new Int32Array(2 * BATCH)
  }

  async run(transfers: number): Promise<void> {
    let left = transfers
    const caller = async (): Promise<void> => {
      while (left-- > 0) {
        const from = this.workload.nextAccount()
        const to = this.workload.nextAccount()
        await this.transfer(from, to)
      }
    }
    await Promise.all(Array.from({ length: this.callers }, caller))
    this.transfers += transfers
  }

  verify(): void {
    this.slab.verify(this.transfers)
  }

  private transfer(from: number, to: number): Promise<void> {
    const { slots, asked } = this
    slots[2 * asked] = this.index[from]!
    slots[2 * asked + 1] = this.index[to]!
    this.asked = asked + 1
    if (this.asked === BATCH) this.flush()
    else if (!this.isFlushing) {
      this.isFlushing = true
      queueMicrotask(this.boundFlush)
    }
    return new Promise((resolve) => this.resolves.push(resolve))
  }

  private flush(): void {
    const { journal, slab, slots, asked } = this
    this.isFlushing = false
    if (asked === 0) return
    this.asked = 0
    slab.touch(slots, 2 * asked)
    const start = journal.makeRoom(asked * TRANSFER_BYTES)
    const timeUs = Date.now() * 1000
    for (let i = 0; i < asked; i++) {
      const o = start + i * TRANSFER_BYTES
      slab.transfer(
        journal.view,
        o,
        slots[2 * i]!,
        slots[2 * i + 1]!,
        AMOUNT,
        timeUs,
        TRANSFER_BYTES,
      )
    }
    journal.publish(asked * TRANSFER_BYTES)
    if (this.positions.length === 0) setImmediate(this.boundPoll)
    this.positions.push({ position: journal.position, count: asked })
  }

  private poll(): void {
    const { positions } = this
    const synced = this.journal.syncedPosition()
    while (positions.length > 0 && positions[0]!.position <= synced) {
      const { count } = positions.shift()!
      for (const resolve of this.resolves.splice(0, count)) resolve()
    }
    if (positions.length > 0) setImmediate(this.boundPoll)
  }
}
