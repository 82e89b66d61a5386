/**
 * Where the next block goes: what recovery hands to the journaler.
 */
import { HASH_BYTES } from './block-layout.js'
import { SEGMENT_DATA } from './segment-layout.js'

export interface JournalEnd {
  journalId: Uint8Array
  /** Of the new session: one more than the highest in the journal. */
  epoch: number
  /** The segment exists under its final name. */
  segmentNumber: number
  /** Of the next block, in that segment. */
  fileOffset: number
  /** Of the last block that was written; 0: none. */
  blockNumber: number
  /** Of that block; zeros when there is none. */
  previousHash: Uint8Array
  /** Of the last event; 0: none. */
  sequence: number
  /** True: the last block is a seal, so there is nothing to seal. */
  sealed?: boolean
}

/** Of a new journal, whose first segment has been created. */
export function newJournalEnd(journalId: Uint8Array): JournalEnd {
  return {
    journalId,
    epoch: 1,
    segmentNumber: 1,
    fileOffset: SEGMENT_DATA,
    blockNumber: 0,
    previousHash: new Uint8Array(HASH_BYTES),
    sequence: 0,
  }
}
