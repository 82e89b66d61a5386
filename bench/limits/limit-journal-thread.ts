/**
 * The journal of the hand-written loops: takes whatever the ring holds, up to a block, and puts it on
 * disk with one synced write, under the journal's rules (header, padding, checksum, hash chain,
 * files that are never used again), without knowing what the bytes are. A file is made when the last
 * one is full, as long as it will be, without its bytes: filling it with zeros beforehand takes more
 * from the disk than it gives (docs/decisions/0024). Without work it spins for a moment and then
 * sleeps, so that it takes no core from whoever else is measured.
 */
import { createHash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import {
  BLOCK_HEADER_BYTES,
  BLOCK_PAYLOAD_BYTES_MAX,
  BLOCK_PAYLOAD_CHECKSUM,
  BLOCK_PREVIOUS_HASH,
  HASH_BYTES,
  paddedBlockBytes,
} from '../../journal/block-layout.js'
import { alignedBuffer } from '../../journal/storage.js'
import {
  LIMIT_PARKED,
  LIMIT_PUBLISHED,
  LIMIT_STOP,
  LIMIT_SYNCED,
  LIMIT_UNIT_BYTES,
  type LimitJournalData,
} from './limit-journal-layout.js'
import { closeRaw, createRaw, type RawFile, writeSynced } from './raw-file.js'

const SPIN_MS = 0.1
const SLEEP_MS = 1000
const BLOCK_BYTES = BLOCK_PAYLOAD_BYTES_MAX - (BLOCK_PAYLOAD_BYTES_MAX % LIMIT_UNIT_BYTES)

function run({ directory, fileBytes, data, control }: LimitJournalData): void {
  const cells = new Int32Array(control)
  const ring = new Uint8Array(data)
  const staging = alignedBuffer(paddedBlockBytes(BLOCK_PAYLOAD_BYTES_MAX))
  const view = new DataView(staging.buffer)
  let previousHash: Uint8Array = new Uint8Array(HASH_BYTES)
  let files = 0
  let file: RawFile = createRaw(directory, files++, fileBytes)
  let fileOffset = 0
  let synced = 0
  for (;;) {
    const stop = Atomics.load(cells, LIMIT_STOP)
    const unsynced = (Atomics.load(cells, LIMIT_PUBLISHED) - synced / LIMIT_UNIT_BYTES) | 0
    if (unsynced === 0) {
      if (stop === 1) break
      awaitPublished(cells, (synced / LIMIT_UNIT_BYTES) | 0)
      continue
    }
    const start = synced % ring.length
    const lengthBytes = Math.min(unsynced * LIMIT_UNIT_BYTES, ring.length - start, BLOCK_BYTES)
    const padded = paddedBlockBytes(lengthBytes)
    if (fileOffset + padded > fileBytes) {
      closeRaw(file)
      file = createRaw(directory, files++, fileBytes)
      fileOffset = 0
    }
    staging.set(previousHash, BLOCK_PREVIOUS_HASH)
    staging.set(ring.subarray(start, start + lengthBytes), BLOCK_HEADER_BYTES)
    staging.fill(0, BLOCK_HEADER_BYTES + lengthBytes, padded)
    const checksum = crc32(staging.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + lengthBytes))
    view.setUint32(BLOCK_PAYLOAD_CHECKSUM, checksum, true)
    writeSynced(file, staging.subarray(0, padded), fileOffset)
    fileOffset += padded
    synced += lengthBytes
    Atomics.store(cells, LIMIT_SYNCED, (synced / LIMIT_UNIT_BYTES) | 0)
    const hashed = staging.subarray(0, BLOCK_HEADER_BYTES + lengthBytes)
    // In two steps, as the chain of the journal.
    const digest = createHash('sha256').update(hashed).digest()
    previousHash = createHash('sha256').update(previousHash).update(digest).digest()
  }
  closeRaw(file)
  parentPort?.postMessage(synced)
}

/** Returns when something may have been published. */
function awaitPublished(cells: Int32Array, known: number): void {
  const untilMs = performance.now() + SPIN_MS
  while (performance.now() < untilMs) {
    if (Atomics.load(cells, LIMIT_PUBLISHED) !== known) return
  }
  // Pairs with the load in LimitJournal.publish: one of the two sees the other.
  Atomics.store(cells, LIMIT_PARKED, 1)
  if (Atomics.load(cells, LIMIT_STOP) === 0) Atomics.wait(cells, LIMIT_PUBLISHED, known, SLEEP_MS)
  Atomics.store(cells, LIMIT_PARKED, 0)
}

run(workerData as LimitJournalData)
