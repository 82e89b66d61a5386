/**
 * What the journaler and the thread that prepares segments share: how far the current segment is
 * used, which segments are there, and who makes the next one.
 *
 *   journaler                                       preparer
 *   CONSUMED: 4 KiB units of the current segment ─▶ paces itself by it, waits on SIGNAL
 *   CURRENT: its segment number                  ─▶ prepares CURRENT + 1, no further
 *   take(n): PREPARED ≥ n? else settles n itself ◀─ PREPARED: highest number under its final name
 *                    SETTLED: highest number whose maker is decided (compare-and-exchange)
 *   SPARSE: number of the last sparse one        ─▶ counts what the current one has yet to allocate
 *   engine: takes no new commands                ◀─ SHORT_OF, FREE: the disk has no room for the next
 *
 * Only one of the two may give segment n its final name: who raises SETTLED from n − 1 to n. The
 * preparer does it when all is ready but the rename; the journaler when it finds that nothing is.
 *
 * Every access is sequentially consistent, so the order of the stores below is the order that the
 * other thread sees.
 */
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { CURSOR_STRIDE } from './cursor.js'
import type { DiskShortage } from './disk-shortage.js'

// Elements, each with cache lines of its own.
const CURRENT = 0
const CONSUMED = CURSOR_STRIDE
const SETTLED = 2 * CURSOR_STRIDE
const PREPARED = 3 * CURSOR_STRIDE
const SIGNAL = 4 * CURSOR_STRIDE
const PARKED = 5 * CURSOR_STRIDE
const STOP_REQUESTED = 6 * CURSOR_STRIDE
const ENDED = 7 * CURSOR_STRIDE
const SHORT_OF = 8 * CURSOR_STRIDE
/** Beside SHORT_OF, and written before it. */
const FREE = SHORT_OF + 1
const SPARSE = 9 * CURSOR_STRIDE
const PREPARATION_BYTES = 10 * CURSOR_STRIDE * Int32Array.BYTES_PER_ELEMENT

/** What a cell can hold, in units of 4 KiB: 8 TiB. */
const UNITS_MAX = 2 ** 31 - 1

/**
 * The preparer is woken after so much was consumed, not after each block: on two cores a wake-up
 * takes the core of a thread that has work (10 % of the journaler's time at 4,400 blocks a second).
 */
const SIGNAL_STEP_BYTES = 256 * 1024

/**
 * @param preparedSegment the highest one that is there under its final name, without a gap from the
 *   current one on: an earlier session may have left any number ready.
 */
export function createSegmentPreparation(
  currentSegment: number,
  consumedBytes: number,
  preparedSegment: number,
): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(PREPARATION_BYTES)
  const cells = new Int32Array(memory)
  cells[CURRENT] = currentSegment
  cells[CONSUMED] = consumedBytes / BLOCK_ALIGNMENT_BYTES
  cells[SETTLED] = preparedSegment
  cells[PREPARED] = preparedSegment
  return memory
}

