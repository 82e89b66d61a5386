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
  const input = new HashInput()
  const visitPiece = (piece: StatePiece): void => visit(piece, input.flushed())
  input.number(runtime.sequence)
  for (const store of runtime.stores) {
    input.plain(store.name)
    input.number(store.ids.count)
    hashIds(input, store)
    visitPiece({ storeIndex: store.index, firstSlot: 0 })
    if (store instanceof RecordStore) hashRecords(input, store, visitPiece)
    else if (store instanceof ObjectStore) hashObjects(input, store, visitPiece)
  }
  hashKeys(input, runtime)
  visitPiece({ storeIndex: -1, firstSlot: 0 })
  return input.flushed().digest('hex')
}

/** The part of one stream in it: id, version and state. Slow: for finding what differs. */
export function hashStream(store: AggregateStore, slot: number): string {
  const input = new HashInput()
  const { slab, strideBytes, ids } = store
  const id = new DataView(new ArrayBuffer(ID_BYTES_MAX))
  const idBytes = ids.writeIdBytes(slot, id, 0)
  input.bytes(new Uint8Array(id.buffer, 0, idBytes))
  if (store instanceof RecordStore) {
    input.raw(new Uint8Array(slab.buffer, slot * strideBytes, strideBytes))
    for (const column of store.columns) input.plain(column.get(slot))
  } else if (store instanceof ObjectStore) {
    hashObject(input, store, slot)
  }
  return input.flushed().digest('hex')
}

const PIECE_BYTES = 64 * 1024
const NUMBER_BYTES = 8

/**
 * What is hashed, gathered until it is worth a call: one for each number and each short text took ten
 * times as long as hashing them.
 */
class HashInput {
  private readonly hash = createHash('sha256')
  private readonly piece = new Uint8Array(PIECE_BYTES)
  private readonly view = new DataView(this.piece.buffer)
  private used = 0

  /** Everything so far is in it. */
  flushed(): Hash {
    this.hash.update(this.piece.subarray(0, this.used))
    this.used = 0
    return this.hash
  }

  number(value: number): void {
    this.view.setFloat64(this.room(NUMBER_BYTES), value, true)
  }

  /** With their length before them. */
  bytes(bytes: Uint8Array): void {
    this.number(bytes.length)
    this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length > PIECE_BYTES) this.flushed().update(bytes)
    else this.piece.set(bytes, this.room(bytes.length))
  }

  /** @param what is named where the value is no plain data */
  plain(value: unknown, what = 'a stream'): void {
    if (value === undefined) return this.number(-1)
    if (value instanceof Uint8Array) return this.bytes(value)
    const packed = packPlain(value)
    if (typeof packed === 'string') {
      throw new TidewheelError(
        'INVALID_DOMAIN',
        `the state of ${what} cannot be saved: it must be ${packed}; give object({ snapshot, restore })`,
      )
    }
    this.bytes(packed)
  }

  /** An id as in a STREAM_OPENED record: its length in two bytes, then its bytes. */
  id({ ids }: AggregateStore, slot: number): void {
    const at = this.room(ID_LENGTH_BYTES + ID_BYTES_MAX)
    const lengthBytes = ids.writeIdBytes(slot, this.view, at + ID_LENGTH_BYTES)
    this.view.setUint16(at, lengthBytes, true)
    this.used = at + ID_LENGTH_BYTES + lengthBytes
  }

  /** Offset of so many bytes, which then are taken. */
  private room(lengthBytes: number): number {
    if (this.used + lengthBytes > PIECE_BYTES) this.flushed()
    const at = this.used
    this.used += lengthBytes
    return at
  }
}

const ID_LENGTH_BYTES = 2

function hashIds(input: HashInput, store: AggregateStore): void {
  for (let slot = 1; slot <= store.ids.count; slot++) input.id(store, slot)
}

function hashRecords(
  input: HashInput,
  store: RecordStore,
  visit: (piece: StatePiece) => void,
): void {
  const { slab, strideBytes, columns } = store
  eachPiece(store, visit, (first, end) => {
    const start = first * strideBytes
    input.raw(new Uint8Array(slab.buffer, start, end * strideBytes - start))
  })
  for (const column of columns) {
    eachPiece(store, visit, (first, end) => {
      for (let slot = first; slot < end; slot++) input.plain(column.get(slot))
    })
  }
}

function hashObjects(
  input: HashInput,
  store: ObjectStore,
  visit: (piece: StatePiece) => void,
): void {
  eachPiece(store, visit, (first, end) => {
    for (let slot = first; slot < end; slot++) hashObject(input, store, slot)
  })
}

function eachPiece(
  { ids, index: storeIndex }: AggregateStore,
  visit: (piece: StatePiece) => void,
  hashSlots: (first: number, end: number) => void,
): void {
  for (let firstSlot = 1; firstSlot <= ids.count; firstSlot += STREAMS_A_PIECE) {
    hashSlots(firstSlot, Math.min(firstSlot + STREAMS_A_PIECE, ids.count + 1))
    visit({ storeIndex, firstSlot })
  }
}

function ignorePiece(): void {}

function hashObject(input: HashInput, store: ObjectStore, slot: number): void {
  input.number(store.version(slot))
  input.plain(sorted(store.snapshotOf(slot)), `${store.name} ${String(store.ids.idOf(slot))}`)
}

function hashKeys(input: HashInput, runtime: DomainRuntime): void {
  const { keys } = runtime
  input.number(keys.window.countMax)
  input.number(keys.window.ageMaxUs)
  for (const entry of keys.entries(runtime.latestUs)) {
    input.bytes(keys.keyOf(entry))
    input.number(keys.contentLowOf(entry))
    input.number(keys.contentHighOf(entry))
    input.number(keys.sequenceOf(entry))
    input.number(keys.eventCountOf(entry))
    input.number(keys.timeOf(entry))
    input.plain(keys.codeOf(entry))
    input.bytes(keys.detailOf(entry))
  }
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
