/**
 * The words by which an engine tells one producer whether its commands are still taken. Every lane
 * has its own: the engine writes it, the producer reads it, and the engine never believes it.
 */

import type { DiskShortage } from '../journal/disk-shortage.js'

export const ENGINE_RUNNING = 0
/** No commands are taken until the disk has room; what was taken is still answered. */
export const ENGINE_DISK_FULL = 1
/** No more commands are taken; what was taken is still answered. */
export const ENGINE_CLOSING = 2
/** The ends: nothing is answered any more. */
export const ENGINE_CLOSED = 3
export const ENGINE_FAILED = 4
/** Of this producer alone: something has written over its memory. */
export const PRODUCER_CONDEMNED = 5

// Cells.
const STATUS = 0
/** Of the latest ENGINE_DISK_FULL, in KiB. */
const FREE_KIB = 1
const NEEDED_KIB = 2
/** Written by the producer alone. */
const CONNECTED = 3
const STATUS_BYTES = 4 * Int32Array.BYTES_PER_ELEMENT
/** What a cell can hold: 2 TiB. */
const KIB_MAX = 2 ** 31 - 1

export function createEngineStatus(): SharedArrayBuffer {
  return new SharedArrayBuffer(STATUS_BYTES)
}

export class EngineStatus {
  private readonly cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory)
  }

  get(): number {
    // Pairs with the exchanges in set and setRoom: what was published before them is visible.
    return Atomics.load(this.cells, STATUS)
  }

  /**
   * Asked for each command, so a plain load: V8 does not inline `Atomics.load`, whose call was 1 %
   * of a profile. It misses no more than an end that comes right after it.
   */
  get isRunning(): boolean {
    return this.cells[STATUS] === ENGINE_RUNNING
  }

  /** Whether nothing will be answered any more. */
  get hasEnded(): boolean {
    return this.get() >= ENGINE_CLOSED
  }

  /** Goes on to a later status; the first end that was reached stays. */
  set(status: number): void {
    // Upwards, one try each: whoever else writes here cannot keep this thread in a loop.
    for (let known = ENGINE_RUNNING; known < status && known < ENGINE_CLOSED; known++) {
      // Publishes all that was written before; pairs with the load in get.
      if (Atomics.compareExchange(this.cells, STATUS, known, status) === known) return
    }
  }

  /** The disk has no room, or has room again; an engine that ends goes on with that. */
  setRoom(shortage: DiskShortage | undefined): void {
    if (shortage === undefined) {
      // Publishes that commands are taken again, to the loads in get and isRunning.
      Atomics.compareExchange(this.cells, STATUS, ENGINE_DISK_FULL, ENGINE_RUNNING)
      return
    }
    this.cells[FREE_KIB] = kib(shortage.freeBytes)
    this.cells[NEEDED_KIB] = kib(shortage.neededBytes)
    this.set(ENGINE_DISK_FULL)
  }

  /** By the producer: true once, for the one that may use the lane. */
  connect(): boolean {
    // Publishes nothing: it decides between those that were given the same handle.
    return Atomics.compareExchange(this.cells, CONNECTED, 0, 1) === 0
  }

  /** What {@link setRoom} was told last. */
  get shortage(): DiskShortage {
    const { cells } = this
    return { freeBytes: cells[FREE_KIB]! * 1024, neededBytes: cells[NEEDED_KIB]! * 1024 }
  }
}

function kib(bytes: number): number {
  return Math.min(Math.floor(bytes / 1024), KIB_MAX)
}
