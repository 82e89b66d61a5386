/**
 * When a snapshot is due without being asked for: when enough journal has come since the last one, and
 * a segment is full that it does not cover. It only counts, and knows neither files nor clocks.
 *
 *   segment      1 ──────── 2 ──────── 3 ──────── 4 ───▶
 *   last snapshot made ─────┘          │          │
 *   enough journal behind it ──────────┘ not full │
 *   due: at the end of 3 ─────────────────────────┘
 *
 * An attempt counts as a snapshot, however it ends: after one that failed, as much journal has to come
 * again before the next. So what fails each time costs what succeeding would, and no more.
 */
import type { SyncedEdge } from '../../journal/synced-edge.js'

/** Whichever comes first; Infinity: never. */
export interface SnapshotPace {
  readonly everyBytes: number
  readonly everyEvents: number
}

/** What opening found behind the snapshot that it began with, or behind nothing. */
export interface SnapshotBase {
  /** The last segment that the snapshot covers; 0: none. */
  readonly segmentNumber: number
  /** Of the last event in it; 0: none. */
  readonly sequence: number
  /** Of journal behind it. */
  readonly bytes: number
}

export class SnapshotPolicy {
  private readonly pace: SnapshotPace
  private readonly segmentBytes: number
  /** The last segment that was tried. */
  private coveredSegment: number
  private coveredSequence: number
  /** Of journal behind that. */
  private bytes: number
  private segmentNumber: number
  private fileOffset: number

  /** @param segmentBytes of the segments that are written from now on */
  constructor(pace: SnapshotPace, segmentBytes: number, base: SnapshotBase, now: SyncedEdge) {
    this.pace = pace
    this.segmentBytes = segmentBytes
    this.coveredSegment = base.segmentNumber
    this.coveredSequence = base.sequence
    this.bytes = base.bytes
    this.segmentNumber = now.segmentNumber
    this.fileOffset = now.fileOffset
  }

  /** Whether a snapshot is due, now that the journal has come this far. */
  isDue(now: SyncedEdge): boolean {
    const segments = now.segmentNumber - this.segmentNumber
    // The first of them may have been made with another size: then this is off by that, once.
    this.bytes += Math.max(0, segments * this.segmentBytes + now.fileOffset - this.fileOffset)
    this.segmentNumber = now.segmentNumber
    this.fileOffset = now.fileOffset
    if (now.segmentNumber - 1 <= this.coveredSegment) return false
    const { everyBytes, everyEvents } = this.pace
    return this.bytes >= everyBytes || now.sequence - this.coveredSequence >= everyEvents
  }

  /** One of all full segments is being made; what is in the one after them comes behind it. */
  attempted({ segmentNumber, fileOffset, sequence }: SyncedEdge): void {
    this.coveredSegment = segmentNumber - 1
    this.coveredSequence = sequence
    this.bytes = fileOffset
    this.segmentNumber = segmentNumber
    this.fileOffset = fileOffset
  }

  /** It was made, and its last event has this sequence. */
  made(sequence: number): void {
    this.coveredSequence = sequence
  }
}
