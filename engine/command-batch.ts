/**
 * One batch of commands, swept over before any of them runs (see processor.ts). Those of a producer
 * that is not trusted are copied out of its ring first, so that it cannot change what was checked.
 * Those of the engine's own producer, whose ring nobody else writes, are run where they lie: they
 * were checked when they were encoded, and their room is given back when the batch is done.
 *
 *   own lane     ring ─────────────────────────▶ gather ids ─▶ find, touch ─▶ run ─▶ release
 *   other lanes  ring ─▶ copy ─▶ release ─▶ check, gather ids ─▶ find, touch ─▶ run
 */

import type { Buffer } from 'node:buffer'
import { assert } from '../journal/errors.js'
import { KEY_BYTES_MAX } from '../journal/record-layout.js'
import { bytesOver, isText } from '../journal/schema/text-bytes.js'
import {
  COMMAND_BYTES_MAX,
  COMMAND_HEADER_BYTES,
  COMMAND_KEY_BYTES,
  COMMAND_PAYLOAD_BYTES,
  COMMAND_RESERVED,
  COMMAND_TYPE,
} from './command-layout.js'
import type { CommandRuntime } from './command-runtime.js'
import type { DomainRuntime } from './domain-runtime.js'
import type { Lane } from './lane.js'
import { IdLookup } from './memory/id-lookup.js'
import { CORRUPT, EMPTY, type RingConsumer } from './ring/byte-ring.js'

export const BATCH_COMMANDS_MAX = 256
const BATCH_BYTES = 64 * 1024
/** Of more, a copy in one call is cheaper, although it makes an object. */
const LOOPED_BYTES_MAX = 512

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const HEADER_BYTES = COMMAND_HEADER_BYTES
const TYPE = COMMAND_TYPE
const KEY_BYTES = COMMAND_KEY_BYTES
const PAYLOAD_BYTES = COMMAND_PAYLOAD_BYTES
const RESERVED = COMMAND_RESERVED
const BYTES_MAX = COMMAND_BYTES_MAX
const NOTHING_THERE = EMPTY
const NO_RECORD = CORRUPT

export class CommandBatch {
  /** Where the commands lie: in the engine's own ring, or copied. */
  view: DataView
  bytes: Buffer
  count = 0
  /** Index of the next command to run. */
  next = 0
  /** Undefined where the bytes are not a command of this domain. */
  readonly commands: (CommandRuntime | undefined)[] = new Array(BATCH_COMMANDS_MAX).fill(undefined)
  /** Offsets in `view`, and exact lengths. */
  readonly payloads = new Int32Array(BATCH_COMMANDS_MAX)
  readonly payloadBytes = new Int32Array(BATCH_COMMANDS_MAX)
  readonly keys = new Int32Array(BATCH_COMMANDS_MAX)
  readonly keyBytes = new Int32Array(BATCH_COMMANDS_MAX)
  readonly keyHashes = new Int32Array(BATCH_COMMANDS_MAX)

  /** Index in `places` of a command's first reference. */
  private readonly firstPlaces = new Int32Array(BATCH_COMMANDS_MAX)
  /** Of each reference to a hashed id: its index in the lookup of its aggregate. */
  private readonly places: Int32Array
  /** One an aggregate. */
  private readonly lookups: readonly IdLookup[]
  /** The hashes of the keys of a batch without gaps, for the sweep. */
  private readonly sweptHashes = new Int32Array(BATCH_COMMANDS_MAX)
  private keyCount = 0
  private readonly starts = new Int32Array(BATCH_COMMANDS_MAX)
  private readonly lengths = new Int32Array(BATCH_COMMANDS_MAX)
  private readonly problems: string[] = new Array(BATCH_COMMANDS_MAX).fill('')
  private readonly runtime: DomainRuntime
  private readonly copyView: DataView
  private readonly copyBytes: Buffer
  /** The ring that the commands still lie in; undefined: they were copied. */
  private ownRing: RingConsumer | undefined
  /** Keeps the touching loops from being optimised away. */
  touched = 0

