/** Records through a ring on one thread, in batches of as many as a call makes. */
import { createByteRing, RingConsumer, RingProducer } from '../../engine/ring/byte-ring.js'
import { assertEqual, type MicroGroup, OPERATIONS } from './micro-group.js'

const RECORD_BYTES = 32

export const addRing: MicroGroup = (tasks) => {
  const memory = createByteRing(1024 * 1024)
  const producer = new RingProducer(memory)
  const consumer = new RingConsumer(memory)
  let sent = 0
  let received = 0
  tasks.add('ring.claim-publish-consume', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      const offset = producer.claim(RECORD_BYTES)
      producer.view.setUint32(offset + 4, i, true)
      producer.append(RECORD_BYTES)
      sent++
    }
    producer.publish()
    consumer.refresh()
    while (consumer.next() >= 0) received++
    consumer.release()
  })
  return () => assertEqual('records through the ring', received, sent)
}
