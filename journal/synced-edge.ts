/**
 * The synced edge: where the durable part of the journal ends, in the file, in the ring and in
 * sequences, as one consistent tuple. The journaler publishes it after every block; a reader uses it
 * to join files and ring without a gap.
 *
 *   version (own cache lines) │ slot 0: seven cells │ slot 1: seven cells
 *
 * Two slots, one writer. The writer fills the slot that `version` does not name, then raises
 * `version`. A reader copies the slot that `version` names, and starts again if `version` has moved
 * meanwhile. So a reader never waits for a writer, not even for one that died half-way.
 *
 * All accesses are sequentially consistent: a reader that saw any cell of a later tuple also sees
 * the version that came before it.
 */
import { CURSOR_STRIDE } from './cursor.js'

export interface SyncedEdge {
  segmentNumber: number
  /** Of the end of the last synced block, in that segment. */
  fileOffset: number
  /** Of the end of that block's last frame, in the event ring. */
  ringPosition: number
  /** Of the last synced event; 0: none. */
  sequence: number
  /** Of the last synced block; 0: none. */
  blockNumber: number
}

const VERSION = 0
const FIRST_SLOT = CURSOR_STRIDE
// Cells of a slot; 53-bit values take two.
const SEGMENT_NUMBER_CELL = 0
const FILE_OFFSET_CELL = 1
const RING_POSITION_CELL = 2
const SEQUENCE_CELL = 4
const BLOCK_NUMBER_CELL = 6
const EDGE_BYTES = 3 * CURSOR_STRIDE * Int32Array.BYTES_PER_ELEMENT
const TWO_TO_32 = 0x1_0000_0000

export function createSyncedEdge(): SharedArrayBuffer {
  return new SharedArrayBuffer(EDGE_BYTES)
}

/** The journaler's end: one at a time. */
export class SyncedEdgeWriter {
  private readonly cells: Int32Array
  private version: number

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory)
    // Pairs with the store in set of the writer before this one.
    this.version = Atomics.load(this.cells, VERSION)
  }

  set(
    segmentNumber: number,
    fileOffset: number,
    ringPosition: number,
    sequence: number,
    blockNumber: number,
  ): void {
    const { cells } = this
    const next = (this.version + 1) | 0
    const slot = slotOf(next)
    // Into the slot that nobody is told of yet; these pair with the loads of the same cells in read.
    Atomics.store(cells, slot + SEGMENT_NUMBER_CELL, segmentNumber | 0)
    Atomics.store(cells, slot + FILE_OFFSET_CELL, fileOffset | 0)
    store53(cells, slot + RING_POSITION_CELL, ringPosition)
    store53(cells, slot + SEQUENCE_CELL, sequence)
    store53(cells, slot + BLOCK_NUMBER_CELL, blockNumber)
    // Publishes the slot; pairs with both loads in read.
    Atomics.store(cells, VERSION, next)
    this.version = next
  }
}

/** Any thread. */
export class SyncedEdgeReader {
  private readonly cells: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.cells = new Int32Array(memory)
  }

  /** Allocates: not for a hot path. */
  read(): SyncedEdge {
    const { cells } = this
    for (;;) {
      // Pairs with the store of VERSION in set: the slot that it names is complete.
      const version = Atomics.load(cells, VERSION)
      const slot = slotOf(version)
      const edge: SyncedEdge = {
        segmentNumber: Atomics.load(cells, slot + SEGMENT_NUMBER_CELL) >>> 0,
        fileOffset: Atomics.load(cells, slot + FILE_OFFSET_CELL) >>> 0,
        ringPosition: load53(cells, slot + RING_POSITION_CELL),
        sequence: load53(cells, slot + SEQUENCE_CELL),
        blockNumber: load53(cells, slot + BLOCK_NUMBER_CELL),
      }
      // Pairs with the same store: while the version is the same, the writer has touched no other slot than the other one.
      if (Atomics.load(cells, VERSION) === version) return edge
    }
  }
}

function slotOf(version: number): number {
  return FIRST_SLOT + (version & 1) * CURSOR_STRIDE
}

function store53(cells: Int32Array, cell: number, value: number): void {
  // As in set: VERSION publishes both halves.
  Atomics.store(cells, cell, value | 0)
  Atomics.store(cells, cell + 1, Math.floor(value / TWO_TO_32) | 0)
}

function load53(cells: Int32Array, cell: number): number {
  // As in read: VERSION says whether both halves belong together.
  const low = Atomics.load(cells, cell) >>> 0
  return (Atomics.load(cells, cell + 1) >>> 0) * TWO_TO_32 + low
}
