/**
 * Writes the state of an engine as the chunks of a snapshot (journal/snapshot-layout.ts). What
 * belongs to the state is what its digest covers (state-digest.ts), and nothing else.
 */
import type { Catalogue } from '../../journal/catalogue.js'
import { TidewheelError } from '../../journal/errors.js'
import { setU64 } from '../../journal/layout.js'
import { ID_BYTES_MAX } from '../../journal/record-layout.js'
import { packPlain } from '../../journal/schema/plain-data.js'
import { textBytes, writeText } from '../../journal/schema/text-bytes.js'
import {
  AGGREGATE_CHUNK,
  CATALOGUE_CHUNK,
  CHUNK_PAYLOAD_BYTES_MAX,
  COLUMN_CHUNK,
  IDS_CHUNK,
  KEY_ACCEPTED,
  KEY_CODE_BYTES,
  KEY_CONTENT_HIGH,
  KEY_CONTENT_LOW,
  KEY_DETAIL_BYTES,
  KEY_EVENT_COUNT,
  KEY_HEADER_BYTES,
  KEY_KEY_BYTES,
  KEY_SEQUENCE,
  KEY_TIME,
  KEYS_CHUNK,
  NO_VALUE,
  OBJECTS_CHUNK,
  SLAB_CHUNK,
} from '../../journal/snapshot-layout.js'
import type { SnapshotWriter } from '../../journal/snapshot-writer.js'
import type { AggregateStore } from '../aggregate-store.js'
import type { DomainRuntime } from '../domain-runtime.js'
import { ObjectStore } from '../object-store.js'
import { RecordStore } from '../record-store.js'

/** The number of keys that a snapshot of this state has. */
export function countKeys({ keys, latestUs }: DomainRuntime): number {
  let count = 0
  for (const _ of keys.entries(latestUs)) count++
  return count
}

/** @throws TidewheelError INVALID_DOMAIN for object state that is no plain data */
export function writeState(
  runtime: DomainRuntime,
  catalogue: Catalogue,
  writer: SnapshotWriter,
): void {
  writer.begin(CATALOGUE_CHUNK)
  const encoded = new TextEncoder().encode(JSON.stringify(catalogue))
  writer.bytes.set(encoded, writer.reserve(encoded.length))
  for (const store of runtime.stores) {
    writer.mark(AGGREGATE_CHUNK, store.index, store.ids.count)
    writeIds(store, writer)
    writeSlab(store, writer)
    if (store instanceof RecordStore) writeColumns(store, writer)
    else if (store instanceof ObjectStore) writeObjects(store, writer)
  }
  writeKeys(runtime, writer)
}

function writeIds({ ids, index }: AggregateStore, writer: SnapshotWriter): void {
  writer.begin(IDS_CHUNK, index)
  const id = new DataView(new ArrayBuffer(ID_BYTES_MAX))
  const idBytes = new Uint8Array(id.buffer)
  for (let slot = 1; slot <= ids.count; slot++) {
    const lengthBytes = ids.writeIdBytes(slot, id, 0)
    const offset = writer.reserve(2 + lengthBytes)
    writer.view.setUint16(offset, lengthBytes, true)
    writer.bytes.set(idBytes.subarray(0, lengthBytes), offset + 2)
  }
}

function writeSlab(store: AggregateStore, writer: SnapshotWriter): void {
  writer.begin(SLAB_CHUNK, store.index)
  const { slab, strideBytes, ids } = store
  const slotsMax = Math.floor(CHUNK_PAYLOAD_BYTES_MAX / strideBytes)
  for (let slot = 1; slot <= ids.count; slot += slotsMax) {
    const slots = Math.min(slotsMax, ids.count - slot + 1)
    const offset = writer.reserve(slots * strideBytes, slots)
    writer.bytes.set(new Uint8Array(slab.buffer, slot * strideBytes, slots * strideBytes), offset)
  }
}

function writeColumns({ columns, ids, index }: RecordStore, writer: SnapshotWriter): void {
  columns.forEach((column, columnIndex) => {
    writer.begin(COLUMN_CHUNK, index, columnIndex)
    for (let slot = 1; slot <= ids.count; slot++) {
      const value = column.get(slot)
      if (typeof value === 'string') {
        const lengthBytes = textBytes(value)
        writeText(writer.bytes, reserveValue(writer, lengthBytes), value, lengthBytes)
      } else writeValue(writer, value as Uint8Array | undefined)
    }
  })
}

function writeObjects(store: ObjectStore, writer: SnapshotWriter): void {
  writer.begin(OBJECTS_CHUNK, store.index)
  for (let slot = 1; slot <= store.ids.count; slot++) {
    if (store.version(slot) === 0) {
      writeValue(writer, undefined)
      continue
    }
    const packed = packPlain(store.snapshotOf(slot))
    if (typeof packed !== 'string') {
      writeValue(writer, packed)
      continue
    }
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `the state of ${store.name} ${String(store.ids.idOf(slot))} cannot be saved: it must be ${packed}; give object({ snapshot, restore })`,
    )
  }
}

function writeKeys({ keys, latestUs }: DomainRuntime, writer: SnapshotWriter): void {
  writer.begin(KEYS_CHUNK)
  const { view, bytes } = writer
  for (const entry of keys.entries(latestUs)) {
    const key = keys.keyOf(entry)
    const detail = keys.detailOf(entry)
    const code = keys.codeOf(entry)
    const codeBytes = textBytes(code)
    const lengthBytes = KEY_HEADER_BYTES + key.length + codeBytes + detail.length
    const offset = writer.reserve(lengthBytes)
    setU64(view, offset + KEY_TIME, keys.timeOf(entry))
    setU64(view, offset + KEY_SEQUENCE, keys.sequenceOf(entry))
    view.setUint32(offset + KEY_CONTENT_LOW, keys.contentLowOf(entry), true)
    view.setUint32(offset + KEY_CONTENT_HIGH, keys.contentHighOf(entry), true)
    view.setUint32(offset + KEY_EVENT_COUNT, keys.eventCountOf(entry), true)
    view.setUint32(offset + KEY_DETAIL_BYTES, detail.length, true)
    view.setUint16(offset + KEY_KEY_BYTES, key.length, true)
    view.setUint16(offset + KEY_CODE_BYTES, codeBytes, true)
    view.setUint32(offset + KEY_ACCEPTED, keys.acceptedOf(entry) ? 1 : 0, true)
    const texts = offset + KEY_HEADER_BYTES
    bytes.set(key, texts)
    writeText(bytes, texts + key.length, code, codeBytes)
    bytes.set(detail, texts + key.length + codeBytes)
  }
}

function writeValue(writer: SnapshotWriter, value: Uint8Array | undefined): void {
  if (value === undefined) writer.view.setUint32(writer.reserve(4), NO_VALUE, true)
  else writer.bytes.set(value, reserveValue(writer, value.length))
}

/** Where the bytes of a value go; its length is written. */
function reserveValue(writer: SnapshotWriter, lengthBytes: number): number {
  const offset = writer.reserve(4 + lengthBytes)
  writer.view.setUint32(offset, lengthBytes, true)
  return offset + 4
}