export class SegmentPreparation {
  /** The journaler's: it wakes the preparer once a step. */
  private signalledStep = 0
  private readonly cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory)
  }

  get currentSegment(): number {
    // Pairs with the store in setCurrent.
    return Atomics.load(this.cells, CURRENT)
  }

  /** May belong to the segment before or after `currentSegment` for a moment: it only paces. */
  get consumedBytes(): number {
    // Pairs with the stores in setConsumed and setCurrent.
    return Atomics.load(this.cells, CONSUMED) * BLOCK_ALIGNMENT_BYTES
  }

  get preparedSegment(): number {
    // Pairs with the store in setPrepared: who sees the number finds the file under its final name.
    return Atomics.load(this.cells, PREPARED)
  }

  get settledSegment(): number {
    // Pairs with the exchange in settle.
    return Atomics.load(this.cells, SETTLED)
  }

  get isStopRequested(): boolean {
    // Pairs with the store in requestStop.
    return Atomics.load(this.cells, STOP_REQUESTED) === 1
  }

  /** No preparer is at work any more: nobody may be waited for. */
  get hasEnded(): boolean {
    // Pairs with the store in setEnded: all that the preparer did is visible then.
    return Atomics.load(this.cells, ENDED) === 1
  }

  /** Whether the current segment still takes room from the disk as it is filled. */
  get isCurrentSparse(): boolean {
    // Pairs with the store in setSparse.
    return Atomics.load(this.cells, SPARSE) === this.currentSegment
  }

  /** Journaler: before it goes on in a segment that it has made itself. */
  setSparse(segment: number): void {
    // Published by the store in setCurrent, which follows; to the load in isCurrentSparse.
    Atomics.store(this.cells, SPARSE, segment)
  }

  /** Why the next segment cannot be prepared; undefined: there is room, or it is there. */
  get shortage(): DiskShortage | undefined {
    // Pairs with the store in setShortage.
    const neededUnits = Atomics.load(this.cells, SHORT_OF)
    if (neededUnits === 0) return undefined
    // Stored before the other one: it may be newer, never older.
    const freeUnits = Atomics.load(this.cells, FREE)
    return {
      freeBytes: freeUnits * BLOCK_ALIGNMENT_BYTES,
      neededBytes: neededUnits * BLOCK_ALIGNMENT_BYTES,
    }
  }

  /** Preparer, and its owner before it starts. */
  setShortage(shortage: DiskShortage | undefined): void {
    if (shortage !== undefined) {
      const freeUnits = Math.floor(shortage.freeBytes / BLOCK_ALIGNMENT_BYTES)
      // Read with SHORT_OF, by the loads in shortage.
      Atomics.store(this.cells, FREE, Math.min(freeUnits, UNITS_MAX))
    }
    const neededUnits = Math.ceil((shortage?.neededBytes ?? 0) / BLOCK_ALIGNMENT_BYTES)
    // Publishes that the disk is short of room, or is not any more, to the load in shortage.
    Atomics.store(this.cells, SHORT_OF, Math.min(neededUnits, UNITS_MAX))
  }

  /** Journaler: after every block. */
  setConsumed(bytes: number): void {
    // Publishes the pace, to the load in consumedBytes.
    Atomics.store(this.cells, CONSUMED, bytes / BLOCK_ALIGNMENT_BYTES)
    const step = Math.floor(bytes / SIGNAL_STEP_BYTES)
    if (step === this.signalledStep) return
    this.signalledStep = step
    this.signal()
  }

  /** Journaler: after it has rolled. */
  setCurrent(segment: number, consumedBytes: number): void {
    // Publishes the pace, to the load in consumedBytes: before the number, so that the next segment
    // is not begun at the pace of the last one.
    Atomics.store(this.cells, CONSUMED, consumedBytes / BLOCK_ALIGNMENT_BYTES)
    // Publishes that the next segment may be begun, to the load in currentSegment.
    Atomics.store(this.cells, CURRENT, segment)
    this.signalledStep = 0
    this.signal()
  }

  /** Either thread: true for the one that may give `segment` its name. */
  settle(segment: number): boolean {
    // Decides between the two threads; also pairs with the load in settledSegment.
    return Atomics.compareExchange(this.cells, SETTLED, segment - 1, segment) === segment - 1
  }

  /** Whoever settled it, when it is durable under its final name. */
  setPrepared(segment: number): void {
    // Publishes the file under its final name, to the load in preparedSegment.
    Atomics.store(this.cells, PREPARED, segment)
    // Pairs with the wait in waitForPrepared.
    Atomics.notify(this.cells, PREPARED)
  }

  /** Journaler: until the preparer has renamed what it settled, or `timeoutMs` has passed. */
  waitForPrepared(segment: number, timeoutMs: number): void {
    // Pairs with the notifications in setPrepared and setEnded.
    Atomics.wait(this.cells, PREPARED, segment - 1, timeoutMs)
  }

  /** Preparer: what {@link waitForSignal} needs, read before it looks for work. */
  get signalValue(): number {
    // Pairs with the addition in signal.
    return Atomics.load(this.cells, SIGNAL)
  }

  /** Preparer: until something has changed since `value` was read, or `timeoutMs` has passed. */
  waitForSignal(value: number, timeoutMs: number): void {
    // Pairs with the load in signal: either the other side sees the flag and notifies, or the wait
    // sees the new value and returns at once.
    Atomics.store(this.cells, PARKED, 1)
    Atomics.wait(this.cells, SIGNAL, value, timeoutMs)
    // Tells the load in signal that there is nobody to notify.
    Atomics.store(this.cells, PARKED, 0)
  }

  /** Any thread. */
  requestStop(): void {
    // Publishes the request, to the load in isStopRequested.
    Atomics.store(this.cells, STOP_REQUESTED, 1)
    this.signal()
  }

  /** By the preparer when it is done, or by its owner when it has died. */
  setEnded(): void {
    // Nobody would notice that there is room again.
    this.setShortage(undefined)
    // Publishes all that the preparer did, to the load in hasEnded.
    Atomics.store(this.cells, ENDED, 1)
    // Pairs with the wait in waitForPrepared.
    Atomics.notify(this.cells, PREPARED)
  }

  private signal(): void {
    // Publishes that something has changed, to the load in signalValue and the wait in waitForSignal.
    Atomics.add(this.cells, SIGNAL, 1)
    // Pairs with the store in waitForSignal.
    if (Atomics.load(this.cells, PARKED) === 1) Atomics.notify(this.cells, SIGNAL)
  }
}
