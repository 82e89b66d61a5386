/**
 * The limit of transfers that run on a thread of their own: this thread writes commands of 32 bytes
 * into a ring, the processor (thread-limit-processor.ts) takes them out, transfers as transfer-limit.ts
 * does, and answers with receipts of 24 bytes in a second ring when they are on disk.
 *
 *   producer ── commands ──▶ processor ── frames ──▶ journal
 *            ◀── receipts ──
 *
 * Here the rings are included, since nothing crosses to another thread without one. Three threads on
 * two cores: each sleeps when it has nothing to do.
 */
import { Worker } from 'node:worker_threads'
import type { Contender } from '../benchmark.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { createRecordRing, RecordRing, type RecordRingMemory } from './record-ring.js'
import {
  COMMAND_AMOUNT,
  COMMAND_BYTES,
  COMMAND_FROM,
  COMMAND_HEAD,
  COMMAND_TO,
  RECEIPT_BYTES,
  RECEIPT_OUTCOME,
} from './thread-limit-layout.js'

const BATCH = 256
const COMMANDS = 131_072
const RECEIPTS = 131_072

export interface ThreadLimitData {
  readonly directory: string
  readonly accounts: number
  readonly commands: RecordRingMemory
  readonly receipts: RecordRingMemory
}

export async function prepare(options: TransferOptions): Promise<Contender<number>> {
  const { directory, accounts, transfers, warmUp, seed } = options
  const commands = createRecordRing(COMMANDS, COMMAND_BYTES)
  const receipts = createRecordRing(RECEIPTS, RECEIPT_BYTES)
  const workerData: ThreadLimitData = { directory, accounts, commands, receipts }
  const module = new URL('./thread-limit-processor.js', import.meta.url)
  const worker = new Worker(module, { workerData })
  const failed = new Promise<never>((_resolve, reject) => worker.once('error', reject))
  const message = (): Promise<unknown> =>
    Promise.race([failed, new Promise((resolve) => worker.once('message', resolve))])
  await message()
  const producer = new LimitProducer(commands, receipts, new TransferWorkload(seed, accounts))
  producer.run(warmUp)
  return {
    async round() {
      const startedMs = performance.now()
      producer.run(transfers)
      return (transfers * 1000) / (performance.now() - startedMs)
    },
    async end() {
      const ended = message()
      producer.stop()
      await ended
    },
  }
}

class LimitProducer {
  private readonly commands: RecordRing
  private readonly receipts: RecordRing
  private readonly workload: TransferWorkload
  private sent = 0
  private answered = 0
  private accepted = 0

  constructor(commands: RecordRingMemory, receipts: RecordRingMemory, workload: TransferWorkload) {
    this.commands = new RecordRing(commands)
    this.receipts = new RecordRing(receipts)
    this.workload = workload
  }

  /** Returns when all of them are answered. */
  run(transfers: number): void {
    for (let done = 0; done < transfers; done += BATCH) {
      this.send(Math.min(BATCH, transfers - done))
      this.poll()
    }
    while (this.answered < this.sent) {
      this.receipts.awaitPublished(this.answered)
      this.poll()
    }
    if (this.accepted !== this.sent) throw new Error(`${this.accepted} of ${this.sent} accepted`)
  }

  /** A command of length 0 ends the processor. */
  stop(): void {
    const { commands, sent } = this
    commands.view.setUint32(commands.offsetOf(sent) + COMMAND_HEAD, 0, true)
    commands.publish(sent + 1)
  }

  private send(count: number): void {
    const { commands, workload, sent } = this
    const { view } = commands
    let consumed = commands.consumed()
    while (sent + count - consumed > commands.capacity) {
      commands.awaitConsumed(consumed)
      // The processor may be waiting for room for its receipts.
      this.poll()
      consumed = commands.consumed()
    }
    for (let i = 0; i < count; i++) {
      const o = commands.offsetOf(sent + i)
      view.setUint32(o + COMMAND_HEAD, COMMAND_BYTES, true)
      view.setFloat64(o + COMMAND_AMOUNT, AMOUNT, true)
      view.setUint32(o + COMMAND_FROM, workload.nextAccount(), true)
      view.setUint32(o + COMMAND_TO, workload.nextAccount(), true)
    }
    this.sent = sent + count
    commands.publish(this.sent)
  }

  private poll(): void {
    const { receipts } = this
    const published = receipts.published()
    if (published === this.answered) return
    let accepted = 0
    for (let i = this.answered; i < published; i++) {
      accepted += receipts.view.getUint8(receipts.offsetOf(i) + RECEIPT_OUTCOME)
    }
    this.accepted += accepted
    this.answered = published
    receipts.release(published)
  }
}
