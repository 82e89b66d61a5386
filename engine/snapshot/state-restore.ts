/**
 * The state that replay begins with: that of the newest snapshot that is good, or an empty one.
 *
 *   snapshots, newest first ─▶ header intact, of this journal ─▶ it proves how far the journal went
 *                           ─▶ its last block is in the journal, with its hash
 *                           ─▶ made by the same code ─▶ every chunk good ─▶ used
 *
 * Any other is passed over, with a sentence that says why: the journal has all that is in it.
 */
import { BlockChecker } from '../../journal/block-check.js'
import { blockHash } from '../../journal/block-header.js'
import { BLOCK_HEADER_BYTES } from '../../journal/block-layout.js'
import type { Catalogue } from '../../journal/catalogue.js'
import { causeOf, TidewheelError } from '../../journal/errors.js'
import type { ScanStart } from '../../journal/journal-scan.js'
import { openSegment } from '../../journal/open-segment.js'
import type { ReadWindow } from '../../journal/read-window.js'
import type { RestoredState } from '../../journal/recovery.js'
import type { SegmentFile } from '../../journal/segment-file.js'
import { snapshotNames } from '../../journal/snapshot-files.js'
import { damagedSnapshot, type SnapshotHeader } from '../../journal/snapshot-header.js'
import { snapshotSequenceOf } from '../../journal/snapshot-layout.js'
import { SnapshotReader } from '../../journal/snapshot-reader.js'
import type { Storage } from '../../journal/storage.js'
import type { Domain } from '../domain.js'
import { DomainRuntime } from '../domain-runtime.js'
import { stateFingerprint } from './state-fingerprint.js'
import { readState } from './state-reader.js'

export class StateRestore {
  runtime: DomainRuntime
  /** Of the journal where the state was taken; undefined for an empty state. */
  catalogue: Catalogue | undefined
  /** Of the snapshot that was used. */
  header: SnapshotHeader | undefined
  private readonly storage: Storage
  private readonly domain: Domain

  constructor(storage: Storage, domain: Domain) {
    this.storage = storage
    this.domain = domain
    this.runtime = new DomainRuntime(domain)
  }

  /**
   * @param segments the whole journal
   * @throws TidewheelError OUT_OF_MEMORY
   */
  restore(
    journalId: Uint8Array,
    segments: readonly SegmentFile[],
    window: ReadWindow,
  ): RestoredState {
    const skipped: string[] = []
    let durableBlock = 0
    let durableIn = ''
    let used: string | undefined
    let start: ScanStart | undefined
    for (const name of snapshotNames(this.storage)) {
      this.attempt(name, skipped, (reader) => {
        const { header } = reader
        this.refuseForeign(name, header, journalId)
        if (header.blockNumber > durableBlock) {
          durableBlock = header.blockNumber
          durableIn = name
        }
        if (used !== undefined) return
        start = this.locate(name, header, segments, window)
        this.read(name, reader)
        used = name
      })
    }
    return {
      start: used === undefined ? undefined : start,
      durableBlock,
      durableIn,
      snapshot: used === undefined ? undefined : { file: used, sequence: snapshotSequenceOf(used) },
      skipped,
    }
  }

  /** What is wrong with a snapshot, or with reading it, is told; a bug of ours goes up. */
  private attempt(name: string, skipped: string[], use: (reader: SnapshotReader) => void): void {
    try {
      const file = this.storage.open(name, 'read')
      try {
        use(new SnapshotReader(file))
      } finally {
        file.close()
      }
    } catch (error) {
      const isOfSystem = error instanceof Error && 'syscall' in error
      const isTold = error instanceof TidewheelError && error.code !== 'OUT_OF_MEMORY'
      if (!isOfSystem && !isTold) throw error
      skipped.push(
        `${name} was not used (${causeOf(error)}): the journal has what is in it. It may be removed`,
      )
    }
  }

  private refuseForeign(name: string, header: SnapshotHeader, journalId: Uint8Array): void {
    if (Buffer.compare(header.journalId, journalId) !== 0) {
      throw damagedSnapshot('it belongs to another journal', name, 0)
    }
    if (snapshotSequenceOf(name) !== header.sequence) {
      throw damagedSnapshot(`it is the one of sequence ${header.sequence}, renamed`, name, 0)
    }
  }

  /** Where the last block of the snapshot lies, which must be the very block that it was made of. */
  private locate(
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
    const file = openSegment(this.storage, segment.name, { direct: window.isAligned })
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

  private read(name: string, reader: SnapshotReader): void {
    if (Buffer.compare(reader.header.fingerprint, stateFingerprint(this.domain)) !== 0) {
      throw damagedSnapshot('other fields or other evolve functions have made it', name, 0)
    }
    try {
      this.catalogue = readState(reader, this.runtime)
      this.header = reader.header
    } catch (error) {
      // What was filled in is not to be trusted.
      this.runtime = new DomainRuntime(this.domain)
      throw error
    }
  }
}
