/**
 * The digest of a state: SHA-256 over everything that commands can depend on, in one canonical
 * order, so that a live, a replayed and a restored state compare equal exactly when they are.
 *
 * Hashed, in order: the sequence; of each aggregate in order of declaration its name and number of
 * streams, their ids, and their versions and states, each in slot order; the window of idempotency
 * keys, and of each key that it shows its entry. Lengths precede bytes, so that no two states give the same input.
 */
import { createHash, type Hash } from 'node:crypto'
import { TidewheelError } from '../journal/errors.js'
import { ID_BYTES_MAX } from '../journal/record-layout.js'
import { packPlain } from '../journal/schema/plain-data.js'
import type { AggregateStore } from './aggregate-store.js'
import type { DomainRuntime } from './domain-runtime.js'
import { ObjectStore } from './object-store.js'
import { RecordStore } from './record-store.js'

/** A part of the state that is hashed at once. */
export interface StatePiece {
  /** −1: the idempotency keys. */
  readonly storeIndex: number
  /** Of at most {@link STREAMS_A_PIECE} streams; 0: the ids of all. */
  readonly firstSlot: number
}

/** Called after each piece, with the hash of everything up to its end. */
export type PieceVisitor = (piece: StatePiece, hash: Hash) => void

export const STREAMS_A_PIECE = 1024

export function stateDigest(runtime: DomainRuntime, visit: PieceVisitor = ignorePiece): string {
  const hash = createHash('sha256')
  hashNumber(hash, runtime.sequence)
  for (const store of runtime.stores) {
    hashPlain(hash, store.name)
    hashNumber(hash, store.ids.count)
    hashIds(hash, store)
    visit({ storeIndex: store.index, firstSlot: 0 }, hash)
    if (store instanceof RecordStore) hashRecords(hash, store, visit)
    else if (store instanceof ObjectStore) hashObjects(hash, store, visit)
  }
  hashKeys(hash, runtime)
  visit({ storeIndex: -1, firstSlot: 0 }, hash)
  return hash.digest('hex')
}

/** The part of one stream in it: id, version and state. Slow: for finding what differs. */
export function hashStream(store: AggregateStore, slot: number): string {
  const hash = createHash('sha256')
  const { slab, strideBytes, ids } = store
  const id = new DataView(new ArrayBuffer(ID_BYTES_MAX))
  const idBytes = ids.writeIdBytes(slot, id, 0)
  hashBytes(hash, new Uint8Array(id.buffer, 0, idBytes))
  if (store instanceof RecordStore) {
    hash.update(new Uint8Array(slab.buffer, slot * strideBytes, strideBytes))
    for (const column of store.columns) hashPlain(hash, column.get(slot))
  } else if (store instanceof ObjectStore) {
    hashObject(hash, store, slot)
  }
  return hash.digest('hex')
}

const PIECE_BYTES = 64 * 1024

/** Each id as in a STREAM_OPENED record: its length in two bytes, then its bytes. */
function hashIds(hash: Hash, store: AggregateStore): void {
  const { ids } = store
  const piece = new Uint8Array(PIECE_BYTES)
  const view = new DataView(piece.buffer)
  let used = 0
  for (let slot = 1; slot <= ids.count; slot++) {
    if (used + ID_LENGTH_BYTES + ID_BYTES_MAX > PIECE_BYTES) {
      hash.update(piece.subarray(0, used))
      used = 0
    }
    const lengthBytes = ids.writeIdBytes(slot, view, used + ID_LENGTH_BYTES)
    view.setUint16(used, lengthBytes, true)
    used += ID_LENGTH_BYTES + lengthBytes
  }
  hash.update(piece.subarray(0, used))
}

const ID_LENGTH_BYTES = 2

function hashRecords(hash: Hash, store: RecordStore, visit: PieceVisitor): void {
  const { slab, strideBytes, columns } = store
  eachPiece(hash, store, visit, (first, end) => {
    const start = first * strideBytes
    hash.update(new Uint8Array(slab.buffer, start, end * strideBytes - start))
  })
  for (const column of columns) {
    eachPiece(hash, store, visit, (first, end) => {
      for (let slot = first; slot < end; slot++) hashPlain(hash, column.get(slot))
    })
  }
}

function hashObjects(hash: Hash, store: ObjectStore, visit: PieceVisitor): void {
  eachPiece(hash, store, visit, (first, end) => {
    for (let slot = first; slot < end; slot++) hashObject(hash, store, slot)
  })
}

function eachPiece(
  hash: Hash,
  { ids, index: storeIndex }: AggregateStore,
  visit: PieceVisitor,
  hashSlots: (first: number, end: number) => void,
): void {
  for (let firstSlot = 1; firstSlot <= ids.count; firstSlot += STREAMS_A_PIECE) {
    hashSlots(firstSlot, Math.min(firstSlot + STREAMS_A_PIECE, ids.count + 1))
    visit({ storeIndex, firstSlot }, hash)
  }
}

function ignorePiece(): void {}

function hashObject(hash: Hash, store: ObjectStore, slot: number): void {
  hashNumber(hash, store.version(slot))
  hashPlain(hash, sorted(store.snapshotOf(slot)), `${store.name} ${String(store.ids.idOf(slot))}`)
}

function hashKeys(hash: Hash, runtime: DomainRuntime): void {
  const { keys } = runtime
  hashNumber(hash, keys.window.countMax)
  hashNumber(hash, keys.window.ageMaxUs)
  for (const entry of keys.entries(runtime.latestUs)) {
    hashBytes(hash, keys.keyOf(entry))
    hashNumber(hash, keys.contentLowOf(entry))
    hashNumber(hash, keys.contentHighOf(entry))
    hashNumber(hash, keys.sequenceOf(entry))
    hashNumber(hash, keys.eventCountOf(entry))
    hashNumber(hash, keys.timeOf(entry))
    hashPlain(hash, keys.codeOf(entry))
    hashBytes(hash, keys.detailOf(entry))
  }
}

const number = new DataView(new ArrayBuffer(8))
// Node 24 does not hash a DataView, whatever its documentation says.
const numberBytes = new Uint8Array(number.buffer)

function hashNumber(hash: Hash, value: number): void {
  number.setFloat64(0, value, true)
  hash.update(numberBytes)
}

function hashBytes(hash: Hash, bytes: Uint8Array): void {
  hashNumber(hash, bytes.length)
  hash.update(bytes)
}

function hashPlain(hash: Hash, value: unknown, what = 'a stream'): void {
  if (value === undefined) return hashNumber(hash, -1)
  if (value instanceof Uint8Array) return hashBytes(hash, value)
  const packed = packPlain(value)
  if (typeof packed === 'string') {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `the state of ${what} cannot be saved: it must be ${packed}; give object({ snapshot, restore })`,
    )
  }
  hashBytes(hash, packed)
}

/**
 * Plain data with the members of objects in order of name: the order of insertion is not state. What
 * is no plain data stays as it is, and is refused when it is packed.
 */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]))
}
