/** The event ring within a thread, and under stress between threads. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { CURSOR_STRIDE, cursorOf, extendCursor } from '../../journal/cursor.js'
import {
  createEventRing,
  EVENT_RING_BYTES_MAX,
  EVENT_RING_BYTES_MIN,
  type EventRingMemory,
  EventRingReader,
  EventRingWriter,
  isPadding,
} from '../../journal/event-ring.js'
import { setU64 } from '../../journal/layout.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
} from '../../journal/record-layout.js'
import {
  contentOf,
  frameBytesOf,
  type RingWorkerData,
  STRESS_CELLS_BYTES,
  SUBSCRIBER_CHECKED,
} from './event-ring-worker.js'
import { makeFrame, putFrame } from './writing-harness.js'

const CAPACITY = EVENT_RING_BYTES_MIN

function openRing(): { memory: EventRingMemory; writer: EventRingWriter; reader: EventRingReader } {
  const memory = createEventRing(CAPACITY)
  return { memory, writer: new EventRingWriter(memory), reader: new EventRingReader(memory) }
}

/** Moves an empty ring on to `position` in large steps. */
function advanceTo(writer: EventRingWriter, reader: EventRingReader, position: number): void {
  while (writer.position < position) {
    const lengthBytes = Math.min(65_536, position - writer.position)
    expect(writer.makeRoom(lengthBytes)).toBe(true)
    writer.advance(lengthBytes)
    writer.publish()
    reader.releaseSynced(writer.position)
  }
}

describe('event ring: one thread', () => {
  it.each([0, 1000, CAPACITY / 2, CAPACITY + 8, 2 * EVENT_RING_BYTES_MAX, -CAPACITY])(
    'event ring: refuses a capacity that is no power of two in range (%i)',
    (capacityBytes) => {
      expect(() => createEventRing(capacityBytes)).toThrow('INVALID_OPTION')
    },
  )

  it('event ring: frames are seen when published, not before', () => {
    const { writer, reader } = openRing()
    putFrame(writer, makeFrame(64, 1, 1))
    expect(reader.publishedPosition()).toBe(0)
    writer.publish()
    expect(reader.publishedPosition()).toBe(64)
    expect(writer.publishedPosition).toBe(64)
    expect(reader.syncedPosition()).toBe(0)
    reader.releaseSynced(64)
    expect(writer.syncedPosition()).toBe(64)
  })

  it.each([8, 16, 24, 4096])('event ring: the end is padded (%i bytes)', (toEnd) => {
    const { writer, reader } = openRing()
    advanceTo(writer, reader, CAPACITY - toEnd)
    expect(writer.makeRoom(toEnd + 8)).toBe(true)
    expect(writer.position).toBe(CAPACITY)
    expect(writer.offset).toBe(0)
    expect(isPadding(reader.view, CAPACITY - toEnd)).toBe(true)
    expect(reader.view.getUint32(CAPACITY - toEnd + FRAME_LENGTH, true)).toBe(toEnd)
  })

  it('event ring: a frame that just fits before the end is not padded', () => {
    const { writer, reader } = openRing()
    advanceTo(writer, reader, CAPACITY - 64)
    expect(writer.makeRoom(64)).toBe(true)
    expect(writer.position).toBe(CAPACITY - 64)
  })

  it('event ring: no room until the journal has caught up (both sides of the bound)', () => {
    const { writer, reader } = openRing()
    while (putFrame(writer, makeFrame(65_536, 1, 1))) {
      // Fill it.
    }
    expect(writer.position).toBe(CAPACITY)
    writer.publish()
    expect(writer.makeRoom(8)).toBe(false)
    reader.releaseSynced(65_536)
    expect(writer.makeRoom(65_536 + 8)).toBe(false)
    expect(writer.makeRoom(65_536)).toBe(true)
  })

  it('event ring: padding counts as needed room', () => {
    const { writer, reader } = openRing()
    advanceTo(writer, reader, CAPACITY - 64)
    expect(writer.makeRoom(CAPACITY - 128)).toBe(true)
    expect(writer.position).toBe(CAPACITY)
    writer.advance(CAPACITY - 128)
    expect(writer.makeRoom(72)).toBe(false)
    expect(writer.makeRoom(64)).toBe(true)
  })

  it('event ring: the overwrite mark goes before the bytes', () => {
    const { writer, reader } = openRing()
    advanceTo(writer, reader, CAPACITY)
    expect(reader.isIntact(CAPACITY - 65_536)).toBe(true)
    expect(writer.makeRoom(128)).toBe(true)
    // Nothing is written yet, but the writer may begin at any moment.
    expect(reader.isIntact(0)).toBe(false)
    expect(reader.isIntact(128)).toBe(false)
    expect(reader.isIntact(CAPACITY - 65_536)).toBe(true)
  })

  it('event ring: positions go on beyond 2³² units', () => {
    const { memory, writer, reader } = openRing()
    const start = 2 ** 35 - CAPACITY
    const late = new EventRingReader(memory, start)
    // As if it had run that far.
    const control = new Int32Array(memory.control)
    for (let cell = 0; cell < control.length; cell += CURSOR_STRIDE) control[cell] = cursorOf(start)
    control[3 * CURSOR_STRIDE] = 0
    const far = new EventRingReader(memory, start - 2 ** 33)
    expect(far.publishedPosition()).toBe(start)
    expect(late.publishedPosition()).toBe(start)
    expect(extendCursor(cursorOf(2 ** 35 + 8), 2 ** 35 - 64)).toBe(2 ** 35 + 8)
    expect(reader.publishedPosition()).not.toBe(start)
    expect(writer.position).toBe(0)
  })

  it('event ring: hot counters do not share cache lines', () => {
    const { memory } = openRing()
    expect(CURSOR_STRIDE * 4).toBeGreaterThanOrEqual(128)
    expect(memory.control.byteLength).toBe(4 * CURSOR_STRIDE * 4)
  })

  it('event ring: the wait ends at once when something is there, or after its time', () => {
    const { writer, reader } = openRing()
    reader.waitForFrames(0, 1)
    putFrame(writer, makeFrame(64, 1, 1))
    writer.publish()
    reader.waitForFrames(0, 60_000)
    expect(reader.publishedPosition()).toBe(64)
  })
})

