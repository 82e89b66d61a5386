/**
 * How the journaler's thread fares: one shared cell, so that any thread can ask at the price of one
 * atomic load.
 *
 *   RUNNING ──▶ STOP_REQUESTED ──▶ STOPPED        all is drained, synced and sealed
 *      └───────────────┴─────────▶ FAILED         nothing more is released, ever
 */
import { CURSOR_STRIDE } from './cursor.js'

const RUNNING = 0
const STOP_REQUESTED = 1
const STOPPED = 2
const FAILED = 3
const STATUS = 0

export function createJournalerStatus(): SharedArrayBuffer {
  return new SharedArrayBuffer(CURSOR_STRIDE * Int32Array.BYTES_PER_ELEMENT)
}

export class JournalerStatus {
  private readonly cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory)
  }

  get isStopRequested(): boolean {
    // Pairs with the exchange in requestStop.
    return Atomics.load(this.cells, STATUS) === STOP_REQUESTED
  }

  get hasStopped(): boolean {
    // Pairs with the store in setStopped: all is sealed then.
    return Atomics.load(this.cells, STATUS) === STOPPED
  }

  get hasFailed(): boolean {
    // Pairs with the store in setFailed.
    return Atomics.load(this.cells, STATUS) === FAILED
  }

  /** Owner. What was published before is drained: the thread reads the ring after this cell. */
  requestStop(): void {
    // Publishes the request, to the load in isStopRequested; what has ended stays as it ended.
    Atomics.compareExchange(this.cells, STATUS, RUNNING, STOP_REQUESTED)
  }

  /** The thread, as the last thing it does. */
  setStopped(): void {
    // Publishes that all is drained, synced and sealed, to the load in hasStopped.
    Atomics.store(this.cells, STATUS, STOPPED)
  }

  /** The thread, or its owner when it has died. */
  setFailed(): void {
    // Publishes the failure, to the load in hasFailed.
    Atomics.store(this.cells, STATUS, FAILED)
  }
}
