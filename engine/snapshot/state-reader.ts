/**
 * Fills an empty state from the chunks of a snapshot (journal/snapshot-layout.ts). A checksum proves
 * that they are as they were written, not that we wrote them: ids, lengths and counts are checked,
 * and the versions of all streams together must make the sequence, since each event adds one. What
 * was filled in when this throws is of no use.
 */
import { type Catalogue, mergeCatalogue, readCatalogueRecord } from '../../journal/catalogue.js'
import { assert, causeOf } from '../../journal/errors.js'
import { getU64 } from '../../journal/layout.js'
import { KEY_BYTES_MAX } from '../../journal/record-layout.js'
import { plainDamage } from '../../journal/schema/plain-damage.js'
import { decodePlainData, PLAIN_BYTES_MAX } from '../../journal/schema/plain-data.js'
import { isText, readText } from '../../journal/schema/text-bytes.js'
import {
  AGGREGATE_CHUNK,
  CATALOGUE_CHUNK,
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
import type { SnapshotReader } from '../../journal/snapshot-reader.js'
import type { AggregateStore } from '../aggregate-store.js'
import { stateLayoutOf } from '../domain-compiler.js'
import type { DomainRuntime } from '../domain-runtime.js'
import { ObjectStore } from '../object-store.js'
import { RecordStore } from '../record-store.js'

/**
 * @param runtime of a domain with the fingerprint that the snapshot has, without any state
 * @returns the catalogue of the journal at that place
 * @throws TidewheelError SNAPSHOT_DAMAGED, and what {@link mergeCatalogue} throws
 */
export function readState(reader: SnapshotReader, runtime: DomainRuntime): Catalogue {
  assert(runtime.sequence === 0, 'a snapshot fills an empty state')
  const { header } = reader
  reader.next(CATALOGUE_CHUNK)
  const at = reader.take(reader.payloadBytes)
  const catalogue = readCatalogueRecord(reader.view, at, reader.payloadBytes)
  const merged = mergeCatalogue(catalogue, runtime.domain.name, runtime.declaration())
  runtime.sequence = header.sequence
  runtime.latestUs = header.timeUs
  runtime.bind(merged.catalogue)
  let versions = 0
  for (const store of runtime.stores) {
    const { index } = store
    reader.next(AGGREGATE_CHUNK, index)
    const streams = reader.entries
    if (streams > store.capacity) {
      reader.refuse(`it has more streams of ${store.name} than its capacity, ${store.capacity}`)
    }
    reader.nextEntries(IDS_CHUNK, index, 0, streams, () => readId(reader, store))
    versions += readSlab(reader, store, streams)
    if (store instanceof RecordStore) readColumns(reader, runtime, store, streams)
    else if (store instanceof ObjectStore) readObjects(reader, store, streams)
  }
  if (versions !== header.sequence) reader.refuse('its streams have other events than it says')
  readKeys(reader, runtime)
  reader.end()
  return catalogue
}

function readId(reader: SnapshotReader, { ids, idType }: AggregateStore): void {
  const { view } = reader
  const lengthBytes = view.getUint16(reader.take(2), true)
  const offset = reader.take(lengthBytes)
  if (idType === 'text' && !isText(reader.bytes, offset, offset + lengthBytes)) {
    reader.refuse('an id is no text')
  }
  const hash = ids.hashBytes(view, offset, lengthBytes)
  if (ids.findBytes(view, offset, lengthBytes, hash) !== 0) reader.refuse('an id is there twice')
  ids.addBytes(view, offset, lengthBytes)
}

/** Returns the sum of the versions. */
function readSlab(reader: SnapshotReader, store: AggregateStore, streams: number): number {
  const { slab, strideBytes } = store
  let versions = 0
  for (let slot = 1; slot <= streams; ) {
    reader.next(SLAB_CHUNK, store.index, 0, slot)
    const { entries, payloadBytes } = reader
    const isWhole = payloadBytes === entries * strideBytes
    if (!isWhole || entries === 0 || slot + entries > streams + 1) {
      reader.refuse('it has another number of slots')
    }
    const offset = reader.take(payloadBytes)
    const target = new Uint8Array(slab.buffer, slot * strideBytes, payloadBytes)
    target.set(reader.bytes.subarray(offset, offset + payloadBytes))
    for (const end = slot + entries; slot < end; slot++) {
      if (store.isPending(slot)) reader.refuse('a stream is in the middle of a command')
      versions += store.version(slot)
    }
  }
  return versions
}

function readColumns(
  reader: SnapshotReader,
  runtime: DomainRuntime,
  store: RecordStore,
  streams: number,
): void {
  const { variableFields } = stateLayoutOf(runtime.domain, store.index)
  store.columns.forEach((column, index) => {
    const { storage = 'any', bytesMax = 0 } = variableFields[index] ?? {}
    reader.nextEntries(COLUMN_CHUNK, store.index, index, streams, (slot) => {
      const { bytes } = reader
      const lengthBytes = reader.view.getUint32(reader.take(4), true)
      if (lengthBytes === NO_VALUE && storage === 'any') return
      if (lengthBytes > bytesMax) reader.refuse('a value is longer than its field allows')
      const start = reader.take(lengthBytes)
      const end = start + lengthBytes
      if (storage === 'any') {
        const damage = plainDamage(bytes, start, end)
        if (damage !== undefined) reader.refuse(`a value has ${damage}`)
        column.set(slot, Buffer.from(bytes.subarray(start, end)))
      } else if (lengthBytes === 0) return
      else if (storage === 'bytes') column.set(slot, Uint8Array.from(bytes.subarray(start, end)))
      else if (isText(bytes, start, end)) column.set(slot, readText(bytes, start, end))
      else reader.refuse('a value is no text')
    })
  })
}

function readObjects(reader: SnapshotReader, store: ObjectStore, streams: number): void {
  reader.nextEntries(OBJECTS_CHUNK, store.index, 0, streams, (slot) => {
    const lengthBytes = reader.view.getUint32(reader.take(4), true)
    if ((lengthBytes === NO_VALUE) !== (store.version(slot) === 0)) {
      reader.refuse('a stream has state without events, or events without state')
    }
    if (lengthBytes === NO_VALUE) return
    if (lengthBytes > PLAIN_BYTES_MAX) reader.refuse('a state is larger than any can be')
    const start = reader.take(lengthBytes)
    const data = decodePlainData(reader.bytes.subarray(start, start + lengthBytes))
    try {
      store.restoreState(slot, data)
    } catch (error) {
      reader.refuse(`restore of ${store.name} has failed (${causeOf(error)})`)
    }
  })
}

function readKeys(reader: SnapshotReader, runtime: DomainRuntime): void {
  const { keys } = runtime
  const { header, view, bytes } = reader
  let timeBefore = 0
  reader.nextEntries(KEYS_CHUNK, 0, 0, header.keys, () => {
    const at = reader.take(KEY_HEADER_BYTES)
    const keyBytes = view.getUint16(at + KEY_KEY_BYTES, true)
    const codeBytes = view.getUint16(at + KEY_CODE_BYTES, true)
    const detailBytes = view.getUint32(at + KEY_DETAIL_BYTES, true)
    const key = reader.take(keyBytes)
    const code = reader.take(codeBytes)
    const detail = reader.take(detailBytes)
    const timeUs = getU64(view, at + KEY_TIME)
    const sequence = getU64(view, at + KEY_SEQUENCE)
    const isPossible =
      keyBytes <= KEY_BYTES_MAX &&
      timeUs >= timeBefore &&
      timeUs <= header.timeUs &&
      sequence <= header.sequence &&
      isText(bytes, code, detail)
    if (!isPossible) reader.refuse('it has a key that no writer gives')
    timeBefore = timeUs
    const low = view.getUint32(at + KEY_CONTENT_LOW, true)
    const high = view.getUint32(at + KEY_CONTENT_HIGH, true)
    if (view.getUint32(at + KEY_ACCEPTED, true) === 0) {
      const text = readText(bytes, code, detail)
      const details = bytes.subarray(detail, detail + detailBytes)
      keys.addRejected(view, key, keyBytes, low, high, sequence, timeUs, text, details)
    } else {
      const eventCount = view.getUint32(at + KEY_EVENT_COUNT, true)
      keys.addAccepted(view, key, keyBytes, low, high, sequence, eventCount, timeUs)
    }
  })
  let held = 0
  for (const _ of keys.entries(header.timeUs)) held++
  if (held !== header.keys) reader.refuse('it has keys that are not remembered')
}
