/**
 * What a journal says of itself, without the application that wrote it: its segments, its types, how
 * often each occurs, and the snapshots beside it. It reads all of it once, takes no lock and never writes.
 *
 * Of a damaged journal it tells what lies before the damage. It is not a verification: the hash
 * chain and the payloads of events are not looked at.
 */
import { type BlockHeader, blockHash } from './block-header.js'
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  DURABILITY_DISK,
  FORMAT_VERSION,
  HASH_BYTES,
  paddedBlockBytes,
} from './block-layout.js'
import type { CatalogueEntry, CatalogueKind } from './catalogue.js'
import type { ChainHead } from './chain-head.js'
import { TidewheelError } from './errors.js'
import { journalBlocks } from './event-reader.js'
import { EventWalk } from './event-walk.js'
import { openFileStorage } from './file-storage.js'
import { asJournalError, type JournalFolder, openJournalFolder } from './journal-folder.js'
import type { JournalBlock } from './journal-reader.js'
import type { KeyWindow } from './key-window.js'
import { type LockStatus, readLockStatus } from './lock-status.js'
import { FIRST_CATALOGUED_TYPE } from './record-layout.js'
import type { SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import { checkSnapshots } from './snapshot-check.js'
import { snapshotSequenceOf } from './snapshot-layout.js'
import { snapshotMismatch } from './snapshot-place.js'
import type { Storage, StorageFile } from './storage.js'
import { indexName } from './stream-index-layout.js'

export interface SegmentSurvey {
  readonly file: string
  readonly number: number
  readonly sizeBytes: number
  /** Headers and blocks. */
  usedBytes: number
  /** Of its archive, where it is compressed; 0: it is not. `sizeBytes` is that of the segment. */
  readonly archivedBytes: number
  /** Of its index, a file beside it; 0: there is none. */
  readonly indexBytes: number
  blocks: number
  events: number
  /** 0: the segment has no event. */
  firstSequence: number
  lastSequence: number
  /** Of the first and the last event, microseconds since 1970; 0: none. */
  firstTime: number
  lastTime: number
}

export interface SnapshotSurvey {
  readonly file: string
  /** Of the last event in it; of a damaged one, as its name says. */
  readonly sequence: number
  readonly sizeBytes: number
  /** Of the last command in it, microseconds since 1970; 0: not known. */
  readonly time: number
  /** Why it is not used; '': nothing is wrong with the file. */
  readonly problem: string
}

/** A catalogue entry, and how often it occurs: streams, events, or transactions of a command. */
export interface CountedEntry extends CatalogueEntry {
  readonly count: number
}

export interface JournalSurvey {
  /** Absolute, of the directory. */
  readonly path: string
  /** Hexadecimal; '' when no segment tells. */
  readonly journalId: string
  readonly format: number
  /** Undefined: the journal has no catalogue yet. */
  readonly domain: string | undefined
  /** Which idempotency keys it still answers. Undefined: the journal has no catalogue yet. */
  readonly keyWindow: KeyWindow | undefined
  /** Of the last block; undefined: there is none. */
  readonly durability: 'disk' | 'os' | undefined
  /** How often it was opened for writing. */
  readonly epoch: number
  readonly lock: LockStatus
  readonly segments: readonly SegmentSurvey[]
  /** Newest first. */
  readonly snapshots: readonly SnapshotSurvey[]
  readonly blocks: number
  readonly events: number
  /** Of the last event; 0: none. */
  readonly lastSequence: number
  /** Of the last block that could be read. To note it, or to have the chain checked: `verify`. */
  readonly head: ChainHead
  /** Commands that left something in the journal: events, or an outcome under a key. */
  readonly transactions: number
  readonly keyedAccepted: number
  readonly keyedRejected: number
  /** In order of their numbers in the journal's catalogue. */
  readonly aggregates: readonly CountedEntry[]
  readonly eventTypes: readonly CountedEntry[]
  readonly commands: readonly CountedEntry[]
  /** Where reading ended, if there is more than could be read. */
  readonly problem: TidewheelError | undefined
}

/** @throws TidewheelError NOT_A_JOURNAL, JOURNAL_UNREADABLE, FORMAT_TOO_NEW. Damage does not throw. */
export async function surveyJournal(path: string): Promise<JournalSurvey> {
  const folder = openJournalFolder(path)
  const surveyor = new Surveyor(folder)
  let problem: TidewheelError | undefined
  try {
    for await (const block of journalBlocks(folder)) surveyor.take(block)
  } catch (error) {
    if (!(error instanceof TidewheelError) || error.code !== 'JOURNAL_DAMAGED') throw error
    problem = error
  }
  return surveyor.finish(problem)
}

class Surveyor {
  private readonly folder: JournalFolder
  private readonly walk = new EventWalk()
  private readonly segments: SegmentSurvey[]
  private readonly eventCounts: number[] = []
  private lastBlock: BlockHeader | undefined
  private lastSequence = 0
  /** Header and payload of the last block: its hash is wanted, and no other. */
  private readonly lastBytes = new Uint8Array(BLOCK_BYTES_MAX)
  private lastLengthBytes = 0

  constructor(folder: JournalFolder) {
    this.folder = folder
    this.segments = folder.segments.map((segment) => emptySurvey(segment, folder.storage))
  }

  take(block: JournalBlock): void {
    const { walk, eventCounts } = this
    const { header } = block
    const segment = this.segments[header.segmentNumber - 1] as SegmentSurvey
    this.lastBlock = header
    segment.blocks++
    segment.usedBytes = header.fileOffset + paddedBlockBytes(header.payloadBytes)
    const { view, frameOffset } = block
    const begin = view.byteOffset + frameOffset - BLOCK_HEADER_BYTES
    this.lastLengthBytes = BLOCK_HEADER_BYTES + header.payloadBytes
    this.lastBytes.set(new Uint8Array(view.buffer, begin, this.lastLengthBytes))
    walk.enterBlock(block)
    while (walk.nextEvent()) {
      const { number } = walk.type
      eventCounts[number] = (eventCounts[number] ?? 0) + 1
      if (segment.events++ === 0) {
        segment.firstSequence = walk.sequence
        segment.firstTime = walk.timeUs
      }
      segment.lastSequence = walk.sequence
      segment.lastTime = walk.timeUs
      this.lastSequence = walk.sequence
    }
  }

  finish(problem: TidewheelError | undefined): JournalSurvey {
    const { folder, walk, segments, lastBlock, eventCounts } = this
    const journalId = folder.segments[0]?.header?.journalId
    return {
      path: folder.storage.path,
      journalId: journalId === undefined ? '' : Buffer.from(journalId).toString('hex'),
      format: FORMAT_VERSION,
      domain: walk.types.catalogue?.domain,
      keyWindow: walk.types.catalogue?.keyWindow,
      durability: lastBlock === undefined ? undefined : durabilityOf(lastBlock.durability),
      epoch: lastBlock?.epoch ?? 0,
      lock: readLockStatus(folder.storage.path),
      segments,
      snapshots: surveySnapshots(folder.storage.path, journalId),
      blocks: total(segments.map((segment) => segment.blocks)),
      events: total(segments.map((segment) => segment.events)),
      lastSequence: this.lastSequence,
      head: this.head(),
      transactions: total([...walk.transactions.subarray(FIRST_CATALOGUED_TYPE)]),
      keyedAccepted: walk.keyedAccepted,
      keyedRejected: walk.keyedRejected,
      aggregates: this.entries('aggregate', (number) => walk.streams.count(number)),
      eventTypes: this.entries('event', (number) => eventCounts[number] ?? 0),
      commands: this.entries('command', (number) => walk.transactions[number] ?? 0),
      problem,
    }
  }

  private head(): ChainHead {
    const { lastBlock, lastBytes, lastLengthBytes, lastSequence: sequence } = this
    const hash =
      lastBlock === undefined
        ? new Uint8Array(HASH_BYTES)
        : blockHash(lastBytes.subarray(0, lastLengthBytes))
    return { sequence, block: lastBlock?.blockNumber ?? 0, hash: Buffer.from(hash).toString('hex') }
  }

  private entries(kind: CatalogueKind, countOf: (number: number) => number): CountedEntry[] {
    const entries = this.walk.types.catalogue?.entries ?? []
    return entries
      .filter((entry) => entry.kind === kind)
      .map((entry) => ({ ...entry, count: countOf(entry.number) }))
  }
}

function emptySurvey(segment: SegmentFile, storage: Storage): SegmentSurvey {
  return {
    file: segment.name,
    number: segment.number,
    sizeBytes: segment.sizeBytes,
    usedBytes: SEGMENT_DATA,
    archivedBytes: segment.isArchived ? fileBytes(segment.name, storage) : 0,
    indexBytes: fileBytes(indexName(segment.number), storage),
    blocks: 0,
    events: 0,
    firstSequence: 0,
    lastSequence: 0,
    firstTime: 0,
    lastTime: 0,
  }
}

function fileBytes(name: string, storage: Storage): number {
  let file: StorageFile | undefined
  try {
    file = storage.open(name, 'read')
    return file.sizeBytes()
  } catch {
    // One that cannot be opened is as good as none: nothing else is read from it here.
    return 0
  } finally {
    file?.close()
  }
}

function surveySnapshots(path: string, journalId: Uint8Array | undefined): SnapshotSurvey[] {
  try {
    return checkSnapshots(openFileStorage(path)).map(({ file, sizeBytes, header, problem }) => {
      const sequence = snapshotSequenceOf(file)
      if (header === undefined || problem !== undefined) {
        return { file, sequence, sizeBytes, time: 0, problem: problem?.reason ?? '' }
      }
      const mismatch = snapshotMismatch(file, header, journalId ?? header.journalId)
      return { file, sequence, sizeBytes, time: header.timeUs, problem: mismatch }
    })
  } catch (error) {
    throw asJournalError(path, error)
  }
}

function durabilityOf(level: number): 'disk' | 'os' {
  return level === DURABILITY_DISK ? 'disk' : 'os'
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