/** Resolves when the worker is about to look at the ring; its own promise, with what it found. */
async function startWorker(data: RingWorkerData): Promise<{ result: Promise<unknown> }> {
  const worker = new Worker(new URL('./event-ring-worker.js', import.meta.url), {
    workerData: data,
  })
  const messages: unknown[] = []
  worker.on('message', (message) => messages.push(message))
  const ended = once(worker, 'exit')
  await once(worker, 'message')
  return { result: ended.then(() => (messages[1] as { problem: unknown }).problem) }
}

function writeStressFrame(writer: EventRingWriter, seed: number, ordinal: number): boolean {
  const lengthBytes = frameBytesOf(seed, ordinal)
  if (!writer.makeRoom(lengthBytes)) return false
  const { view, offset } = writer
  view.setUint32(offset + FRAME_LENGTH, lengthBytes, true)
  view.setUint32(offset + FRAME_COMMAND_TYPE, 20, true)
  setU64(view, offset + FRAME_TIME, ordinal)
  for (let place = FRAME_HEADER_BYTES; place < lengthBytes; place += 4) {
    view.setUint32(offset + place, contentOf(ordinal, place), true)
  }
  writer.advance(lengthBytes)
  return true
}

describe('event ring: several threads', () => {
  it.each([
    { frames: 1_000_000, subscriber: false },
    { frames: 300_000, subscriber: true },
  ])(
    'event ring: order and content hold ($frames frames, subscriber $subscriber)',
    async (variant) => {
      const { memory, writer } = openRing()
      const seed = Date.now() & 0xffffff
      const { frames } = variant
      const edge = new SharedArrayBuffer(STRESS_CELLS_BYTES)
      const cells = new Int32Array(edge)
      const workers = [await startWorker({ role: 'journaler', memory, edge, seed, frames })]
      if (variant.subscriber) {
        workers.push(await startWorker({ role: 'subscriber', memory, edge, seed, frames }))
      }
      const sleeper = new Int32Array(new SharedArrayBuffer(4))
      // A subscriber that gets no processor time leaves out what it missed, as it should. So that
      // it checks something of each stretch, the writer goes slowly until it has.
      let subscriberFrames = 0
      for (let ordinal = 0; ordinal < frames; ordinal++) {
        let refusals = 0
        while (!writeStressFrame(writer, seed, ordinal)) {
          writer.publish()
          // The journaler has died when the ring stays full for seconds.
          if (++refusals > 5000) throw new Error(`stuck at frame ${ordinal} (seed ${seed})`)
          Atomics.wait(sleeper, 0, 0, 1)
        }
        // One by one at times, in batches at others.
        if (ordinal % 64 === 0 || ordinal % 4096 < 512) writer.publish()
        if (ordinal % 10_000 === 0) subscriberFrames = Atomics.load(cells, SUBSCRIBER_CHECKED)
        if (variant.subscriber && Atomics.load(cells, SUBSCRIBER_CHECKED) === subscriberFrames) {
          writer.publish()
          Atomics.wait(sleeper, 0, 0, 1)
        }
      }
      writer.publish()
      const problems = await Promise.all(workers.map(({ result }) => result))
      expect(problems, `seed ${seed}`).toEqual(workers.map(() => undefined))
      expect(writer.syncedPosition()).toBe(writer.position)
      expect(writer.position).toBeGreaterThan(4 * CAPACITY)
      if (variant.subscriber) expect(cells[SUBSCRIBER_CHECKED]).toBeGreaterThan(frames / 20_000)
    },
  )
})
