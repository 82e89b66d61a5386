/**
 * What opening writes once a journal has been read and found good (recovery.ts). Each step may be
 * the last one that happens: the next opening finds the same good blocks, and does the rest.
 */
import { removeUnfinishedArchives } from './archive-writer.js'
import { BlockChecker } from './block-check.js'
import { type BlockHeader, blockHash } from './block-header.js'
import { BLOCK_HEADER_BYTES } from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import { FrameCursor } from './frames.js'
import { type JournalEnd, newJournalEnd } from './journal-end.js'
import type { BlockPlace, JournalScan } from './journal-scan.js'
import { keepCopy, keptRanges } from './kept-copy.js'
import { type Manifest, writeManifest } from './manifest.js'
import type { ReadWindow } from './read-window.js'
import { SEAL_RECORD } from './record-layout.js'
import type { RecoveryCut } from './recovery-report.js'
import { removeUnfinishedSegments } from './segment.js'
import type { SegmentFile } from './segment-file.js'
import { encodeSegmentHeader } from './segment-header.js'
import { SEGMENT_DATA } from './segment-layout.js'
import type { SegmentSet } from './segment-set.js'
import { removeUnfinishedSnapshots } from './snapshot-files.js'
import type { Storage } from './storage.js'
import { removeUnfinishedIndexes } from './stream-index-build.js'
import type { TailDecision } from './tail-decision.js'

const ZERO_PIECE_BYTES = 1024 * 1024

export function finishJournal(
  storage: Storage,
  set: SegmentSet,
  manifest: Manifest | 'damaged' | undefined,
  scan: JournalScan,
  decision: TailDecision,
  window: ReadWindow,
  repaired: string[],
): { end: JournalEnd; cut: RecoveryCut | undefined } {
  const { segments } = set
  // What is seen here may have its name from a process that died before it synced the directory.
  storage.syncDirectory()
  repairHeaders(storage, segments, repaired)
  repairPadding(storage, segments, scan, repaired)
  const end = endOf(set, scan)
  rewriteTail(storage, segments, scan, window, end)
  const cut = decision.kind === 'cut' ? keepTail(storage, decision, window) : undefined
  zeroWhatWasCut(storage, segments, end)
  if (set.unfinished !== undefined) {
    storage.remove(set.unfinished.name)
    storage.syncDirectory()
    repaired.push(`${set.unfinished.name} was not whole and had never been used: it was removed`)
  }
  removeUnfinishedSegments(storage)
  removeUnfinishedIndexes(storage)
  removeUnfinishedArchives(storage)
  removeUnfinishedSnapshots(storage)
  repairManifest(storage, set, manifest, end.segmentNumber, repaired)
  return { end, cut }
}

function repairHeaders(
  storage: Storage,
  segments: readonly SegmentFile[],
  repaired: string[],
): void {
  for (const { name, header, damagedCopies } of segments) {
    if (damagedCopies.length === 0) continue
    assert(header !== undefined, 'a segment that is opened has a good copy of its header')
    const file = storage.open(name, 'write')
    try {
      for (const position of damagedCopies) file.write(encodeSegmentHeader(header), position)
      file.sync()
    } finally {
      file.close()
    }
    repaired.push(`one copy of the header of ${name} was damaged: it was written again`)
  }
}

function repairPadding(
  storage: Storage,
  segments: readonly SegmentFile[],
  scan: JournalScan,
  repaired: string[],
): void {
  for (const { place, paddingOffset } of scan.damagedPadding) {
    const { name } = segments[place.segmentIndex] as SegmentFile
    zero(storage, name, place.fileOffset + paddingOffset, place.fileOffset + place.lengthBytes)
    repaired.push(
      `bytes behind block ${place.blockNumber} in ${name} were not zero: they were zeroed (the block itself is intact)`,
    )
  }
}

/**
 * Writes the blocks at the tail again, byte for byte, and syncs them. They are checked once more:
 * between two reads the page cache may have dropped what it showed first.
 * Fills in what `end` says of the last block.
 */
function rewriteTail(
  storage: Storage,
  segments: readonly SegmentFile[],
  scan: JournalScan,
  window: ReadWindow,
  end: JournalEnd,
): void {
  const { unsynced: places, lastHeader } = scan
  if (lastHeader === undefined) return
  for (let index = 0; index < places.length; ) {
    const { segmentIndex } = places[index] as BlockPlace
    const segment = segments[segmentIndex] as SegmentFile
    const file = storage.open(segment.name, 'write')
    try {
      window.enter(file)
      while (index < places.length && places[index]?.segmentIndex === segmentIndex) {
        const place = places[index] as BlockPlace
        const offset = locateAgain(segment, place, window)
        file.write(window.bytes.subarray(offset, offset + place.lengthBytes), place.fileOffset)
        index++
        if (index === places.length) describeLastBlock(window, offset, lastHeader, end)
      }
      file.sync()
    } finally {
      file.close()
    }
  }
}

