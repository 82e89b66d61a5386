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
    return Atomics.load(this.cells, STATUS) === STOP_REQUESTED
  }

  get hasStopped(): boolean {
    return Atomics.load(this.cells, STATUS) === STOPPED
  }

  get hasFailed(): boolean {
    return Atomics.load(this.cells, STATUS) === FAILED
  }

  /** Owner. What was published before is drained: the thread reads the ring after this cell. */
  requestStop(): void {
    Atomics.compareExchange(this.cells, STATUS, RUNNING, STOP_REQUESTED)
  }

  /** The thread, as the last thing it does. */
  setStopped(): void {
    Atomics.store(this.cells, STATUS, STOPPED)
  }

  /** The thread, or its owner when it has died. */
  setFailed(): void {
    Atomics.store(this.cells, STATUS, FAILED)
  }
}
