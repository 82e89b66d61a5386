/**
 * The other threads of event-ring.test.ts and synced-edge.test.ts. Each checks what it sees and
 * reports the first thing that is wrong, or undefined.
 *
 * A frame of the stress test says all about itself: its ordinal is its time, the ordinal gives its
 * length, and each byte of its content depends on ordinal and place.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type EventRingMemory, EventRingReader, isPadding } from '../../journal/event-ring.js'
import { getU64 } from '../../journal/layout.js'
import { FRAME_HEADER_BYTES, FRAME_LENGTH, FRAME_TIME } from '../../journal/record-layout.js'
import { SyncedEdgeWriter } from '../../journal/synced-edge.js'

export interface RingWorkerData {
  role: 'journaler' | 'subscriber' | 'edge'
  memory: EventRingMemory
  /** A synced edge, or two cells: whether the journaler has seen all, frames that the subscriber has. */
  edge: SharedArrayBuffer
  /** One cell: role `edge` goes on until it is not zero. */
  enough?: SharedArrayBuffer
  seed: number
  frames: number
}

// Cells of `edge` in the stress test.
const JOURNALER_DONE = 0
export const SUBSCRIBER_CHECKED = 1
export const STRESS_CELLS_BYTES = 2 * Int32Array.BYTES_PER_ELEMENT

/** From 16 to about 200 bytes; now and then up to 64 KiB. */
export function frameBytesOf(seed: number, ordinal: number): number {
  let hash = Math.imul(seed ^ ordinal, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  hash = (hash ^ (hash >>> 13)) >>> 0
  const words = hash % 2048 === 0 ? hash % 8192 : hash % 24
  return FRAME_HEADER_BYTES + words * 8
}

/** The u32 at each place of a frame's content. */
export function contentOf(ordinal: number, place: number): number {
  return (Math.imul(ordinal, 0x01000193) ^ place) >>> 0
}

function checkFrame(view: DataView, offset: number, seed: number): number | string {
  const ordinal = getU64(view, offset + FRAME_TIME)
  const lengthBytes = view.getUint32(offset + FRAME_LENGTH, true)
  if (lengthBytes !== frameBytesOf(seed, ordinal))
    return `frame ${ordinal} has ${lengthBytes} bytes`
  for (let place = FRAME_HEADER_BYTES; place < lengthBytes; place += 4) {
    const value = view.getUint32(offset + place, true)
    if (value !== contentOf(ordinal, place)) return `frame ${ordinal} is wrong at ${place}`
  }
  return ordinal
}

/** Takes every frame, in order, and releases in batches. */
function runJournaler({ memory, edge, seed, frames }: RingWorkerData): string | undefined {
  const ring = new EventRingReader(memory)
  let position = 0
  let expected = 0
  while (expected < frames) {
    const published = ring.publishedPosition()
    if (published === position) {
      ring.waitForFrames(position, 1000)
      continue
    }
    while (position < published) {
      const offset = ring.offsetOf(position)
      const lengthBytes = ring.view.getUint32(offset + FRAME_LENGTH, true)
      if (!isPadding(ring.view, offset)) {
        const seen = checkFrame(ring.view, offset, seed)
        if (seen !== expected) return `expected frame ${expected}, saw ${seen}`
        expected += 1
      }
      position += lengthBytes
    }
    ring.releaseSynced(position)
  }
  Atomics.store(new Int32Array(edge), JOURNALER_DONE, 1)
  return undefined
}

/** Copies what is synced without holding anybody up, and trusts a copy only if it was intact. */
function runSubscriber({ memory, edge, seed }: RingWorkerData): string | undefined {
  const done = new Int32Array(edge)
  const ring = new EventRingReader(memory)
  const copy = new Uint8Array(ring.capacity)
  const view = new DataView(copy.buffer)
  let position = 0
  let last = -1
  let checked = 0
  for (;;) {
    // Read before the position: when all is done, the position is the last one.
    const isDone = Atomics.load(done, JOURNALER_DONE) === 1
    const synced = ring.syncedPosition()
    if (synced === position) {
      if (isDone) break
      continue
    }
    if (synced - position > ring.capacity / 2) position = synced
    const from = ring.offsetOf(position)
    const lengthBytes = Math.min(synced - position, ring.capacity - from)
    copy.set(ring.bytes.subarray(from, from + lengthBytes))
    if (!ring.isIntact(position)) {
      position = ring.syncedPosition()
      continue
    }
    for (let at = 0; at < lengthBytes; ) {
      if (!isPadding(view, at)) {
        const seen = checkFrame(view, at, seed)
        if (typeof seen === 'string') return `subscriber: ${seen}`
        if (seen <= last) return `subscriber: frame ${seen} after ${last}`
        last = seen
        checked += 1
      }
      at += view.getUint32(at + FRAME_LENGTH, true)
    }
    position += lengthBytes
    Atomics.store(done, SUBSCRIBER_CHECKED, checked)
  }
  return undefined
}

/** Publishes tuples whose parts all follow from the block number, until the reader has enough. */
function runEdge({ edge, frames, enough }: RingWorkerData): undefined {
  const writer = new SyncedEdgeWriter(edge)
  const cell = new Int32Array(enough as SharedArrayBuffer)
  for (let block = 1; Atomics.load(cell, 0) === 0; block++) {
    const n = block % frames
    writer.set(n, n * 4096, n * 0x1_0000_0001, n * 7 * 2 ** 30, block)
  }
}

const data = workerData as RingWorkerData | undefined
if (parentPort !== null && data?.role !== undefined) {
  const roles = { journaler: runJournaler, subscriber: runSubscriber, edge: runEdge }
  parentPort.postMessage('ready')
  parentPort.postMessage({ problem: roles[data.role](data) })
}
