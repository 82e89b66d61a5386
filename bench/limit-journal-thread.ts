/**
 * The journal of the hand-written loop: takes whatever the ring holds, up to a block, and puts it on
 * disk with one synced write, under the journal's rules (header, padding, checksum, hash chain,
 * preallocated files), without knowing what the bytes are. Files are zero-filled beforehand: this is
 * a limit, so preparing costs it nothing.
 */
import { createHash } from 'node:crypto'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import {
  BLOCK_HEADER_BYTES,
  BLOCK_PAYLOAD_BYTES_MAX,
  BLOCK_PAYLOAD_CHECKSUM,
  BLOCK_PREVIOUS_HASH,
  HASH_BYTES,
  paddedBlockBytes,
} from '../journal/block-layout.js'
import { CURSOR_STRIDE } from '../journal/cursor.js'
import { alignedBuffer } from '../journal/storage.js'

export interface LimitJournalData {
  /** Zero-filled, each of `fileBytes`. */
  readonly files: readonly string[]
  readonly fileBytes: number
  readonly data: SharedArrayBuffer
  /** Int32: the cells LIMIT_PUBLISHED, LIMIT_SYNCED and LIMIT_STOP. */
  readonly control: SharedArrayBuffer
}

// Cells of the control memory, each with cache lines of its own.
/** Units of the ring that the loop has written. */
export const LIMIT_PUBLISHED = 0
/** Units of the ring that are on disk. */
export const LIMIT_SYNCED = CURSOR_STRIDE
/** 1 when nothing follows what is published. */
export const LIMIT_STOP = 2 * CURSOR_STRIDE
/** What both count: the bytes of a transfer. */
export const LIMIT_UNIT_BYTES = 64

function run({ files, fileBytes, data, control }: LimitJournalData): void {
  const cells = new Int32Array(control)
  const ring = new Uint8Array(data)
  const staging = alignedBuffer(paddedBlockBytes(BLOCK_PAYLOAD_BYTES_MAX))
  const flags = constants.O_WRONLY | constants.O_DIRECT | constants.O_DSYNC
  let previousHash: Uint8Array = new Uint8Array(HASH_BYTES)
  let next = 0
  let fd = openSync(files[next++]!, flags)
  let fileOffset = 0
  let synced = 0
  for (;;) {
    // Pairs with the store at the end of the loop's run; read before what it is the last of.
    const stop = Atomics.load(cells, LIMIT_STOP)
    // Pairs with the store after each batch of the loop: the bytes before it are written.
    const published = Atomics.load(cells, LIMIT_PUBLISHED) * LIMIT_UNIT_BYTES
    if (published === synced) {
      if (stop === 1) break
      continue
    }
    const start = synced % ring.length
    const lengthBytes = Math.min(
      published - synced,
      ring.length - start,
      BLOCK_PAYLOAD_BYTES_MAX - (BLOCK_PAYLOAD_BYTES_MAX % LIMIT_UNIT_BYTES),
    )
    const padded = paddedBlockBytes(lengthBytes)
    if (fileOffset + padded > fileBytes) {
      closeSync(fd)
      fd = openSync(files[next++]!, flags)
      fileOffset = 0
    }
    staging.set(previousHash, BLOCK_PREVIOUS_HASH)
    staging.set(ring.subarray(start, start + lengthBytes), BLOCK_HEADER_BYTES)
    staging.fill(0, BLOCK_HEADER_BYTES + lengthBytes, padded)
    const checksum = crc32(staging.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + lengthBytes))
    new DataView(staging.buffer).setUint32(BLOCK_PAYLOAD_CHECKSUM, checksum, true)
    const written = writeSync(fd, staging, 0, padded, fileOffset)
    if (written !== padded) throw new Error(`${written} of ${padded} bytes were written`)
    fileOffset += padded
    synced += lengthBytes
    // Publishes that the bytes are on disk, so their room is free: to the loads in the loop.
    Atomics.store(cells, LIMIT_SYNCED, synced / LIMIT_UNIT_BYTES)
    const hashed = staging.subarray(0, BLOCK_HEADER_BYTES + lengthBytes)
    previousHash = createHash('sha256').update(hashed).digest()
  }
  closeSync(fd)
  parentPort?.postMessage(synced)
}

if (parentPort !== null && workerData !== null) run(workerData as LimitJournalData)
