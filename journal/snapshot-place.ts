/**
 * Whether a snapshot belongs to the journal that it lies beside: its header is of this journal, its
 * name that of its sequence, and the block that it ends with is the very one that lies there. What it
 * holds is not looked at.
 */
import { BlockChecker } from './block-check.js'
import { blockHash } from './block-header.js'
import { BLOCK_HEADER_BYTES } from './block-layout.js'
import type { ScanStart } from './journal-scan.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import type { SegmentFile } from './segment-file.js'
import { damagedSnapshot, type SnapshotHeader } from './snapshot-header.js'
import { snapshotSequenceOf } from './snapshot-layout.js'
import type { Storage } from './storage.js'

/** Why an intact header is not that of this file, or of this journal; '' when it is. */
export function snapshotMismatch(
  name: string,
  header: SnapshotHeader,
  journalId: Uint8Array,
): string {
  if (Buffer.compare(header.journalId, journalId) !== 0) return 'it belongs to another journal'
  if (snapshotSequenceOf(name) === header.sequence) return ''
  return `it is the one of sequence ${header.sequence}, renamed`
}

/**
 * Where the last block of the snapshot lies.
 * @param segments of the journal, the first of them number 1
 * @throws TidewheelError SNAPSHOT_DAMAGED: another one lies there, or none
 */
export function findSnapshotBlock(
  storage: Storage,
  name: string,
  header: SnapshotHeader,
  segments: readonly SegmentFile[],
  window: ReadWindow,
): ScanStart {
  const { segmentNumber, fileOffset, blockNumber } = header
  const segment = segments[segmentNumber - 1]
  if (segment === undefined) {
    throw damagedSnapshot(`segment ${segmentNumber}, which it ends in, is not there`, name, 0)
  }
  const file = openSegment(storage, segment.name, { direct: window.isAligned })
  try {
    const checker = new BlockChecker(blockNumber, 0)
    checker.enterSegment(segment)
    window.enter(file)
    const verdict = checker.check(window, fileOffset)
    const block = checker.header
    const begin = checker.frameOffset - BLOCK_HEADER_BYTES
    const isTheBlock =
      verdict === 'good' &&
      block !== undefined &&
      block.baseSequence + block.eventCount - 1 === header.sequence &&
      Buffer.compare(
        blockHash(window.bytes.subarray(begin, checker.frameOffset + block.payloadBytes)),
        header.blockHash,
      ) === 0
    if (isTheBlock) return { segmentIndex: segmentNumber - 1, fileOffset, blockNumber }
  } finally {
    file.close()
  }
  throw damagedSnapshot(`block ${blockNumber}, which it ends with, is another one`, name, 0)
}
