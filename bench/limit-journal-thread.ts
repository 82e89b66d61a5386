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
  paddedBlockBytes,
} from '../journal/block-layout.js'
import { alignedBuffer } from '../journal/storage.js'

export interface LimitJournalData {
  /** Zero-filled, each of `fileBytes`. */
  readonly files: readonly string[]
  readonly fileBytes: number
  readonly data: SharedArrayBuffer
  /** Int32: published bytes, synced bytes, stop; both counted in units of 64 bytes. */
  readonly control: SharedArrayBuffer
}

export const LIMIT_PUBLISHED = 0
export const LIMIT_SYNCED = 32
export const LIMIT_STOP = 64
export const LIMIT_UNIT_BYTES = 64

function run({ files, fileBytes, data, control }: LimitJournalData): void {
  const cells = new Int32Array(control)
  const ring = new Uint8Array(data)
  const staging = alignedBuffer(paddedBlockBytes(BLOCK_PAYLOAD_BYTES_MAX))
  const flags = constants.O_WRONLY | constants.O_DIRECT | constants.O_DSYNC
  let previousHash: Uint8Array = new Uint8Array(32)
  let next = 0
  let fd = openSync(files[next++]!, flags)
  let fileOffset = 0
  let synced = 0
  for (;;) {
    const stop = Atomics.load(cells, LIMIT_STOP)
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
    staging.set(previousHash, 64)
    staging.set(ring.subarray(start, start + lengthBytes), BLOCK_HEADER_BYTES)
    staging.fill(0, BLOCK_HEADER_BYTES + lengthBytes, padded)
    const checksum = crc32(staging.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + lengthBytes))
    new DataView(staging.buffer).setUint32(120, checksum, true)
    const written = writeSync(fd, staging, 0, padded, fileOffset)
    if (written !== padded) throw new Error(`${written} of ${padded} bytes were written`)
    fileOffset += padded
    synced += lengthBytes
    Atomics.store(cells, LIMIT_SYNCED, synced / LIMIT_UNIT_BYTES)
    const hashed = staging.subarray(0, BLOCK_HEADER_BYTES + lengthBytes)
    previousHash = createHash('sha256').update(hashed).digest()
  }
  closeSync(fd)
  parentPort?.postMessage(synced)
}

if (parentPort !== null && workerData !== null) run(workerData as LimitJournalData)
