import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import {
  CORRUPT,
  createByteRing,
  EMPTY,
  NO_ROOM,
  RING_LENGTH,
  RING_LENGTH_BYTES,
  RingConsumer,
  RingProducer,
} from '../../engine/ring/byte-ring.js'
import { CURSOR_STRIDE } from '../../journal/cursor.js'
import { seededRandom } from '../support/seeded-random.js'
import { checkRecord, lengthOf, writeRecord } from '../support/workers/ring-records.js'

function ring(capacity: number): {
  producer: RingProducer
  consumer: RingConsumer
  control: Int32Array
} {
  const memory = createByteRing(capacity)
  return {
    producer: new RingProducer(memory),
    consumer: new RingConsumer(memory),
    control: new Int32Array(memory.control),
  }
}

describe('byte ring', () => {
  it('createByteRing: a power of two from 64', () => {
    for (const capacity of [0, 1, 63, 65, 100, -64, 2 ** 31 + 1]) {
      expect(() => createByteRing(capacity)).toThrow(/power of two/)
    }
    expect(createByteRing(64).data.byteLength).toBe(64)
  })

  it('control: each cursor has cache lines of its own', () => {
    expect(createByteRing(64).control.byteLength).toBe(2 * CURSOR_STRIDE * 4)
    expect(CURSOR_STRIDE * 4).toBeGreaterThanOrEqual(128)
  })

  it('publish: nothing is seen before, everything after', () => {
    const { producer, consumer } = ring(64)
    const offset = producer.claim(16)
    producer.view.setUint32(offset + RING_LENGTH_BYTES, 7, true)
    producer.append(9)
    expect(consumer.refresh()).toBe(false)
    expect(consumer.next()).toBe(EMPTY)
    expect(producer.publish()).toBe(true)
    expect(producer.publish()).toBe(false)
    expect(consumer.refresh()).toBe(true)
    expect(consumer.next()).toBe(offset)
    expect(consumer.lengthBytes).toBe(16)
    expect(consumer.view.getUint32(offset + RING_LENGTH_BYTES, true)).toBe(7)
    expect(consumer.next()).toBe(EMPTY)
  })

  it('claim: without an append nothing is taken', () => {
    const { producer, consumer } = ring(64)
    producer.claim(64)
    producer.claim(8)
    producer.publish()
    expect(consumer.refresh()).toBe(false)
    expect(producer.claimed).toBe(0)
  })

  it('claim: fills the ring to the last byte, then has no room until something is released', () => {
    const { producer, consumer } = ring(64)
    for (let i = 0; i < 8; i++) {
      expect(producer.claim(8)).toBe(i * 8)
      producer.append(8)
    }
    expect(producer.claim(8)).toBe(NO_ROOM)
    producer.publish()
    consumer.refresh()
    expect(consumer.next()).toBe(0)
    expect(producer.claim(8)).toBe(NO_ROOM)
    consumer.release()
    expect(producer.claim(16)).toBe(NO_ROOM)
    expect(producer.claim(8)).toBe(0)
  })

  it('claim: pads where the end is too near, and only if there is room behind it', () => {
    const { producer, consumer } = ring(64)
    producer.claim(40)
    producer.append(40)
    producer.publish()
    // 24 to the end, and nothing is free at the start.
    expect(producer.claim(32)).toBe(NO_ROOM)
    expect(producer.claimed).toBe(40)
    consumer.refresh()
    consumer.next()
    consumer.release()
    expect(producer.claim(40)).toBe(0)
    producer.append(40)
    producer.publish()
    consumer.refresh()
    expect(consumer.next()).toBe(0)
    expect(consumer.position).toBe(64 + 40)
  })

  it('claim: padding alone, when nothing is appended', () => {
    const { producer, consumer } = ring(64)
    producer.claim(40)
    producer.append(40)
    producer.publish()
    consumer.refresh()
    consumer.next()
    consumer.release()
    producer.claim(40)
    producer.publish()
    consumer.refresh()
    expect(consumer.next()).toBe(EMPTY)
    consumer.release()
    expect(producer.claim(64)).toBe(0)
    producer.append(64)
    producer.publish()
    expect(consumer.refresh()).toBe(true)
    expect(consumer.next()).toBe(0)
    expect(consumer.lengthBytes).toBe(64)
  })

  it('rewind: what was taken is seen again until it is released', () => {
    const { producer, consumer } = ring(64)
    for (let round = 0; round < 20; round++) {
      for (const number of [1, 2]) {
        producer.view.setUint32(producer.claim(16) + RING_LENGTH_BYTES, number, true)
        producer.append(16)
      }
      producer.publish()
      consumer.refresh()
      const start = consumer.position
      const first = consumer.next()
      expect(consumer.view.getUint32(first + RING_LENGTH_BYTES, true)).toBe(1)
      consumer.next()
      consumer.rewind(start)
      expect(consumer.next()).toBe(first)
      expect(consumer.view.getUint32(consumer.next() + RING_LENGTH_BYTES, true)).toBe(2)
      expect(consumer.next()).toBe(EMPTY)
      consumer.release()
    }
  })

  it('publishedCount: says how many records are there, never more (also around 2³²)', () => {
    for (const before of [0, 2 ** 31 - 1, 2 ** 32 - 2, 2 ** 40]) {
      const { producer, consumer } = ring(256)
      producer.claim(8)
      producer.append(8)
      producer.publishCounted(8, before)
      expect(consumer.publishedCount(before)).toBe(before)
      for (const number of [1, 2, 3]) {
        producer.claim(16)
        producer.append(16)
        expect(consumer.publishedCount(before)).toBe(before + number - 1)
        expect(producer.publishCounted(producer.claimed, before + number)).toBe(true)
        expect(producer.publishCounted(producer.claimed, before + number)).toBe(false)
        expect(consumer.publishedCount(before)).toBe(before + number)
      }
    }
  })

  it('next: hostile lengths are corrupt, and stay it', () => {
    const lengths = [
      0, 1, 4, 7, 9, 12, 40, 64, 72, 0x7fff_ffff, 0x7fff_fff8, 0xffff_ffff, 0x8000_0000,
    ]
    const padding = [8, 56, 64, 72].map((bytes) => (0x8000_0000 | bytes) >>> 0)
    for (const length of [...lengths, ...padding]) {
      const { producer, consumer } = ring(64)
      const offset = producer.claim(32)
      producer.append(32)
      producer.view.setUint32(offset + RING_LENGTH, length, true)
      producer.publish()
      consumer.refresh()
      const isPaddingToEnd = length === 0x8000_0040
      expect(consumer.next(), length.toString(16)).toBe(CORRUPT)
      expect(consumer.next()).toBe(CORRUPT)
      expect(consumer.refresh(), 'somebody has to notice').toBe(true)
      expect(isPaddingToEnd || consumer.position <= 64).toBe(true)
    }
  })

  it('refresh: cursors from nowhere are corrupt (ahead by more than a lap, or back)', () => {
    for (const cursor of [9, 100, -1, 0x7fff_ffff, -0x8000_0000, 3]) {
      const { producer, consumer, control } = ring(64)
      producer.claim(32)
      producer.append(32)
      producer.publish()
      consumer.refresh()
      consumer.next()
      Atomics.store(control, 0, cursor)
      expect(consumer.refresh(), String(cursor)).toBe(true)
      expect(consumer.next(), String(cursor)).toBe(CORRUPT)
    }
  })

  it('next: any bytes at all end in EMPTY or CORRUPT, inside what is published', () => {
    const seed = Date.now() % 2 ** 32
    const random = seededRandom(seed)
    for (let round = 0; round < 20_000; round++) {
      const { producer, consumer, control } = ring(64)
      for (let i = 0; i < 8; i++) {
        const length = random.below(2) === 0 ? 8 * random.below(9) : random.below(2 ** 32)
        const flag = random.below(4) === 0 ? 0x8000_0000 : 0
        producer.view.setUint32(i * 8, (length | flag) >>> 0, true)
      }
      const published = random.below(9)
      Atomics.store(control, 0, published)
      consumer.refresh()
      let steps = 0
      for (let offset = consumer.next(); offset >= 0; offset = consumer.next()) {
        expect(offset + consumer.lengthBytes, `seed ${seed}`).toBeLessThanOrEqual(published * 8)
        expect(++steps).toBeLessThan(10)
      }
      expect(consumer.position).toBeLessThanOrEqual(published * 8 + 64)
    }
  })

  it('one thread: random sizes in random bursts against a list', () => {
    const seed = Date.now() % 2 ** 32
    const random = seededRandom(seed)
    const { producer, consumer } = ring(1024)
    let written = 0
    let read = 0
    while (read < 50_000) {
      for (let i = random.below(20); i > 0; i--) {
        const offset = producer.claim(lengthOf(written))
        if (offset === NO_ROOM) break
        writeRecord(producer.bytes, offset, written)
        producer.append(lengthOf(written++))
      }
      if (random.below(3) > 0) producer.publish()
      if (random.below(2) === 0) consumer.release()
      if (!consumer.refresh()) continue
      for (let i = random.below(20); i > 0; i--) {
        const offset = consumer.next()
        if (offset < 0) break
        expect(
          checkRecord(consumer.bytes, offset, consumer.lengthBytes, read),
          `seed ${seed}`,
        ).toBe(true)
        read++
      }
    }
    expect(written).toBeGreaterThanOrEqual(read)
  })

  it.each([
    [4096, 100_000],
    [1024 * 1024, 2_000_000],
  ])(
    'two threads: order and content, padding and wrap (%i bytes, %i records)',
    async (capacity, count) => {
      const memory = createByteRing(capacity)
      const url = new URL('../support/workers/ring-producer.js', import.meta.url)
      const exited = once(new Worker(url, { workerData: { memory, count } }), 'exit')
      const consumer = new RingConsumer(memory)
      let read = 0
      let problems = 0
      while (read < count) {
        if (!consumer.refresh()) {
          await new Promise(setImmediate)
          continue
        }
        let offset = consumer.next()
        for (; offset >= 0; offset = consumer.next()) {
          if (!checkRecord(consumer.bytes, offset, consumer.lengthBytes, read++)) problems++
        }
        expect(offset).toBe(EMPTY)
        consumer.release()
      }
      await exited
      expect({ read, problems }).toEqual({ read: count, problems: 0 })
      expect(consumer.refresh()).toBe(false)
      expect(consumer.position).toBeGreaterThan(capacity * 10)
    },
  )
})
