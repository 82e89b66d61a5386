/**
 * A lane connects one producer with the processor: a ring of commands one way, a ring of receipts
 * the other way, and a doorbell for each side. Every producer has a lane of its own, so that one
 * that dies or lags does not hold up the others.
 *
 *   producer (command-port.ts) ── commands ──▶ processor
 *                              ◀── receipts ──
 */
import { createDoorbell, Doorbell } from '../journal/doorbell.js'
import { assert } from '../journal/errors.js'
import { COMMAND_BYTES_MAX } from './command-layout.js'
import { RECEIPT_BYTES_MAX } from './receipt-layout.js'
import {
  type ByteRingMemory,
  createByteRing,
  RingConsumer,
  RingProducer,
} from './ring/byte-ring.js'

/** Room for about 100,000 small commands. */
const COMMAND_RING_BYTES = 4 * 1024 * 1024
const RECEIPT_RING_BYTES = 4 * 1024 * 1024

/** What travels to the producer's thread. */
export interface LaneMemory {
  readonly commands: ByteRingMemory
  readonly receipts: ByteRingMemory
  readonly producerDoorbell: SharedArrayBuffer
  readonly processorDoorbell: SharedArrayBuffer
  readonly status: SharedArrayBuffer
}

export function createLaneMemory(
  processorDoorbell: SharedArrayBuffer,
  status: SharedArrayBuffer,
): LaneMemory {
  return {
    commands: createByteRing(COMMAND_RING_BYTES),
    receipts: createByteRing(RECEIPT_RING_BYTES),
    producerDoorbell: createDoorbell(),
    processorDoorbell,
    status,
  }
}

assert(COMMAND_BYTES_MAX * 2 <= COMMAND_RING_BYTES, 'a command fits in half a ring')

/** The processor's end. */
export class Lane {
  readonly commands: RingConsumer
  readonly receipts: RingProducer
  readonly producerDoorbell: Doorbell
  /** Commands taken so far: the ticket of the last one. */
  tickets = 0
  /** Set when the producer wrote something that is not a command: it is never read again. */
  condemned: string | undefined
  /** The producer is gone: drop the lane when nothing is left in it. */
  isAbandoned = false

  constructor(memory: LaneMemory) {
    this.commands = new RingConsumer(memory.commands)
    this.receipts = new RingProducer(memory.receipts)
    this.producerDoorbell = new Doorbell(memory.producerDoorbell)
  }

  get isDrained(): boolean {
    return this.condemned !== undefined || !this.commands.refresh()
  }

  /** Whether the receipts of a batch of `commandCount` commands have room, whatever they say. */
  hasRoomForReceipts(commandCount: number): boolean {
    // Nobody reads the receipts of a producer that is gone.
    if (this.isAbandoned) this.receipts.reclaim()
    return (
      this.receipts.claimed + commandCount * RECEIPT_BYTES_MAX + RECEIPT_BYTES_MAX <=
      this.receipts.consumedPosition() + this.receipts.capacity
    )
  }
}
