import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { CURSOR_STRIDE } from '../../journal/cursor.js'
import { createEventRing, EVENT_RING_BYTES_MIN } from '../../journal/event-ring.js'
import { createSyncedEdge, SyncedEdgeReader, SyncedEdgeWriter } from '../../journal/synced-edge.js'
import type { RingWorkerData } from './event-ring-worker.js'

/** Enough that a torn read is met, and that the writer was at work meanwhile. */
const READS_MIN = 500_000
const DISTINCT_MIN = 100

describe('synced edge', () => {
  it('synced edge: is all zeros before it is set', () => {
    expect(new SyncedEdgeReader(createSyncedEdge()).read()).toEqual({
      segmentNumber: 0,
      fileOffset: 0,
      ringPosition: 0,
      sequence: 0,
      blockNumber: 0,
    })
  })

  it.each([0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])(
    'synced edge: values come back whole (%d)',
    (value) => {
      const memory = createSyncedEdge()
      const u32 = Math.min(value, 2 ** 32 - 1)
      new SyncedEdgeWriter(memory).set(u32, u32, value, value, value)
      expect(new SyncedEdgeReader(memory).read()).toEqual({
        segmentNumber: u32,
        fileOffset: u32,
        ringPosition: value,
        sequence: value,
        blockNumber: value,
      })
    },
  )

  it('synced edge: a writer that died half-way holds nobody up', () => {
    const memory = createSyncedEdge()
    new SyncedEdgeWriter(memory).set(1, 2, 3, 4, 5)
    // Version 1 lies in slot 1, so the dead writer was filling slot 0.
    new Int32Array(memory).fill(99, CURSOR_STRIDE, CURSOR_STRIDE + 4)
    const reader = new SyncedEdgeReader(memory)
    expect(reader.read()).toMatchObject({ segmentNumber: 1, fileOffset: 2, ringPosition: 3 })
    // A second writer goes on where the first one was.
    new SyncedEdgeWriter(memory).set(6, 7, 8, 9, 10)
    expect(reader.read()).toMatchObject({ segmentNumber: 6, sequence: 9, blockNumber: 10 })
  })

  it('synced edge: every tuple read is one that was written (writer on another thread)', async () => {
    const edge = createSyncedEdge()
    // So that the largest number of a tuple is a safe integer.
    const frames = 1_000_000
    const enough = new Int32Array(new SharedArrayBuffer(4))
    const data: RingWorkerData = {
      role: 'edge',
      memory: createEventRing(EVENT_RING_BYTES_MIN),
      edge,
      seed: 0,
      frames,
      enough: enough.buffer,
    }
    const worker = new Worker(new URL('./event-ring-worker.js', import.meta.url), {
      workerData: data,
    })
    await once(worker, 'message')
    const reader = new SyncedEdgeReader(edge)
    let last = 0
    let reads = 0
    let distinct = 0
    const deadlineMs = performance.now() + 30_000
    // Ends by what was seen, however the two threads are scheduled.
    while (reads < READS_MIN || distinct < DISTINCT_MIN) {
      const { segmentNumber, fileOffset, ringPosition, sequence, blockNumber } = reader.read()
      const n = blockNumber % frames
      const isWhole =
        segmentNumber === n &&
        fileOffset === (n * 4096) % 2 ** 32 &&
        ringPosition === n * 0x1_0000_0001 &&
        sequence === n * 7 * 2 ** 30
      if (!isWhole || blockNumber < last) expect.fail(`torn at ${blockNumber}, after ${last}`)
      if (blockNumber !== last) distinct += 1
      last = blockNumber
      reads += 1
      if (reads % 4096 === 0 && performance.now() > deadlineMs) {
        expect.fail(`saw only ${distinct} tuples`)
      }
    }
    // Ends the writer; pairs with its load.
    Atomics.store(enough, 0, 1)
    await once(worker, 'exit')
  })
})
