/**
 * The ids of one aggregate: id → slot and slot → id. Slots count 1, 2, 3 … in the order of `add`,
 * and depend on nothing else; slot 0 means none.
 *
 * Each id type has an implementation of its own, in flat memory that grows in small steps:
 *
 *   u32   direct table where ids are dense, hash index elsewhere   u32-id-index.ts
 *   u64   the same for ids below 2³², wide hash index elsewhere    u64-id-index.ts
 *   uuid  hash index → slot                                        uuid-id-index.ts
 *   text  hash index → text with its slot                          text-id-index.ts
 *
 * The methods that end in `Bytes` do the same on ids as they lie in commands and in STREAM_OPENED
 * records (text UTF-8, u32 and u64 little-endian, 16 bytes of a UUID); no BigInt and no string is
 * made there. `findMany` looks up a batch in sweeps, so that its cache misses overlap:
 *
 *   for all:  hash = hashBytes(…)
 *   for all:  touchMany(hashes)
 *   for all:  slot = findBytes(…, hash)
 *
 * (A sweep between them that touches the ids behind the buckets of text and UUIDs gained nothing:
 * it mispredicts as often as it misses.)
 *
 * What an id may be is checked where it enters the engine. Here, a value that cannot be an id is
 * not found, and is refused with INVALID_ID when it is added. The empty text is an id like others.
 */
import type { IdType } from '../../journal/schema/id-type.js'
import type { IdLookup } from './id-lookup.js'
import { TextIdIndex } from './text-id-index.js'
import { U32IdIndex } from './u32-id-index.js'
import { U64IdIndex } from './u64-id-index.js'
import { UuidIdIndex } from './uuid-id-index.js'

export interface IdIndex<Id> {
  /** Number of ids, and the highest slot. */
  readonly count: number
  /** Bytes of memory reserved from the system; it gives them when they are touched. */
  readonly memoryBytes: number

  /** The id's slot, or 0. Changes nothing. */
  find(id: unknown): number
  /** Gives the next slot to an id that has none. @throws TidewheelError INVALID_ID, OUT_OF_MEMORY */
  add(id: unknown): number
  /** Undoes the latest `add` that was not undone yet. */
  removeLast(): void
  /** The id of a slot from 1 to `count`. */
  idOf(slot: number): Id

  /** For `touchMany` and `findBytes` of this index, also after it has changed; no result depends on it. */
  hashBytes(view: DataView, offset: number, lengthBytes: number): number
  /** Loads the first cache line of each lookup; returns something derived from them. */
  touchMany(hashes: Int32Array, count: number): number
  findBytes(view: DataView, offset: number, lengthBytes: number, hash: number): number
  /** Finds all ids of `lookup`; returns something derived from what it touched. */
  findMany(view: DataView, lookup: IdLookup): number
  addBytes(view: DataView, offset: number, lengthBytes: number): number
  idBytesOf(slot: number): number
  /** Writes the id of a slot at `offset` and returns its length. */
  writeIdBytes(slot: number, view: DataView, offset: number): number
}

/** What `idOf` gives, by type. */
export interface IdsByType {
  text: string
  u32: number
  u64: bigint
  uuid: string
}

/**
 * An empty index. `name` is for people, in errors; `seed` repeats the hashing of an earlier one, in
 * tests only.
 */
export function createIdIndex<T extends IdType>(
  idType: T,
  name = 'an aggregate',
  seed?: number,
): IdIndex<IdsByType[T]> {
  return create(idType, `the index of ids of ${name}`, seed) as IdIndex<unknown> as IdIndex<
    IdsByType[T]
  >
}

function create(idType: IdType, name: string, seed?: number): IdIndex<IdsByType[IdType]> {
  switch (idType) {
    case 'text':
      return new TextIdIndex(name, seed)
    case 'u32':
      return new U32IdIndex(name, seed)
    case 'u64':
      return new U64IdIndex(name, seed)
    case 'uuid':
      return new UuidIdIndex(name, seed)
  }
}
