/**
 * Where the journaler gets its next segment from: the port. In an engine a thread prepares segments
 * ahead (prepared-segment-source.ts).
 */

export interface SegmentSource {
  /** The segment exists under its final name, durably, when this returns. */
  take(number: number): void
  /** After every block: how much of the current segment has been used. */
  consumed(bytesInCurrent: number): void
}
