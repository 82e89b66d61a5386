/**
 * Writes a snapshot (snapshot-layout.ts), a chunk at a time, under a temporary name; `finish` makes
 * it durable and gives it its own: it is whole or not there.
 *
 *   begin(kind) ─▶ reserve(bytes) … ─▶ begin(next kind) … ─▶ finish()
 *
 * What an entry holds is for its caller (engine/snapshot/). One buffer of a chunk's size is all that
 * is taken, however large the state is.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { assert } from './errors.js'
import { removeUnfinishedSnapshots } from './snapshot-files.js'
import { encodeSnapshotHeader, type SnapshotHeader } from './snapshot-header.js'
import {
  CHUNK_AGGREGATE,
  CHUNK_CHECKSUM,
  CHUNK_COLUMN,
  CHUNK_ENTRIES,
  CHUNK_FIRST,
  CHUNK_HEADER_BYTES,
  CHUNK_KIND,
  CHUNK_PAYLOAD_BYTES,
  CHUNK_PAYLOAD_BYTES_MAX,
  END_CHUNK,
  SNAPSHOT_HEADER_CHECKSUM,
  snapshotName,
  temporarySnapshotName,
} from './snapshot-layout.js'
import type { Storage, StorageFile } from './storage.js'

export class SnapshotWriter {
  readonly bytes = Buffer.alloc(CHUNK_HEADER_BYTES + CHUNK_PAYLOAD_BYTES_MAX)
  readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
  private readonly storage: Storage
  private readonly sequence: number
  private readonly temporary: string
  private readonly file: StorageFile
  private readonly hash = createHash('sha256')
  private readonly headerChecksum: number
  private position = 0
  private chunks = 0
  // The chunk that is being filled; kind 0: none.
  private kind = 0
  private aggregate = 0
  private column = 0
  private first = 1
  private entries = 0
  private used = CHUNK_HEADER_BYTES

  constructor(storage: Storage, header: SnapshotHeader) {
    this.storage = storage
    this.sequence = header.sequence
    this.temporary = temporarySnapshotName(header.sequence)
    removeUnfinishedSnapshots(storage)
    const encoded = encodeSnapshotHeader(header)
    this.headerChecksum = new DataView(encoded.buffer).getUint32(SNAPSHOT_HEADER_CHECKSUM, true)
    this.file = storage.open(this.temporary, 'create')
    this.put(encoded)
  }

  /** What is reserved from here on is of this kind. */
  begin(kind: number, aggregate = 0, column = 0): void {
    this.flush()
    this.kind = kind
    this.aggregate = aggregate
    this.column = column
    this.first = 1
  }

  /** Where in `bytes` the next entries go, which take `lengthBytes` together. */
  reserve(lengthBytes: number, entries = 1): number {
    assert(lengthBytes <= CHUNK_PAYLOAD_BYTES_MAX, `an entry of ${lengthBytes} bytes`)
    if (this.used + lengthBytes > this.bytes.length) this.flush()
    const offset = this.used
    this.used += lengthBytes
    this.entries += entries
    return offset
  }

  /** A chunk without payload. */
  mark(kind: number, aggregate: number, entries: number): void {
    this.begin(kind, aggregate)
    this.entries = entries
    this.writeChunk()
    this.kind = 0
  }

  /** The file has its name, and is durable, when it returns. */
  finish(): void {
    this.begin(END_CHUNK)
    const digest = this.hash.copy().digest()
    this.bytes.set(digest, this.reserve(digest.length, this.chunks))
    this.writeChunk()
    this.file.sync()
    this.storage.rename(this.temporary, snapshotName(this.sequence))
    this.storage.syncDirectory()
  }

  /** What was not finished is taken away: a full disk needs the room. */
  close(): void {
    this.file.close()
    removeUnfinishedSnapshots(this.storage)
  }

  private flush(): void {
    if (this.entries > 0) this.writeChunk()
  }

  private writeChunk(): void {
    const { bytes, view, used } = this
    view.setUint16(CHUNK_KIND, this.kind, true)
    view.setUint16(CHUNK_AGGREGATE, this.aggregate, true)
    view.setUint32(CHUNK_PAYLOAD_BYTES, used - CHUNK_HEADER_BYTES, true)
    view.setUint32(CHUNK_FIRST, this.first, true)
    view.setUint32(CHUNK_ENTRIES, this.entries, true)
    view.setUint16(CHUNK_COLUMN, this.column, true)
    const seed = (this.headerChecksum + ++this.chunks) >>> 0
    view.setUint32(CHUNK_CHECKSUM, chunkChecksum(bytes, used, seed), true)
    this.put(bytes.subarray(0, used))
    this.first += this.entries
    this.entries = 0
    this.used = CHUNK_HEADER_BYTES
  }

  private put(bytes: Uint8Array): void {
    this.hash.update(bytes)
    this.file.write(bytes, this.position)
    this.position += bytes.length
  }
}

/** Of a chunk that begins at 0 of `bytes` and ends at `end`. */
export function chunkChecksum(bytes: Uint8Array, end: number, seed: number): number {
  const ofHeader = crc32(bytes.subarray(0, CHUNK_CHECKSUM), seed)
  return crc32(bytes.subarray(CHUNK_HEADER_BYTES, end), ofHeader)
}
