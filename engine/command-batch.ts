/**
 * One batch of commands: copied out of a lane's ring, so that its producer cannot change what was
 * checked, and swept over twice before any of them runs (see processor.ts).
 */

import { alignWord } from '../journal/layout.js'
import { KEY_BYTES_MAX } from '../journal/record-layout.js'
import { bytesOver } from '../journal/schema/text-bytes.js'
import {
  COMMAND_BYTES_MAX,
  COMMAND_HEADER_BYTES,
  COMMAND_KEY_BYTES,
  COMMAND_PAYLOAD_BYTES,
  COMMAND_RESERVED,
  COMMAND_TYPE,
} from './command-layout.js'
import type { CommandRuntime, DomainRuntime } from './domain-runtime.js'
import type { Lane } from './lane.js'
import { CORRUPT, EMPTY } from './ring/byte-ring.js'

export const BATCH_COMMANDS_MAX = 256
const BATCH_BYTES = 64 * 1024
const REFERENCES_INITIAL = BATCH_COMMANDS_MAX * 4

export class CommandBatch {
  readonly view: DataView
  readonly bytes: Uint8Array
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
  /** Index of a command's first reference in `slots`. */
  readonly firstReferences = new Int32Array(BATCH_COMMANDS_MAX)
  /** Of each reference: what the sweep found, 0 for none. Advice only. */
  slots = new Int32Array(REFERENCES_INITIAL)

  private hashes = new Int32Array(REFERENCES_INITIAL)
  private readonly starts = new Int32Array(BATCH_COMMANDS_MAX)
  private readonly lengths = new Int32Array(BATCH_COMMANDS_MAX)
  private readonly problems: string[] = new Array(BATCH_COMMANDS_MAX).fill('')
  private readonly runtime: DomainRuntime
  /** Keeps the touching sweeps from being optimised away. */
  private sink = 0

  constructor(runtime: DomainRuntime) {
    const memory = new ArrayBuffer(BATCH_BYTES + COMMAND_BYTES_MAX)
    this.view = new DataView(memory)
    this.bytes = bytesOver(this.view)
    this.runtime = runtime
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
    let count = 0
    let end = 0
    while (count < BATCH_COMMANDS_MAX && end < BATCH_BYTES) {
      const offset = ring.next()
      if (offset === EMPTY) break
      if (offset === CORRUPT || ring.lengthBytes > COMMAND_BYTES_MAX) {
        lane.condemned = 'its command ring holds something that is not a record'
        break
      }
      const { lengthBytes } = ring
      copyWords(ring.view, offset, this.view, end, lengthBytes)
      this.starts[count] = end
      this.lengths[count] = lengthBytes
      end += lengthBytes
      count++
    }
    ring.release()
    this.count = count
    this.next = 0
    return count > 0
  }

  /** Both sweeps. */
  sweep(): void {
    this.sweepIds()
    this.sweepSlots()
  }

  /** Sweep 1: checks the bytes, hashes the ids, touches their buckets. */
  private sweepIds(): void {
    const { view, count, runtime } = this
    let references = 0
    let sink = 0
    for (let i = 0; i < count; i++) {
      const command = this.locate(i)
      this.commands[i] = command
      this.firstReferences[i] = references
      if (command === undefined) continue
      const payload = this.payloads[i]!
      const { extents } = command
      if (references + extents.length > this.hashes.length) this.growReferences()
      for (let r = 0; r < extents.length; r++) {
        const extent = extents[r]!
        extent.locate(view, payload)
        const { ids } = runtime.stores[extent.aggregateIndex]!
        const hash = ids.hashBytes(view, extent.offset, extent.lengthBytes)
        sink += ids.touch(hash)
        this.hashes[references++] = hash
      }
    }
    this.sink = sink
  }

  /** Sweep 2: resolves the slots, touches their state. */
  private sweepSlots(): void {
    const { view, count, runtime, hashes, slots } = this
    let sink = 0
    for (let i = 0; i < count; i++) {
      const command = this.commands[i]
      if (command === undefined) continue
      const { extents } = command
      const first = this.firstReferences[i]!
      for (let r = 0; r < extents.length; r++) {
        const extent = extents[r]!
        extent.locate(view, this.payloads[i]!)
        const store = runtime.stores[extent.aggregateIndex]!
        const hash = hashes[first + r]!
        const slot = store.ids.findBytes(view, extent.offset, extent.lengthBytes, hash)
        slots[first + r] = slot
        sink += store.version(slot)
      }
    }
    this.sink += sink
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

  private growReferences(): void {
    const slots = new Int32Array(this.slots.length * 2)
    const hashes = new Int32Array(slots.length)
    slots.set(this.slots)
    hashes.set(this.hashes)
    this.slots = slots
    this.hashes = hashes
  }
}

/** Records are whole words and short: a loop is faster than a typed array's `set`. */
function copyWords(
  from: DataView,
  fromOffset: number,
  to: DataView,
  toOffset: number,
  lengthBytes: number,
): void {
  for (let i = 0; i < lengthBytes; i += 4) {
    to.setInt32(toOffset + i, from.getInt32(fromOffset + i, true), true)
  }
}
