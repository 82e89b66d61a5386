/**
 * A lane connects one producer with the processor: a ring of commands one way, a ring of receipts
 * the other way, a doorbell for each side, and a word that says how the engine is. Every producer
 * has a lane of its own and no other memory, so that one that dies, lags, or writes where it should
 * not does not hold up the others.
 *
 *   producer (command-port.ts) ── commands ──▶ processor
 *                              ◀── receipts, status ──
 */
import type { DiskShortage } from '../journal/disk-shortage.js'
import { createDoorbell, Doorbell } from '../journal/doorbell.js'
import { assert } from '../journal/errors.js'
import { BATCH_COMMANDS_MAX } from './command-batch.js'
import { COMMAND_BYTES_MAX } from './command-layout.js'
import { createEngineStatus, EngineStatus } from './engine-status.js'
import { RECEIPT_BYTES_MAX } from './receipt-layout.js'
import { ReceiptWriter } from './receipt-writer.js'
import {
  type ByteRingMemory,
  createByteRing,
  RingConsumer,
  RingProducer,
} from './ring/byte-ring.js'

/**
 * Room for about 25,000 small commands. Inline a ring holds a batch at most, but goes round through
 * all of its memory: with 4 MiB, which no second-level cache holds, transfers were 10 % slower.
 */
const COMMAND_RING_BYTES = 1024 * 1024
/** Room for two batches of the longest rejections. */
const RECEIPT_RING_BYTES = 4 * 1024 * 1024

/** What travels to the producer's thread. */
export interface LaneMemory {
  readonly commands: ByteRingMemory
  readonly receipts: ByteRingMemory
  readonly producerDoorbell: SharedArrayBuffer
  readonly processorDoorbell: SharedArrayBuffer
  readonly status: SharedArrayBuffer
}

export function createLaneMemory(): LaneMemory {
  return {
    commands: createByteRing(COMMAND_RING_BYTES),
    receipts: createByteRing(RECEIPT_RING_BYTES),
    producerDoorbell: createDoorbell(),
    processorDoorbell: createDoorbell(),
    status: createEngineStatus(),
  }
}

/** Tells the producer of a lane how the engine is. */
export function tellProducer({ status, producerDoorbell }: LaneMemory, engineStatus: number): void {
  new EngineStatus(status).set(engineStatus)
  new Doorbell(producerDoorbell).ring()
}

/** Tells the producer of a lane that the disk has no room, or has room again. */
export function tellRoom({ status }: LaneMemory, shortage: DiskShortage | undefined): void {
  // It need not be woken: it finds out at its next command.
  new EngineStatus(status).setRoom(shortage)
}

// `room()` waits until half of the ring is free: then there is room, wherever its end may be.
assert(COMMAND_BYTES_MAX * 4 <= COMMAND_RING_BYTES, 'a command and padding fit in half a ring')

/** The processor's end. */
export class Lane {
  readonly commands: RingConsumer
  readonly receipts: RingProducer
  /** Writes into `receipts`. */
  readonly answers: ReceiptWriter
  readonly producerDoorbell: Doorbell
  readonly processorDoorbell: Doorbell
  readonly memory: LaneMemory
  /** Of the engine's own port: what is published in it was checked, and nobody else has its memory. */
  readonly isOwn: boolean
  /** Commands taken so far: the ticket of the last one. */
  tickets = 0
  /** Set when the producer wrote something that is not a command: it is never read again. */
  condemned: string | undefined
  /** The producer is gone: drop the lane when nothing is left in it. */
  isAbandoned = false
  /** Once the engine closes: nothing behind it in the command ring was published before. */
  private lastPosition = Number.MAX_SAFE_INTEGER

  constructor(memory: LaneMemory, isOwn: boolean) {
    this.memory = memory
    this.isOwn = isOwn
    this.commands = new RingConsumer(memory.commands)
    this.receipts = new RingProducer(memory.receipts)
    this.answers = new ReceiptWriter(this.receipts)
    this.producerDoorbell = new Doorbell(memory.producerDoorbell)
    this.processorDoorbell = new Doorbell(memory.processorDoorbell)
  }

  get isDrained(): boolean {
    return this.condemned !== undefined || !this.commands.refresh()
  }

  /** The engine closes: what is published from here on need not be taken. */
  noteLastCommand(): void {
    // A ring holds no more; where its producer stands now is for the producer to say.
    this.lastPosition = this.commands.position + this.commands.capacity
  }

  get hasPassedLastCommand(): boolean {
    return this.commands.position >= this.lastPosition || this.isDrained
  }

  /** How many commands are left, on a lane that is not served any more: it takes them. */
  countCommands(): number {
    let count = 0
    while (this.commands.next() >= 0) count++
    return count
  }

  /** Whether the receipts of a batch have room, whatever they say. */
  hasRoomForReceipts(commandCount = BATCH_COMMANDS_MAX): boolean {
    // Nobody reads the receipts of a producer that is gone.
    if (this.isAbandoned) this.receipts.reclaim()
    return (
      this.receipts.claimed + commandCount * RECEIPT_BYTES_MAX + RECEIPT_BYTES_MAX <=
      this.receipts.consumedPosition() + this.receipts.capacity
    )
  }
}