function locateAgain(segment: SegmentFile, place: BlockPlace, window: ReadWindow): number {
  const checker = new BlockChecker(place.blockNumber, 0)
  checker.enterSegment(segment)
  const verdict = checker.check(window, place.fileOffset)
  const offset = window.locate(place.fileOffset, place.lengthBytes)
  if (verdict === 'good' && offset >= 0) return offset
  throw new TidewheelError(
    'JOURNAL_UNREADABLE',
    `block ${place.blockNumber} was read twice while the journal was opened, and was not the same; check the disk, and open again`,
    { file: segment.name, offset: place.fileOffset },
  )
}

function describeLastBlock(
  window: ReadWindow,
  offset: number,
  header: BlockHeader,
  end: JournalEnd,
): void {
  const { payloadBytes } = header
  const frameOffset = offset + BLOCK_HEADER_BYTES
  end.previousHash = blockHash(window.bytes.subarray(offset, frameOffset + payloadBytes))
  if (isSeal(window.view, frameOffset, payloadBytes)) end.sealed = true
}

/** A sealed end needs no other seal. */
function isSeal(view: DataView, frameOffset: number, payloadBytes: number): boolean {
  const cursor = new FrameCursor()
  cursor.reset(view, frameOffset, payloadBytes)
  return cursor.nextFrame() && cursor.nextRecord() && cursor.recordType === SEAL_RECORD
}

/** Where the next block goes; the hash of the last one is filled in when it is read again. */
function endOf(set: SegmentSet, scan: JournalScan): JournalEnd {
  const end = newJournalEnd(set.journalId)
  // What is being cut may have been written by a session that left no other block.
  const tornEpoch = scan.stop?.header?.epoch ?? 0
  end.epoch = Math.max(scan.lastHeader?.epoch ?? 0, tornEpoch) + 1
  const { lastHeader } = scan
  const place = scan.unsynced.at(-1)
  if (lastHeader === undefined || place === undefined) return end
  end.segmentNumber = lastHeader.segmentNumber
  end.fileOffset = place.fileOffset + place.lengthBytes
  end.blockNumber = lastHeader.blockNumber
  end.sequence = lastHeader.baseSequence + lastHeader.eventCount - 1
  return end
}

/** Every copy is on disk before the first byte is zeroed. */
function keepTail(
  storage: Storage,
  decision: Extract<TailDecision, { kind: 'cut' }>,
  window: ReadWindow,
): RecoveryCut {
  const { pieces, reason } = decision
  const [first] = pieces
  assert(first !== undefined, 'a cut takes something')
  const keptAs = pieces.map((piece) => keepCopy(storage, piece, window))
  const bytes = pieces.reduce((sum, { from, to }) => sum + to - from, 0)
  return { file: first.file, offset: first.from, bytes, reason, keptAs }
}

/**
 * Not only what is cut now: where an earlier opening failed to sync its zeros, the page cache may
 * show them and the disk may not have them. What was cut would be back after a loss of power, behind
 * blocks that were written since. So everything that was ever cut and lies behind the end is zeroed
 * by each opening, until blocks have been written over it.
 */
function zeroWhatWasCut(storage: Storage, segments: readonly SegmentFile[], end: JournalEnd): void {
  for (const { file, from, to } of keptRanges(storage)) {
    const segment = segments.find(({ name }) => name === file)
    if (segment === undefined || segment.number < end.segmentNumber) continue
    const behind = segment.number === end.segmentNumber ? end.fileOffset : SEGMENT_DATA
    const start = Math.max(from, behind)
    const stop = Math.min(to, segment.sizeBytes)
    if (start < stop) zero(storage, file, start, stop)
  }
}

/** Durable when it returns. */
function zero(storage: Storage, name: string, from: number, to: number): void {
  const zeros = new Uint8Array(Math.min(ZERO_PIECE_BYTES, to - from))
  const file = storage.open(name, 'write')
  try {
    for (let at = from; at < to; at += zeros.byteLength) {
      file.write(zeros.subarray(0, Math.min(zeros.byteLength, to - at)), at)
    }
    file.sync()
  } finally {
    file.close()
  }
}

function repairManifest(
  storage: Storage,
  set: SegmentSet,
  manifest: Manifest | 'damaged' | undefined,
  endSegment: number,
  repaired: string[],
): void {
  const { journalId } = set
  if (manifest === undefined || manifest === 'damaged') {
    writeManifest(storage, { journalId, highestSegment: endSegment })
    const what = manifest === undefined ? 'missing' : 'damaged'
    repaired.push(`the manifest was ${what}: it was made again from the segments`)
  } else if (manifest.highestSegment < endSegment) {
    // A crash between the roll and the manifest: nothing was damaged.
    writeManifest(storage, { journalId, highestSegment: endSegment })
  }
}
