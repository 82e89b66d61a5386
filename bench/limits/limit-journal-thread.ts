/**
 * The journal of the hand-written loops: takes whatever the ring holds, up to a block, and puts it on
 * disk with one synced write, under the journal's rules (header, padding, checksum, hash chain,
 * preallocated files), without knowing what the bytes are. Files are zero-filled beforehand, and used
 * again when all are full: this is a limit, so preparing costs it nothing.
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
import { closeRaw, openRaw, type RawFile, writeSynced } from './raw-file.js'

export interface LimitJournalData {
  /** Zero-filled, each of `fileBytes`. */
  readonly files: readonly string[]
  readonly fileBytes: number
  readonly data: SharedArrayBuffer
  readonly control: SharedArrayBuffer
}

// Elements of the control array, each with cache lines of its own.
/** What the loop has written and what is on disk, modulo 2³², in units of 8 bytes. */
export const LIMIT_PUBLISHED = 0
export const LIMIT_SYNCED = 32
export const LIMIT_STATE = 64
export const LIMIT_CONTROL_BYTES = 512
export const LIMIT_UNIT_BYTES = 8

/** Between rounds nothing spins, so that the other contender has both cores. */
export const LIMIT_RUNNING = 0
export const LIMIT_PAUSED = 1
export const LIMIT_STOPPED = 2

const BLOCK_BYTES = BLOCK_PAYLOAD_BYTES_MAX - (BLOCK_PAYLOAD_BYTES_MAX % LIMIT_UNIT_BYTES)

function run({ files, fileBytes, data, control }: LimitJournalData): void {
  const cells = new Int32Array(control)
  const ring = new Uint8Array(data)
  const staging = alignedBuffer(paddedBlockBytes(BLOCK_PAYLOAD_BYTES_MAX))
  const view = new DataView(staging.buffer)
  let previousHash: Uint8Array = new Uint8Array(HASH_BYTES)
  let next = 0
  let file: RawFile = openRaw(files[next]!)
  let fileOffset = 0
  let synced = 0
  for (;;) {
    const state = Atomics.load(cells, LIMIT_STATE)
    const unsynced = (Atomics.load(cells, LIMIT_PUBLISHED) - synced / LIMIT_UNIT_BYTES) | 0
    if (unsynced === 0) {
      if (state === LIMIT_STOPPED) break
      if (state === LIMIT_PAUSED) Atomics.wait(cells, LIMIT_STATE, LIMIT_PAUSED)
      continue
    }
    const start = synced % ring.length
    const lengthBytes = Math.min(unsynced * LIMIT_UNIT_BYTES, ring.length - start, BLOCK_BYTES)
    const padded = paddedBlockBytes(lengthBytes)
    if (fileOffset + padded > fileBytes) {
      closeRaw(file)
      next = (next + 1) % files.length
      file = openRaw(files[next]!)
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
    previousHash = createHash('sha256').update(hashed).digest()
  }
  closeRaw(file)
  parentPort?.postMessage(synced)
}

if (parentPort !== null && workerData !== null) run(workerData as LimitJournalData)
