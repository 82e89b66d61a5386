/**
 * Writes and reads the 128 bytes at the head of a snapshot (snapshot-layout.ts). Reading trusts
 * nothing. An intact header alone proves that the journal once reached its block on disk.
 */
import { crc32 } from 'node:zlib'
import {
  BLOCK_ALIGNMENT_BYTES,
  FORMAT_VERSION,
  HASH_BYTES,
  JOURNAL_ID_BYTES,
} from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import { getU64, setU64 } from './layout.js'
import { SEGMENT_DATA } from './segment-layout.js'
import {
  FINGERPRINT_BYTES,
  SNAPSHOT_BLOCK_HASH,
  SNAPSHOT_BLOCK_NUMBER,
  SNAPSHOT_FILE_OFFSET,
  SNAPSHOT_FINGERPRINT,
  SNAPSHOT_FORMAT,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_HEADER_CHECKSUM,
  SNAPSHOT_JOURNAL_ID,
  SNAPSHOT_KEYS,
  SNAPSHOT_MAGIC,
  SNAPSHOT_MAGIC_OFFSET,
  SNAPSHOT_RESERVED,
  SNAPSHOT_SEGMENT_NUMBER,
  SNAPSHOT_SEQUENCE,
  SNAPSHOT_TIME,
} from './snapshot-layout.js'

export interface SnapshotHeader {
  readonly journalId: Uint8Array
  /** Of the last event in the state; 0: none. */
  readonly sequence: number
  /** The last block covered, and where it lies. */
  readonly blockNumber: number
  readonly segmentNumber: number
  readonly fileOffset: number
  readonly blockHash: Uint8Array
  /** Journal time of the last frame applied. */
  readonly timeUs: number
  /** What the state was made by (engine/snapshot/state-fingerprint.ts). */
  readonly fingerprint: Uint8Array
  /** Number of idempotency keys. */
  readonly keys: number
}

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  assert(header.journalId.byteLength === JOURNAL_ID_BYTES, 'a journal id has 16 bytes')
  assert(header.blockHash.byteLength === HASH_BYTES, 'a block hash has 32 bytes')
  assert(header.fingerprint.byteLength === FINGERPRINT_BYTES, 'a fingerprint has 32 bytes')
  assert(isPossible(header), 'a snapshot is written with values that a reader accepts')
  const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(SNAPSHOT_MAGIC_OFFSET, SNAPSHOT_MAGIC, true)
  view.setUint16(SNAPSHOT_FORMAT, FORMAT_VERSION, true)
  bytes.set(header.journalId, SNAPSHOT_JOURNAL_ID)
  setU64(view, SNAPSHOT_SEQUENCE, header.sequence)
  setU64(view, SNAPSHOT_BLOCK_NUMBER, header.blockNumber)
  setU64(view, SNAPSHOT_TIME, header.timeUs)
  view.setUint32(SNAPSHOT_SEGMENT_NUMBER, header.segmentNumber, true)
  view.setUint32(SNAPSHOT_FILE_OFFSET, header.fileOffset, true)
  bytes.set(header.blockHash, SNAPSHOT_BLOCK_HASH)
  bytes.set(header.fingerprint, SNAPSHOT_FINGERPRINT)
  view.setUint32(SNAPSHOT_KEYS, header.keys, true)
  const checksum = crc32(bytes.subarray(0, SNAPSHOT_HEADER_CHECKSUM))
  view.setUint32(SNAPSHOT_HEADER_CHECKSUM, checksum, true)
  return bytes
}

/** @throws TidewheelError SNAPSHOT_DAMAGED */
export function decodeSnapshotHeader(bytes: Uint8Array, file: string): SnapshotHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (
    bytes.byteLength !== SNAPSHOT_HEADER_BYTES ||
    view.getUint32(SNAPSHOT_MAGIC_OFFSET, true) !== SNAPSHOT_MAGIC
  ) {
    throw damagedSnapshot('it is not a snapshot', file, 0)
  }
  const checksum = crc32(bytes.subarray(0, SNAPSHOT_HEADER_CHECKSUM))
  if (view.getUint32(SNAPSHOT_HEADER_CHECKSUM, true) !== checksum) {
    throw damagedSnapshot('its header does not match its checksum', file, 0)
  }
  const format = view.getUint16(SNAPSHOT_FORMAT, true)
  if (format !== FORMAT_VERSION || view.getUint16(SNAPSHOT_RESERVED, true) !== 0) {
    throw damagedSnapshot(`it has format ${format}, which this version does not read`, file, 0)
  }
  const header: SnapshotHeader = {
    journalId: bytes.slice(SNAPSHOT_JOURNAL_ID, SNAPSHOT_JOURNAL_ID + JOURNAL_ID_BYTES),
    sequence: getU64(view, SNAPSHOT_SEQUENCE),
    blockNumber: getU64(view, SNAPSHOT_BLOCK_NUMBER),
    timeUs: getU64(view, SNAPSHOT_TIME),
    segmentNumber: view.getUint32(SNAPSHOT_SEGMENT_NUMBER, true),
    fileOffset: view.getUint32(SNAPSHOT_FILE_OFFSET, true),
    blockHash: bytes.slice(SNAPSHOT_BLOCK_HASH, SNAPSHOT_BLOCK_HASH + HASH_BYTES),
    fingerprint: bytes.slice(SNAPSHOT_FINGERPRINT, SNAPSHOT_FINGERPRINT + FINGERPRINT_BYTES),
    keys: view.getUint32(SNAPSHOT_KEYS, true),
  }
  if (!isPossible(header)) {
    throw damagedSnapshot('its header has values that no writer gives', file, 0)
  }
  return header
}

export function damagedSnapshot(problem: string, file: string, offset: number): TidewheelError {
  return new TidewheelError('SNAPSHOT_DAMAGED', problem, { file, offset })
}

function isPossible(header: SnapshotHeader): boolean {
  const { sequence, blockNumber, timeUs, segmentNumber, fileOffset } = header
  return (
    Number.isSafeInteger(sequence) &&
    Number.isSafeInteger(blockNumber) &&
    blockNumber >= 1 &&
    Number.isSafeInteger(timeUs) &&
    segmentNumber >= 1 &&
    fileOffset >= SEGMENT_DATA &&
    fileOffset % BLOCK_ALIGNMENT_BYTES === 0
  )
}
