/**
 * The indexes of a journal that an engine has open: looks streams up in them, and has those made
 * that are missing or wrong. Looking up never waits for that, and never fails: where there is no
 * good index, the caller reads the segment itself.
 *
 *   a read comes to a sealed segment ──▶ good index ──▶ the blocks to read
 *                                    ──▶ none ────────┬▶ read all of it
 *                                    ──▶ wrong, told ─┘  └─▶ wanted ──▶ built one at a time, elsewhere
 *
 * Each wrong index is told once. When a build fails there are no more until the journal is opened
 * again: it would fail again, and a full disk needs no further writer.
 */
import { causeOf } from './errors.js'
import type { SegmentFile } from './segment-file.js'
import type { Storage, StorageFile } from './storage.js'
import { StreamIndexFile } from './stream-index-file.js'
import { indexName, streamKey } from './stream-index-layout.js'
import type { StreamIndexTask } from './stream-index-task.js'

export interface StreamPlace {
  /** In the journal's catalogue. */
  readonly aggregateNumber: number
  readonly slot: number
}

export interface IndexBuilder {
  run(task: StreamIndexTask): Promise<void>
  close(): Promise<void> | undefined
}

export class StreamIndexes {
  private readonly storage: Storage
  private readonly builder: IndexBuilder
  private readonly report: (message: string) => void
  /** Segments to index, with the hash of their last block. */
  private readonly wanted = new Map<number, string>()
  private readonly told = new Set<number>()
  private isBuilding = false
  private hasEnded = false

  constructor(storage: Storage, builder: IndexBuilder, report: (message: string) => void) {
    this.storage = storage
    this.builder = builder
    this.report = report
  }

  /**
   * File offsets of the blocks of a sealed segment that have events of the stream, in order;
   * undefined where no index tells.
   * @param lastHash of the segment's last block, as the next segment has it
   */
  find(segment: SegmentFile, lastHash: Uint8Array, stream: StreamPlace): number[] | undefined {
    let file: StorageFile | undefined
    try {
      file = this.storage.open(indexName(segment.number), 'read')
      const index = new StreamIndexFile(file, lastHash)
      const key = streamKey(stream.aggregateNumber, stream.slot)
      const offsets = index.problem === '' ? index.find(key, segment.sizeBytes) : undefined
      if (offsets === undefined) this.refuse(segment, lastHash, index.problem)
      return offsets
    } catch (error) {
      if (isMissing(error)) this.want(segment.number, lastHash)
      else this.refuse(segment, lastHash, causeOf(error))
      return undefined
    } finally {
      file?.close()
    }
  }

  /** An index turned out to be wrong: it is told, and made again. */
  refuse(segment: SegmentFile, lastHash: Uint8Array, problem: string): void {
    const { number } = segment
    if (!this.told.has(number)) {
      this.told.add(number)
      this.report(
        `${indexName(number)} cannot be used (${problem}): the segment is read without it, and it is made again. The journal is not concerned`,
      )
    }
    this.want(number, lastHash)
  }

  /** Breaks off what is being built. */
  close(): Promise<void> | undefined {
    this.hasEnded = true
    this.wanted.clear()
    return this.builder.close()
  }

  private want(segmentNumber: number, lastHash: Uint8Array): void {
    if (this.hasEnded) return
    this.wanted.set(segmentNumber, Buffer.from(lastHash).toString('hex'))
    if (!this.isBuilding) void this.buildWanted()
  }

  private async buildWanted(): Promise<void> {
    this.isBuilding = true
    for (const [segmentNumber, lastHash] of this.wanted) {
      try {
        await this.builder.run({ path: this.storage.path, segmentNumber, lastHash })
      } catch (error) {
        if (this.hasEnded) return
        this.hasEnded = true
        this.wanted.clear()
        this.report(
          `${indexName(segmentNumber)} cannot be made (${causeOf(error)}): until the next opening, reads of one stream go through segments that have no index`,
        )
        return
      }
      // A read that came meanwhile may have asked for it again.
      this.wanted.delete(segmentNumber)
      // A process that has nothing else to do ends here, rather than when all is built.
      await new Promise((resolve) => setImmediate(resolve).unref())
    }
    this.isBuilding = false
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
