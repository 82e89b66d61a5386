/**
 * Reads a snapshot (snapshot-layout.ts) from front to back, a chunk at a time. The bytes may come
 * from anyone: every length is checked against what is there, and one buffer of a chunk's size, or
 * the file's where that is less, is all that is taken, whatever the file says. What it gave out is
 * good only when `end` has returned: that proves the file as a whole.
 *
 *   next(kind) ─▶ take(bytes) … ─▶ next(next kind) … ─▶ end()
 *
 * Or, where only the file as a whole is of interest, `skipToEnd()`.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { damagedSnapshot, decodeSnapshotHeader, type SnapshotHeader } from './snapshot-header.js'
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
  CHUNK_RESERVED,
  END_CHUNK,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_HEADER_CHECKSUM,
} from './snapshot-layout.js'
import { chunkChecksum } from './snapshot-writer.js'
import type { StorageFile } from './storage.js'

export class SnapshotReader {
  readonly header: SnapshotHeader
  readonly bytes: Buffer
  readonly view: DataView
  /** Of the chunk that {@link next} read. */
  payloadBytes = 0
  entries = 0
  /** Of the snapshot. */
  readonly name: string
  private readonly file: StorageFile
  private readonly hash = createHash('sha256')
  private readonly headerChecksum: number
  private position = SNAPSHOT_HEADER_BYTES
  private chunks = 0
  /** In the chunk: how far it has been taken. */
  private at = CHUNK_HEADER_BYTES

  /** @throws TidewheelError SNAPSHOT_DAMAGED */
  constructor(file: StorageFile) {
    this.name = file.name
    this.file = file
    const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES)
    if (file.read(bytes, 0) !== bytes.length) {
      throw damagedSnapshot('it ends within its header', file.name, 0)
    }
    this.header = decodeSnapshotHeader(bytes, file.name)
    this.headerChecksum = new DataView(bytes.buffer).getUint32(SNAPSHOT_HEADER_CHECKSUM, true)
    this.hash.update(bytes)
    const largest = Math.min(CHUNK_HEADER_BYTES + CHUNK_PAYLOAD_BYTES_MAX, file.sizeBytes())
    this.bytes = Buffer.alloc(largest)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, largest)
  }

  /**
   * Reads the next chunk, which must be of this kind and begin with this entry.
   * @throws TidewheelError SNAPSHOT_DAMAGED
   */
  next(kind: number, aggregate = 0, column = 0, first = 1): void {
    this.refuseRest()
    this.readChunk()
    const { view } = this
    const isExpected =
      view.getUint16(CHUNK_KIND, true) === kind &&
      view.getUint16(CHUNK_AGGREGATE, true) === aggregate &&
      view.getUint16(CHUNK_COLUMN, true) === column &&
      view.getUint16(CHUNK_RESERVED, true) === 0 &&
      view.getUint32(CHUNK_FIRST, true) === first
    if (!isExpected) this.refuse('another chunk belongs here')
    if (kind !== END_CHUNK) this.hash.update(this.bytes.subarray(0, this.at + this.payloadBytes))
  }

  /** All chunks of one kind, with `total` entries together; `read` takes one. */
  nextEntries(
    kind: number,
    aggregate: number,
    column: number,
    total: number,
    read: (entry: number) => void,
  ): void {
    for (let entry = 1; entry <= total; ) {
      this.next(kind, aggregate, column, entry)
      const end = entry + this.entries
      if (end === entry || end > total + 1) this.refuse('it has another number of entries')
      while (entry < end) read(entry++)
    }
  }

  /** Where in `bytes` the next part of the chunk lies. @throws TidewheelError SNAPSHOT_DAMAGED */
  take(lengthBytes: number): number {
    const offset = this.at
    if (offset + lengthBytes > CHUNK_HEADER_BYTES + this.payloadBytes) {
      this.refuse('an entry reaches past the end of its chunk')
    }
    this.at = offset + lengthBytes
    return offset
  }

  /** Reads the end. @throws TidewheelError SNAPSHOT_DAMAGED: it is not as it was written */
  end(): void {
    this.next(END_CHUNK)
    this.checkEnd()
  }

  /** Reads all chunks, whatever they hold. @throws TidewheelError SNAPSHOT_DAMAGED, as `end` does */
  skipToEnd(): void {
    for (;;) {
      this.readChunk()
      if (this.view.getUint16(CHUNK_KIND, true) === END_CHUNK) break
      this.hash.update(this.bytes.subarray(0, this.at + this.payloadBytes))
    }
    this.checkEnd()
  }

  refuse(problem: string): never {
    const offset = this.position - this.payloadBytes - CHUNK_HEADER_BYTES
    throw damagedSnapshot(problem, this.name, offset)
  }

  private checkEnd(): void {
    const digest = this.hash.digest()
    if (this.payloadBytes !== digest.length) this.refuse('its end is not one')
    const offset = this.take(digest.length)
    const isWhole =
      this.entries === this.chunks - 1 &&
      digest.equals(this.bytes.subarray(offset, offset + digest.length)) &&
      this.position === this.file.sizeBytes()
    if (!isWhole) this.refuse('it does not match the hash at its end')
  }

  private readChunk(): void {
    const { bytes, view, file } = this
    const head = bytes.subarray(0, CHUNK_HEADER_BYTES)
    const headBytes = file.read(head, this.position)
    this.position += CHUNK_HEADER_BYTES
    this.payloadBytes = 0
    if (headBytes !== CHUNK_HEADER_BYTES) this.refuse('it ends too early')
    const payloadBytes = view.getUint32(CHUNK_PAYLOAD_BYTES, true)
    if (payloadBytes > CHUNK_PAYLOAD_BYTES_MAX) this.refuse('a chunk is larger than any can be')
    const end = CHUNK_HEADER_BYTES + payloadBytes
    const payload = bytes.subarray(CHUNK_HEADER_BYTES, end)
    if (file.read(payload, this.position) !== payloadBytes) this.refuse('it ends too early')
    this.position += payloadBytes
    this.payloadBytes = payloadBytes
    const seed = (this.headerChecksum + ++this.chunks) >>> 0
    if (view.getUint32(CHUNK_CHECKSUM, true) !== chunkChecksum(bytes, end, seed)) {
      this.refuse('a chunk does not match its checksum')
    }
    this.entries = view.getUint32(CHUNK_ENTRIES, true)
    this.at = CHUNK_HEADER_BYTES
  }

  private refuseRest(): void {
    if (this.at !== CHUNK_HEADER_BYTES + this.payloadBytes) {
      this.refuse('a chunk is longer than its entries')
    }
  }
}
