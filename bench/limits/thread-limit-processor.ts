/** The processor's thread of thread-limit.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { LimitJournal } from './limit-journal.js'
import { RecordRing } from './record-ring.js'
import type { ThreadLimitData } from './thread-limit.js'
import {
  COMMAND_AMOUNT,
  COMMAND_FROM,
  COMMAND_HEAD,
  COMMAND_TO,
  RECEIPT_BYTES,
  RECEIPT_EVENTS,
  RECEIPT_HEAD,
  RECEIPT_OUTCOME,
  RECEIPT_SEQUENCE,
  RECEIPT_TIME,
} from './thread-limit-layout.js'
import { TRANSFER_BYTES, TransferSlab } from './transfer-slab.js'

const BATCH = 256
/** Batches that wait for the disk, a power of two: more than the journal's ring holds. */
const BATCHES_IN_FLIGHT = 1024

class LimitProcessor {
  private readonly commands: RecordRing
  private readonly receipts: RecordRing
  private readonly journal: LimitJournal
  /** Account → slot. */
  private readonly index: Int32Array
  private readonly slab: TransferSlab
  /** Of a batch: from, to, from, to … */
  private readonly slots = new Int32Array(2 * BATCH)
  private readonly amounts = new Float64Array(BATCH)
  /** Of the batches in flight: where the journal has to be, and their last receipt. */
  private readonly positions = new Float64Array(BATCHES_IN_FLIGHT)
  private readonly ends = new Int32Array(BATCHES_IN_FLIGHT)
  private oldest = 0
  private newest = 0
  private taken = 0

  constructor({ commands, receipts, accounts }: ThreadLimitData, journal: LimitJournal) {
    this.commands = new RecordRing(commands)
    this.receipts = new RecordRing(receipts)
    this.journal = journal
    this.index = Int32Array.from({ length: accounts }, (_, account) => account + 1)
    this.slab = new TransferSlab(accounts)
  }

  /** Returns when it is told to end. */
  run(): void {
    for (;;) {
      const count = Math.min(BATCH, this.commands.published() - this.taken)
      if (count > 0) {
        if (!this.batch(count)) return
      } else if (this.oldest === this.newest) {
        this.commands.awaitPublished(this.taken)
      }
      this.answer()
    }
  }

  verify(): void {
    this.slab.verify(this.taken)
  }

  /** False: there was the command that ends it. */
  private batch(count: number): boolean {
    const { commands, index, slab, slots, amounts, journal, taken } = this
    const { view } = commands
    for (let i = 0; i < count; i++) {
      const o = commands.offsetOf(taken + i)
      if (view.getUint32(o + COMMAND_HEAD, true) === 0) return false
      amounts[i] = view.getFloat64(o + COMMAND_AMOUNT, true)
      slots[2 * i] = index[view.getUint32(o + COMMAND_FROM, true)]!
      slots[2 * i + 1] = index[view.getUint32(o + COMMAND_TO, true)]!
    }
    slab.touch(slots, 2 * count)
    this.awaitRoom(count)
    const start = journal.makeRoom(count * TRANSFER_BYTES)
    const timeUs = Date.now() * 1000
    for (let i = 0; i < count; i++) {
      const from = slots[2 * i]!
      const to = slots[2 * i + 1]!
      const o = start + i * TRANSFER_BYTES
      slab.transfer(journal.view, o, from, to, amounts[i]!, timeUs, TRANSFER_BYTES)
      this.writeReceipt(taken + i, timeUs)
    }
    journal.publish(count * TRANSFER_BYTES)
    this.taken = taken + count
    commands.release(this.taken)
    const batch = this.newest++ & (BATCHES_IN_FLIGHT - 1)
    this.positions[batch] = journal.position
    this.ends[batch] = this.taken
    return true
  }

  private awaitRoom(count: number): void {
    const { receipts } = this
    while (
      this.taken + count - receipts.consumed() > receipts.capacity ||
      this.newest - this.oldest === BATCHES_IN_FLIGHT
    ) {
      this.answer()
    }
  }

  private writeReceipt(receipt: number, timeUs: number): void {
    const { view } = this.receipts
    const o = this.receipts.offsetOf(receipt)
    view.setUint32(o + RECEIPT_HEAD, RECEIPT_BYTES, true)
    view.setUint8(o + RECEIPT_OUTCOME, 1)
    view.setUint16(o + RECEIPT_EVENTS, 2, true)
    view.setFloat64(o + RECEIPT_SEQUENCE, 2 * receipt, true)
    view.setFloat64(o + RECEIPT_TIME, timeUs, true)
  }

  /** Publishes the receipts of all batches that are on disk. */
  private answer(): void {
    if (this.oldest === this.newest) return
    const synced = this.journal.syncedPosition()
    let end = 0
    while (this.oldest < this.newest) {
      const batch = this.oldest & (BATCHES_IN_FLIGHT - 1)
      if (this.positions[batch]! > synced) break
      end = this.ends[batch]!
      this.oldest++
    }
    if (end > 0) this.receipts.publish(end)
  }
}

async function run(data: ThreadLimitData): Promise<void> {
  const journal = await LimitJournal.start(data.directory)
  const processor = new LimitProcessor(data, journal)
  parentPort?.postMessage('ready')
  processor.run()
  await journal.end()
  processor.verify()
  parentPort?.postMessage('ended')
}

await run(workerData as ThreadLimitData)
