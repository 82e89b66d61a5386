/**
 * What V8 knows of a ring stays true when positions pass 2³¹: otherwise all code that uses it is
 * thrown away there and compiled anew, and nothing is answered for 20 ms (docs/decisions/0030).
 */
import { setFlagsFromString } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { createByteRing, RingConsumer, RingProducer } from '../engine/ring/byte-ring.js'
import {
  createEventRing,
  EVENT_RING_BYTES_MIN,
  EventRingReader,
  EventRingWriter,
} from '../journal/event-ring.js'
import { FrameRun } from '../journal/frame-run.js'
import { FRAME_EVENT_COUNT, FRAME_LENGTH, TRANSACTION_BYTES_MAX } from '../journal/record-layout.js'

setFlagsFromString('--allow-natives-syntax')
const haveSameShape = new Function('a', 'b', 'return %HaveSameMap(a, b)') as (
  a: object,
  b: object,
) => boolean
const FAR = 2 ** 31 + 2 ** 22
const RING_BYTES = 4 * 1024 * 1024

describe('positions past 2³¹', () => {
  it('shape: tells objects apart whose field has become a double', () => {
    class Counter {
      count = 0
    }
    const [near, far] = [new Counter(), new Counter()]
    expect(haveSameShape(near, far)).toBe(true)
    far.count = 2 ** 31
    expect(haveSameShape(near, far)).toBe(false)
  })

  it('byte ring: producer and consumer are what they were', () => {
    const memory = createByteRing(RING_BYTES)
    const [producer, consumer] = [new RingProducer(memory), new RingConsumer(memory)]
    const other = createByteRing(RING_BYTES)
    const [newProducer, newConsumer] = [new RingProducer(other), new RingConsumer(other)]
    while (producer.claimed < FAR) {
      expect(producer.claim(RING_BYTES / 4)).toBeGreaterThanOrEqual(0)
      producer.append(RING_BYTES / 4)
      producer.publish()
      consumer.refresh()
      expect(consumer.next()).toBeGreaterThanOrEqual(0)
      consumer.release()
    }
    expect(consumer.position).toBe(producer.claimed)
    expect(haveSameShape(producer, newProducer)).toBe(true)
    expect(haveSameShape(consumer, newConsumer)).toBe(true)
  })

  it('event ring: writer, reader and the run of frames are what they were', () => {
    const memory = createEventRing(EVENT_RING_BYTES_MIN)
    const [writer, reader, run] = [
      new EventRingWriter(memory),
      new EventRingReader(memory),
      new FrameRun(),
    ]
    const other = createEventRing(EVENT_RING_BYTES_MIN)
    // Made before: what is made afterwards would have the new shape.
    const [newWriter, newReader, newRun] = [
      new EventRingWriter(other),
      new EventRingReader(other),
      new FrameRun(),
    ]
    while (writer.position < FAR) {
      expect(writer.makeRoom(TRANSACTION_BYTES_MAX)).toBe(true)
      writer.view.setUint32(writer.offset + FRAME_LENGTH, TRANSACTION_BYTES_MAX, true)
      writer.view.setUint16(writer.offset + FRAME_EVENT_COUNT, 1, true)
      writer.advance(TRANSACTION_BYTES_MAX)
      writer.publish()
      const from = reader.syncedPosition()
      run.collect(reader, from, reader.publishedPosition(), TRANSACTION_BYTES_MAX)
      reader.releaseSynced(run.next)
    }
    expect(writer.syncedPosition()).toBe(writer.position)
    expect(haveSameShape(writer, newWriter)).toBe(true)
    expect(haveSameShape(reader, newReader)).toBe(true)
    expect(haveSameShape(run, newRun)).toBe(true)
  })
})
