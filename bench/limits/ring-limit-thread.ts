/** The consumer of ring-limit.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ConsumeUpTo, Spinner } from '../ring-traffic.js'
import { CONSUMED, PUBLISHED, RING_RECORDS, type RingLimitData } from './ring-limit-layout.js'

const { data, control } = workerData as RingLimitData
const words = new Int32Array(data)
const cells = new Int32Array(control)
const spinner = new Spinner()
let consumed = 0

parentPort?.on('message', ({ records }: ConsumeUpTo) => parentPort?.postMessage(consume(records)))

function consume(upTo: number): number {
  let sum = 0
  let at = consumed
  while (at < upTo) {
    const published = Atomics.load(cells, PUBLISHED)
    if (at === published) {
      spinner.idle()
      continue
    }
    for (; at < published; at++) sum += words[((at & (RING_RECORDS - 1)) << 1) + 1]!
    Atomics.store(cells, CONSUMED, at)
  }
  consumed = at
  return sum
}
