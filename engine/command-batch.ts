/**
 * One batch of commands: copied out of a lane's ring, so that its producer cannot change what was
 * checked, and swept over before any of them runs (see processor.ts).
 */

import type { Buffer } from 'node:buffer'
import { alignWord } from '../journal/layout.js'
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
import { CORRUPT, EMPTY } from './ring/byte-ring.js'

export const BATCH_COMMANDS_MAX = 256
const BATCH_BYTES = 64 * 1024
const REFERENCES_INITIAL = BATCH_COMMANDS_MAX * 4

export class CommandBatch {
  readonly view: DataView
  readonly bytes: Buffer
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

  /** Index of a command's first reference in `places`. */
  private readonly firstReferences = new Int32Array(BATCH_COMMANDS_MAX)
  /** Of each reference to a hashed id: its index in the lookup of its aggregate. */
  private places = new Int32Array(REFERENCES_INITIAL)
  /** One an aggregate. */
  private readonly lookups: readonly IdLookup[]
  private readonly starts = new Int32Array(BATCH_COMMANDS_MAX)
  private readonly lengths = new Int32Array(BATCH_COMMANDS_MAX)
  private readonly problems: string[] = new Array(BATCH_COMMANDS_MAX).fill('')
  private readonly runtime: DomainRuntime
  /** Copied so far, while a batch is taken. */
  private takenBytes = 0
  /** Keeps the touching loops from being optimised away. */
  touched = 0

  constructor(runtime: DomainRuntime) {
    // The last command may begin just before the limit.
    const memory = new ArrayBuffer(BATCH_BYTES + COMMAND_BYTES_MAX)
    this.view = new DataView(memory)
    this.bytes = bytesOver(this.view)
    this.runtime = runtime
    this.lookups = runtime.stores.map(() => new IdLookup())
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

  /** Copies what is there, up to the batch's limits; false: nothing. */
  take(lane: Lane): boolean {
    const ring = lane.commands
    if (lane.condemned !== undefined || !ring.refresh()) return false
    if (!lane.hasRoomForReceipts(BATCH_COMMANDS_MAX)) return false
    const { starts, lengths } = this
    this.takenBytes = 0
    let count = 0
    let first = 0
    let end = 0
    while (count < BATCH_COMMANDS_MAX && this.takenBytes + end - first < BATCH_BYTES) {
      const offset = ring.next()
      if (offset === EMPTY) break
      if (offset === CORRUPT || ring.lengthBytes > COMMAND_BYTES_MAX) {
        lane.condemned = 'its command ring holds something that is not a record'
        break
      }
      // Behind the ring's end it goes on at its start: that part is copied first.
      if (offset < end) {
        this.copy(ring.bytes, first, end, 0)
        this.takenBytes = end - first
        first = offset
      } else if (count === 0) {
        first = offset
      }
      starts[count] = this.takenBytes + offset - first
      lengths[count++] = ring.lengthBytes
      end = offset + ring.lengthBytes
    }
    if (count > 0) this.copy(ring.bytes, first, end, this.takenBytes)
    ring.release()
    this.count = count
    this.next = 0
    return count > 0
  }

  /** Finds the commands in the bytes, and looks all their references up together. */
  sweep(): void {
    const { view, count, lookups, runtime } = this
    for (let a = 0; a < lookups.length; a++) lookups[a]!.clear()
    let references = 0
    for (let i = 0; i < count; i++) {
      const command = this.locate(i)
      this.commands[i] = command
      this.firstReferences[i] = references
      if (command === undefined) continue
      const payload = this.payloads[i]!
      while (references + command.referenceCount > this.places.length) this.growPlaces()
      command.gather(view, payload, lookups, this.places, references)
      references += command.referenceCount
    }
    let touched = 0
    for (let a = 0; a < lookups.length; a++) {
      const lookup = lookups[a]!
      if (lookup.count === 0) continue
      const store = runtime.stores[a]!
      touched += store.ids.findMany(view, lookup)
      touched += store.touchMany(lookup.slots, lookup.count)
    }
    this.touched = touched
  }

  /**
   * What the sweep found for a reference of a command, by its ordinal: a slot, or 0. Advice only,
   * since an earlier command of the batch may have opened the stream meanwhile.
   */
  slotOf(index: number, aggregateIndex: number, ordinal: number): number {
    const place = this.places[this.firstReferences[index]! + ordinal]!
    return this.lookups[aggregateIndex]!.slots[place]!
  }

  /** Which command this is, and where its parts lie; undefined, with a problem, if it is none. */
  private locate(index: number): CommandRuntime | undefined {
    const { view } = this
    const start = this.starts[index]!
    const lengthBytes = this.lengths[index]!
    if (lengthBytes < COMMAND_HEADER_BYTES) return this.refuse(index, 'shorter than its header')
    const command = this.runtime.commands[view.getUint16(start + COMMAND_TYPE, true) - 1]
    if (command === undefined) return this.refuse(index, 'of a type that the domain does not have')
    const keyBytes = view.getUint16(start + COMMAND_KEY_BYTES, true)
    const payloadBytes = view.getUint32(start + COMMAND_PAYLOAD_BYTES, true)
    const payload = start + COMMAND_HEADER_BYTES + alignWord(keyBytes)
    const end = payload - start + alignWord(payloadBytes)
    if (keyBytes > KEY_BYTES_MAX || payloadBytes > COMMAND_BYTES_MAX || end !== lengthBytes) {
      return this.refuse(index, 'not as long as its parts')
    }
    if (view.getUint32(start + COMMAND_RESERVED, true) !== 0) {
      return this.refuse(index, 'in a newer form')
    }
    const key = start + COMMAND_HEADER_BYTES
    if (keyBytes > 0 && !isText(this.bytes, key, key + keyBytes)) {
      return this.refuse(index, 'with a key that is not well-formed text')
    }
    const damage = command.codec.check(view, payload, payloadBytes)
    if (damage !== undefined) return this.refuse(index, damage)
    this.keys[index] = start + COMMAND_HEADER_BYTES
    this.keyBytes[index] = keyBytes
    this.payloads[index] = payload
    this.payloadBytes[index] = payloadBytes
    return command
  }

  private refuse(index: number, problem: string): undefined {
    this.problems[index] = problem
    this.keyBytes[index] = 0
    return undefined
  }

  private copy(from: Uint8Array, start: number, end: number, to: number): void {
    this.bytes.set(from.subarray(start, end), to)
  }

  private growPlaces(): void {
    const larger = new Int32Array(this.places.length * 2)
    larger.set(this.places)
    this.places = larger
  }
}
