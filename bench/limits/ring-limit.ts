/**
 * The limit of the ring: numbers in the same 8 bytes each, in an array that two threads share, with
 * two counters. Left out: records of any length, what skips the ring's end, and every check.
 */
import { Worker } from 'node:worker_threads'
import type { Contender } from '../benchmark.js'
import {
  BATCH,
  RECORD_BYTES,
  RING_BYTES,
  type RingOptions,
  ringContender,
  SMART_BATCH_MAX,
  Spinner,
} from '../ring-traffic.js'
import {
  CONSUMED,
  CONTROL_BYTES,
  PUBLISHED,
  RING_RECORDS,
  type RingLimitData,
} from './ring-limit-layout.js'

export async function prepare(options: RingOptions): Promise<Contender<number>> {
  const memory: RingLimitData = {
    data: new SharedArrayBuffer(RING_BYTES),
    control: new SharedArrayBuffer(CONTROL_BYTES),
  }
  const thread = new URL('./ring-limit-thread.js', import.meta.url)
  const consumer = new Worker(thread, { workerData: memory })
  const sender = new LimitSender(memory)
  return ringContender(options, consumer, (count, publishing) => {
    if (publishing === 'batch') sender.sendInBatches(count)
    else sender.sendSingly(count)
  })
}

class LimitSender {
  private readonly words: Int32Array
  private readonly cells: Int32Array
  private readonly spinner = new Spinner()
  private sent = 0

  constructor({ data, control }: RingLimitData) {
    this.words = new Int32Array(data)
    this.cells = new Int32Array(control)
  }

  sendInBatches(count: number): void {
    const { words, cells } = this
    const end = this.sent + count
    for (let value = this.sent; value < end; ) {
      const batchEnd = Math.min(value + BATCH, end)
      while (batchEnd - Atomics.load(cells, CONSUMED) > RING_RECORDS) {
        this.spinner.idle()
      }
      for (; value < batchEnd; value++) {
        const at = (value & (RING_RECORDS - 1)) << 1
        words[at] = RECORD_BYTES
        words[at + 1] = value
      }
      Atomics.store(cells, PUBLISHED, value)
    }
    this.sent = end
  }

  sendSingly(count: number): void {
    const { words, cells } = this
    const end = this.sent + count
    let published = this.sent
    for (let value = this.sent; value < end; value++) {
      const at = (value & (RING_RECORDS - 1)) << 1
      words[at] = RECORD_BYTES
      words[at + 1] = value
      let consumed = Atomics.load(cells, CONSUMED)
      if (consumed === published || value - published >= SMART_BATCH_MAX) {
        published = value + 1
        Atomics.store(cells, PUBLISHED, published)
      }
      while (value + 1 - consumed >= RING_RECORDS) {
        Atomics.store(cells, PUBLISHED, value + 1)
        published = value + 1
        this.spinner.idle()
        consumed = Atomics.load(cells, CONSUMED)
      }
    }
    Atomics.store(cells, PUBLISHED, end)
    this.sent = end
  }
}
