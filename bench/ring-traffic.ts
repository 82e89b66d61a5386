/**
 * What the two ring benchmarks and their limits share. A record has 8 bytes, the ring's length and a
 * number; the numbers count up, and the consumer adds them up (exactly, as long as there are fewer
 * than about 10⁸ of them).
 */
import type { Worker } from 'node:worker_threads'
import type { Contender } from './benchmark.js'

export interface RingOptions {
  /** In one round. */
  readonly records: number
  readonly warmUp: number
  /**
   * `batch`: publish every 256th. `single`: publish each, but let those wait that come while the
   * consumer is busy anyway with what was published before.
   */
  readonly publishing: 'batch' | 'single'
}

export const RECORD_BYTES = 8
export const RECORD_VALUE = 4
export const RING_BYTES = 256 * 1024
export const BATCH = 256
/** So many records in a row at most, before they are published to a busy consumer. */
export const SMART_BATCH_MAX = 1024

/** What a consumer's thread is told: consume up to so many records in all, then tell their sum. */
export interface ConsumeUpTo {
  readonly records: number
}

/** A producer on this thread: sends as many records, and publishes all of them. */
export type SendRecords = (count: number, publishing: RingOptions['publishing']) => void

const SPINS_MAX = 20_000
const SLEEP_MS = 0.05

/** Spins, and gives the core away only where the other thread seems to have none. */
export class Spinner {
  private spins = 0
  private readonly cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

  /** There was nothing to do. */
  idle(): void {
    if (++this.spins < SPINS_MAX) return
    Atomics.wait(this.cell, 0, 0, SLEEP_MS)
    this.spins = 0
  }
}

/** Rounds end when the consumer has seen the last record. */
export async function ringContender(
  { records, warmUp, publishing }: RingOptions,
  consumer: Worker,
  send: SendRecords,
): Promise<Contender<number>> {
  let sent = 0
  const run = async (count: number): Promise<number> => {
    const first = sent
    sent += count
    const answer = new Promise<number>((resolve, reject) => {
      consumer.once('message', resolve)
      consumer.once('error', reject)
    })
    consumer.postMessage({ records: sent } satisfies ConsumeUpTo)
    const startedMs = performance.now()
    send(count, publishing)
    const sum = await answer
    const seconds = (performance.now() - startedMs) / 1000
    const expected = (count * (first + sent - 1)) / 2
    if (sum !== expected) throw new Error(`the numbers add up to ${sum} instead of ${expected}`)
    return count / seconds
  }
  await run(warmUp)
  return {
    round: () => run(records),
    async end() {
      await consumer.terminate()
    },
  }
}
