/**
 * The synced edge: where the durable part of the journal ends, in the file, in the ring and in
 * sequences. The journaler publishes it after every block; a reader uses it to join files and ring
 * without a gap. Behind it lies the head of the hash chain, which comes a little later: a block's
 * hash is computed when its answers are out.
 *
 *   tuple: segment, offset, ring position, sequence, block │ tuple: sequence, block, hash
 */

import type { ChainHead } from './chain-head.js'
import { SHARED_TUPLE_CELLS, SharedTuple } from './shared-tuple.js'

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

// Cells of a slot of the edge; 53-bit values take two.
const SEGMENT_NUMBER_CELL = 0
const FILE_OFFSET_CELL = 1
const RING_POSITION_CELL = 2
const SEQUENCE_CELL = 4
const BLOCK_NUMBER_CELL = 6
// Cells of a slot of the head.
const HEAD_SEQUENCE_CELL = 0
const HEAD_BLOCK_CELL = 2
const HEAD_HASH_CELL = 4
const HASH_CELLS = 8

const EDGE_START = 0
const HEAD_START = SHARED_TUPLE_CELLS
const EDGE_BYTES = 2 * SHARED_TUPLE_CELLS * Int32Array.BYTES_PER_ELEMENT

export function createSyncedEdge(): SharedArrayBuffer {
  return new SharedArrayBuffer(EDGE_BYTES)
}

/** The journaler's end: one at a time. */
export class SyncedEdgeWriter {
  private readonly edge: SharedTuple
  private readonly head: SharedTuple
  private version: number
  private headVersion: number
  /** Of the edge that was set last. */
  private sequence = 0
  private blockNumber = 0

  constructor(memory: SharedArrayBuffer) {
    const cells = new Int32Array(memory)
    this.edge = new SharedTuple(cells, EDGE_START)
    this.head = new SharedTuple(cells, HEAD_START)
    this.version = this.edge.version()
    this.headVersion = this.head.version()
  }

  set(
    segmentNumber: number,
    fileOffset: number,
    ringPosition: number,
    sequence: number,
    blockNumber: number,
  ): void {
    const { edge } = this
    const next = (this.version + 1) | 0
    const slot = edge.slotOf(next)
    edge.store32(slot + SEGMENT_NUMBER_CELL, segmentNumber)
    edge.store32(slot + FILE_OFFSET_CELL, fileOffset)
    edge.store53(slot + RING_POSITION_CELL, ringPosition)
    edge.store53(slot + SEQUENCE_CELL, sequence)
    edge.store53(slot + BLOCK_NUMBER_CELL, blockNumber)
    edge.publish(next)
    this.version = next
    this.sequence = sequence
    this.blockNumber = blockNumber
  }

  /** `hash` is that of the last block of the edge. */
  setHead(hash: Uint8Array): void {
    const { head } = this
    const next = (this.headVersion + 1) | 0
    const slot = head.slotOf(next)
    head.store53(slot + HEAD_SEQUENCE_CELL, this.sequence)
    head.store53(slot + HEAD_BLOCK_CELL, this.blockNumber)
    const words = new DataView(hash.buffer, hash.byteOffset, HASH_CELLS * 4)
    for (let cell = 0; cell < HASH_CELLS; cell++) {
      head.store32(slot + HEAD_HASH_CELL + cell, words.getInt32(cell * 4))
    }
    head.publish(next)
    this.headVersion = next
  }
}

/** Any thread. What it gives is allocated: not for a hot path. */
export class SyncedEdgeReader {
  private readonly edge: SharedTuple
  private readonly head: SharedTuple

  constructor(memory: SharedArrayBuffer) {
    const cells = new Int32Array(memory)
    this.edge = new SharedTuple(cells, EDGE_START)
    this.head = new SharedTuple(cells, HEAD_START)
  }

  read(): SyncedEdge {
    const { edge } = this
    for (;;) {
      const version = edge.version()
      const slot = edge.slotOf(version)
      const read: SyncedEdge = {
        segmentNumber: edge.load32(slot + SEGMENT_NUMBER_CELL),
        fileOffset: edge.load32(slot + FILE_OFFSET_CELL),
        ringPosition: edge.load53(slot + RING_POSITION_CELL),
        sequence: edge.load53(slot + SEQUENCE_CELL),
        blockNumber: edge.load53(slot + BLOCK_NUMBER_CELL),
      }
      // While the version is the same, the writer has touched no other slot than the other one.
      if (edge.version() === version) return read
    }
  }

  /** Of the last block that has been hashed: that of the edge, or one before it. */
  readHead(): ChainHead {
    const { head } = this
    for (;;) {
      const version = head.version()
      const slot = head.slotOf(version)
      const sequence = head.load53(slot + HEAD_SEQUENCE_CELL)
      const block = head.load53(slot + HEAD_BLOCK_CELL)
      let hash = ''
      for (let cell = 0; cell < HASH_CELLS; cell++) {
        hash += head
          .load32(slot + HEAD_HASH_CELL + cell)
          .toString(16)
          .padStart(8, '0')
      }
      if (head.version() === version) return { sequence, block, hash }
    }
  }
}
