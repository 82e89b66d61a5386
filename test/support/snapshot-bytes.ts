/** A snapshot's bytes in the hands of a forger: what was changed gets the checksums of a writer. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  CHUNK_AGGREGATE,
  CHUNK_CHECKSUM,
  CHUNK_HEADER_BYTES,
  CHUNK_KIND,
  CHUNK_PAYLOAD_BYTES,
  END_CHUNK,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_HEADER_CHECKSUM,
} from '../../journal/snapshot-layout.js'

/** Makes all checksums and the hash right, as far as the lengths lead. */
export function signSnapshot(bytes: Uint8Array): void {
  if (bytes.length < SNAPSHOT_HEADER_BYTES) return
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerChecksum = crc32(bytes.subarray(0, SNAPSHOT_HEADER_CHECKSUM))
  view.setUint32(SNAPSHOT_HEADER_CHECKSUM, headerChecksum, true)
  let number = 0
  for (let at = SNAPSHOT_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= bytes.length; ) {
    const end = at + CHUNK_HEADER_BYTES + view.getUint32(at + CHUNK_PAYLOAD_BYTES, true)
    if (end > bytes.length) return
    if (view.getUint16(at + CHUNK_KIND, true) === END_CHUNK && end === bytes.length) {
      const digest = createHash('sha256').update(bytes.subarray(0, at)).digest()
      bytes.set(digest.subarray(0, end - at - CHUNK_HEADER_BYTES), at + CHUNK_HEADER_BYTES)
    }
    const seed = (headerChecksum + ++number) >>> 0
    const ofHeader = crc32(bytes.subarray(at, at + CHUNK_CHECKSUM), seed)
    const checksum = crc32(bytes.subarray(at + CHUNK_HEADER_BYTES, end), ofHeader)
    view.setUint32(at + CHUNK_CHECKSUM, checksum, true)
    at = end
  }
}

/** Where the payload of the first chunk of this kind and aggregate begins. */
export function chunkPayloadAt(bytes: Uint8Array, kind: number, aggregate: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = SNAPSHOT_HEADER_BYTES; at < bytes.length; ) {
    const isIt =
      view.getUint16(at + CHUNK_KIND, true) === kind &&
      view.getUint16(at + CHUNK_AGGREGATE, true) === aggregate
    if (isIt) return at + CHUNK_HEADER_BYTES
    at += CHUNK_HEADER_BYTES + view.getUint32(at + CHUNK_PAYLOAD_BYTES, true)
  }
  throw new Error(`there is no chunk of kind ${kind} and aggregate ${aggregate}`)
}