  constructor(runtime: DomainRuntime) {
    // The last command may begin just before the limit.
    const memory = new ArrayBuffer(BATCH_BYTES + COMMAND_BYTES_MAX)
    this.copyView = new DataView(memory)
    this.copyBytes = bytesOver(this.copyView)
    this.view = this.copyView
    this.bytes = this.copyBytes
    this.runtime = runtime
    const most = (counts: number[]): number => BATCH_COMMANDS_MAX * Math.max(0, ...counts)
    this.places = new Int32Array(most(runtime.commands.map((each) => each.referenceCount)))
    this.lookups = runtime.stores.map(
      ({ index }) => new IdLookup(most(runtime.commands.map((each) => each.referencesTo(index)))),
    )
  }

  get isDone(): boolean {
    return this.next === this.count
  }

  drop(): void {
    this.next = this.count
  }

  problem(index: number): string {
    return this.problems[index]!
  }

  /** Takes what is there, up to the batch's limits; false: nothing. */
  take(lane: Lane): boolean {
    const ring = lane.commands
    if (lane.condemned !== undefined || !ring.refresh()) return false
    if (!lane.hasRoomForReceipts(BATCH_COMMANDS_MAX)) return false
    this.next = 0
    if (lane.isOwn) {
      this.takeOwn(ring)
    } else {
      this.ownRing = undefined
      this.view = this.copyView
      this.bytes = this.copyBytes
      this.takeCopy(lane)
      ring.release()
    }
    return this.count > 0
  }

  /** Nothing of the batch is read any more: its room in the ring is free. */
  release(): void {
    this.ownRing?.release()
  }

  private takeOwn(ring: RingConsumer): void {
    this.ownRing = ring
    this.view = ring.view
    this.bytes = ring.bytes
    const { starts } = this
    let bytes = 0
    let count = 0
    while (count < BATCH_COMMANDS_MAX && bytes < BATCH_BYTES) {
      const offset = ring.next()
      if (offset === NOTHING_THERE) break
      assert(offset !== NO_RECORD, 'the own ring holds records')
      starts[count++] = offset
      bytes += ring.lengthBytes
    }
    this.count = count
  }

  private takeCopy(lane: Lane): void {
    const ring = lane.commands
    const { starts, lengths } = this
    let takenBytes = 0
    let count = 0
    let first = 0
    let end = 0
    while (count < BATCH_COMMANDS_MAX && takenBytes + end - first < BATCH_BYTES) {
      const offset = ring.next()
      if (offset === NOTHING_THERE) break
      if (offset === NO_RECORD || ring.lengthBytes > BYTES_MAX) {
        lane.condemned = 'its command ring holds something that is not a record'
        break
      }
      // Behind the ring's end it goes on at its start: that part is copied first.
      if (offset < end) {
        this.copy(ring, first, end, 0)
        takenBytes = end - first
        first = offset
      } else if (count === 0) {
        first = offset
      }
      starts[count] = takenBytes + offset - first
      lengths[count++] = ring.lengthBytes
      end = offset + ring.lengthBytes
    }
    if (count > 0) this.copy(ring, first, end, takenBytes)
    this.count = count
  }

  /** Finds the commands in the bytes, and looks all their references up together. */
  sweep(): void {
    const { view, count, commands, lookups, places, runtime } = this
    const isOwn = this.ownRing !== undefined
    for (let a = 0; a < lookups.length; a++) lookups[a]!.count = 0
    this.keyCount = 0
    let place = 0
    for (let i = 0; i < count; i++) {
      const command = isOwn ? this.locateOwn(i) : this.check(i)
      commands[i] = command
      this.firstPlaces[i] = place
      if (command === undefined) continue
      command.gather(view, this.payloads[i]!, lookups, places, place)
      place += command.referenceCount
    }
    const { keyCount, sweptHashes } = this
    let touched = keyCount === 0 ? 0 : runtime.keys.touchMany(sweptHashes, keyCount)
    for (let a = 0; a < lookups.length; a++) {
      const lookup = lookups[a]!
      if (lookup.count === 0) continue
      const store = runtime.stores[a]!
      touched |= store.ids.findMany(view, lookup)
      touched |= store.touchMany(lookup.slots, lookup.count)
    }
    this.touched = touched
  }

