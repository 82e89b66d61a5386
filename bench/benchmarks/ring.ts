/**
 * `ring.batch`, `ring.single`: records a second from one thread to another through the ring that
 * commands and receipts take (engine/ring/byte-ring.ts), both spinning. The limit is
 * limits/ring-limit.ts.
 */
import { Worker } from 'node:worker_threads'
import {
  type ByteRingMemory,
  createByteRing,
  NO_ROOM,
  RingProducer,
} from '../../engine/ring/byte-ring.js'
import type { Benchmark, Contender, Row } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import {
  BATCH,
  RECORD_BYTES,
  RECORD_VALUE,
  RING_BYTES,
  type RingOptions,
  ringContender,
  SMART_BATCH_MAX,
  Spinner,
} from '../ring-traffic.js'

const SIZES = {
  smoke: { batch: 200_000, single: 100_000, warmUp: 50_000 },
  quick: { batch: 20_000_000, single: 5_000_000, warmUp: 3_000_000 },
  full: { batch: 100_000_000, single: 50_000_000, warmUp: 20_000_000 },
} as const

export const ring: Benchmark = {
  name: 'ring',
  async run(options) {
    const rows: Row[] = []
    for (const publishing of ['batch', 'single'] as const) {
      const { warmUp, [publishing]: records } = SIZES[options.size]
      const row = await compare(options, {
        name: `${this.name}.${publishing}`,
        unit: 'records/s',
        better: 'more',
        engine: import.meta.url,
        limit: limitModule('ring-limit'),
        options: { records, warmUp, publishing },
        config: { recordBytes: RECORD_BYTES },
      })
      rows.push(row)
    }
    return rows
  },
}

export async function prepare(options: RingOptions): Promise<Contender<number>> {
  const memory = createByteRing(RING_BYTES)
  const thread = new URL('../ring-consumer-thread.js', import.meta.url)
  const consumer = new Worker(thread, { workerData: memory })
  const sender = new Sender(memory)
  return ringContender(options, consumer, (count, publishing) => {
    if (publishing === 'batch') sender.sendInBatches(count)
    else sender.sendSingly(count)
  })
}

class Sender {
  private readonly producer: RingProducer
  private readonly spinner = new Spinner()
  private sent = 0

  constructor(memory: ByteRingMemory) {
    this.producer = new RingProducer(memory)
  }

  sendInBatches(count: number): void {
    const { producer } = this
    const end = this.sent + count
    let value = this.sent
    while (value < end) {
      const batchEnd = Math.min(value + BATCH, end)
      while (value < batchEnd) this.put(value++)
      producer.publish()
    }
    this.sent = end
  }

  /** No record waits while the consumer is idle: it is, when it has consumed all that was published. */
  sendSingly(count: number): void {
    const { producer } = this
    const end = this.sent + count
    let published = producer.claimed
    for (let value = this.sent; value < end; value++) {
      this.put(value)
      const waiting = producer.claimed - published
      if (waiting >= SMART_BATCH_MAX * RECORD_BYTES || producer.consumedPosition() === published) {
        producer.publish()
        published = producer.claimed
      }
    }
    producer.publish()
    this.sent = end
  }

  private put(value: number): void {
    const { producer } = this
    let offset = producer.claim(RECORD_BYTES)
    if (offset === NO_ROOM) {
      producer.publish()
      while (offset === NO_ROOM) {
        this.spinner.idle()
        offset = producer.claim(RECORD_BYTES)
      }
    }
    producer.view.setUint32(offset + RECORD_VALUE, value, true)
    producer.append(RECORD_BYTES)
  }
}
