/** The producing thread of the byte ring's stress test: publishes in bursts of changing size. */
import { workerData } from 'node:worker_threads'
import { type ByteRingMemory, NO_ROOM, RingProducer } from '../../../engine/ring/byte-ring.js'
import { lengthOf, writeRecord } from './ring-records.js'

const { memory, count } = workerData as { memory: ByteRingMemory; count: number }
const producer = new RingProducer(memory)
for (let number = 0; number < count; number++) {
  let offset = producer.claim(lengthOf(number))
  while (offset === NO_ROOM) {
    producer.publish()
    offset = producer.claim(lengthOf(number))
  }
  writeRecord(producer.bytes, offset, number)
  producer.append(lengthOf(number))
  if (number % 61 === 0 || number % 7 === 0) producer.publish()
}
producer.publish()