  /**
   * What the sweep found for a reference of a command, by its ordinal: a slot, or 0. Advice only,
   * since an earlier command of the batch may have opened the stream meanwhile.
   */
  slotOf(index: number, aggregateIndex: number, ordinal: number): number {
    const place = this.places[this.firstPlaces[index]! + ordinal]!
    return this.lookups[aggregateIndex]!.slots[place]!
  }

  /** As {@link locate}, of a command that {@link CommandPort} has checked and nobody could change. */
  private locateOwn(index: number): CommandRuntime {
    const { view } = this
    const start = this.starts[index]!
    const keyBytes = view.getUint16(start + KEY_BYTES, true)
    this.keyBytes[index] = keyBytes
    this.payloads[index] = start + HEADER_BYTES + ((keyBytes + 7) & ~7)
    this.payloadBytes[index] = view.getUint32(start + PAYLOAD_BYTES, true)
    if (keyBytes !== 0) this.noteKey(index, start + HEADER_BYTES, keyBytes)
    return this.runtime.commands[view.getUint16(start + TYPE, true) - 1]!
  }

  /** The command, whose bytes are one; undefined, with a problem, if they are not. */
  private check(index: number): CommandRuntime | undefined {
    const command = this.locate(index)
    if (command === undefined) return undefined
    const lengthBytes = this.payloadBytes[index]!
    const damage = command.codec.check(this.view, this.payloads[index]!, lengthBytes)
    return damage === undefined ? command : this.refuse(index, damage)
  }

  /** Which command this is, and where its parts lie; undefined, with a problem, if it is none. */
  private locate(index: number): CommandRuntime | undefined {
    const { view } = this
    const start = this.starts[index]!
    const lengthBytes = this.lengths[index]!
    if (lengthBytes < HEADER_BYTES) return this.refuse(index, 'shorter than its header')
    const command = this.runtime.commands[view.getUint16(start + TYPE, true) - 1]
    if (command === undefined) return this.refuse(index, 'of a type that the domain does not have')
    const keyBytes = view.getUint16(start + KEY_BYTES, true)
    const payloadBytes = view.getUint32(start + PAYLOAD_BYTES, true)
    const payload = start + HEADER_BYTES + ((keyBytes + 7) & ~7)
    // Compared before it is rounded up, which a length near 2³² would not survive.
    if (payloadBytes > BYTES_MAX || payload + ((payloadBytes + 7) & ~7) !== start + lengthBytes) {
      return this.refuse(index, 'not as long as its parts')
    }
    if (view.getUint32(start + RESERVED, true) !== 0) return this.refuse(index, 'in a newer form')
    this.keyBytes[index] = keyBytes
    this.payloads[index] = payload
    this.payloadBytes[index] = payloadBytes
    if (keyBytes === 0) return command
    const key = start + HEADER_BYTES
    if (keyBytes > KEY_BYTES_MAX) return this.refuse(index, 'with a key that is too long')
    if (!isText(this.bytes, key, key + keyBytes)) {
      return this.refuse(index, 'with a key that is not well-formed text')
    }
    this.noteKey(index, key, keyBytes)
    return command
  }

  private noteKey(index: number, key: number, keyBytes: number): void {
    const hash = this.runtime.keys.hashBytes(this.view, key, keyBytes)
    this.keys[index] = key
    this.keyHashes[index] = hash
    this.sweptHashes[this.keyCount++] = hash
  }

  private refuse(index: number, problem: string): undefined {
    this.problems[index] = problem
    this.keyBytes[index] = 0
    return undefined
  }

  /** Whole words, as all that lies in a ring. */
  private copy(ring: RingConsumer, start: number, end: number, to: number): void {
    if (end - start > LOOPED_BYTES_MAX) {
      this.copyBytes.set(ring.bytes.subarray(start, end), to)
      return
    }
    const view = this.copyView
    const shift = to - start
    for (let at = start; at < end; at += 8) {
      view.setInt32(at + shift, ring.view.getInt32(at, true), true)
      view.setInt32(at + shift + 4, ring.view.getInt32(at + 4, true), true)
    }
  }
}
