/** The consumer of the ring benchmarks: takes records out of the engine's ring. */
import { parentPort, workerData } from 'node:worker_threads'
import { type ByteRingMemory, RingConsumer } from '../engine/ring/byte-ring.js'
import { type ConsumeUpTo, RECORD_VALUE, Spinner } from './ring-traffic.js'

const ring = new RingConsumer(workerData as ByteRingMemory)
const spinner = new Spinner()
let consumed = 0

parentPort?.on('message', ({ records }: ConsumeUpTo) => parentPort?.postMessage(consume(records)))

function consume(upTo: number): number {
  const { view } = ring
  let sum = 0
  while (consumed < upTo) {
    if (!ring.refresh()) {
      spinner.idle()
      continue
    }
    for (let offset = ring.next(); offset >= 0; offset = ring.next()) {
      sum += view.getUint32(offset + RECORD_VALUE, true)
      consumed++
    }
    ring.release()
  }
  return sum
}
