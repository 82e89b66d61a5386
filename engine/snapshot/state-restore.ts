/**
 * The state that replay begins with: that of the newest snapshot that is good, or an empty one.
 *
 *   snapshots, newest first ─▶ header intact, of this journal ─▶ it proves how far the journal went
 *                           ─▶ its last block is in the journal, with its hash
 *                           ─▶ made by the same code ─▶ every chunk good ─▶ used
 *
 * Any other is passed over, with a sentence that says why: the journal has all that is in it.
 */
import type { Catalogue } from '../../journal/catalogue.js'
import { causeOf, TidewheelError } from '../../journal/errors.js'
import type { ScanStart } from '../../journal/journal-scan.js'
import type { ReadWindow } from '../../journal/read-window.js'
import type { RestoredState } from '../../journal/recovery.js'
import type { UsedSnapshot } from '../../journal/recovery-report.js'
import type { SegmentFile } from '../../journal/segment-file.js'
import { snapshotNames } from '../../journal/snapshot-files.js'
import { damagedSnapshot, type SnapshotHeader } from '../../journal/snapshot-header.js'
import { findSnapshotBlock, snapshotMismatch } from '../../journal/snapshot-place.js'
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
    let used: UsedSnapshot | undefined
    let start: ScanStart | undefined
    for (const name of snapshotNames(this.storage)) {
      this.attempt(name, skipped, (reader) => {
        const { header } = reader
        const mismatch = snapshotMismatch(name, header, journalId)
        if (mismatch !== '') throw damagedSnapshot(mismatch, name, 0)
        if (header.blockNumber > durableBlock) {
          durableBlock = header.blockNumber
          durableIn = name
        }
        if (used !== undefined) return
        start = findSnapshotBlock(this.storage, name, header, segments, window)
        this.read(reader)
        const { sequence, segmentNumber } = header
        used = { file: name, sequence, segmentNumber }
      })
    }
    return {
      start: used === undefined ? undefined : start,
      durableBlock,
      durableIn,
      snapshot: used,
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

  private read(reader: SnapshotReader): void {
    try {
      this.catalogue = restoreState(reader, this.runtime)
      this.header = reader.header
    } catch (error) {
      // What was filled in is not to be trusted.
      this.runtime = new DomainRuntime(this.domain)
      throw error
    }
  }
}

/**
 * Fills an empty state from one snapshot; when this throws, what was filled in is of no use.
 * @returns the catalogue of the journal at that place
 * @throws TidewheelError SNAPSHOT_DAMAGED, also for one that other code has made
 */
export function restoreState(reader: SnapshotReader, runtime: DomainRuntime): Catalogue {
  if (Buffer.compare(reader.header.fingerprint, stateFingerprint(runtime.domain)) !== 0) {
    throw damagedSnapshot('other fields or other evolve functions have made it', reader.name, 0)
  }
  return readState(reader, runtime)
}
