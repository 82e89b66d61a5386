/**
 * The published frames that go into one block: whole frames, one after the other in the ring's
 * memory, within a budget of bytes. Padding frames belong to no run; a run ends at the ring's end.
 *
 *   position      start                         next
 *      ▼            ▼                             ▼
 *   ───┬────────────┬──────────┬──────┬───────────┬────────────
 *      │ padding ?  │ frame    │ frame│ padding ? │ frame …
 *   ───┴────────────┴──────────┴──────┴───────────┴────────────
 *                   └───── bytes ─────┘
 */
import { assert } from './errors.js'
import { type EventRingReader, isPadding } from './event-ring.js'
import { getU64 } from './layout.js'
import {
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  TRANSACTION_BYTES_MAX,
} from './record-layout.js'

export class FrameRun {
  /** Ring position of the first frame. */
  start = 0
  bytes = 0
  /** Ring position after the run, and after the padding that follows it. */
  next = 0
  frameCount = 0
  eventCount = 0
  /** Of the last frame. */
  timeUs = 0

  /** Takes what is published from `position` on; no frame at all leaves `frameCount` 0. */
  collect(
    ring: EventRingReader,
    position: number,
    publishedPosition: number,
    budgetBytes: number,
  ): void {
    const { view, capacity } = ring
    let at = position
    let start = position
    let bytes = 0
    let frameCount = 0
    let eventCount = 0
    let lastOffset = 0
    while (at < publishedPosition) {
      const offset = ring.offsetOf(at)
      const lengthBytes = view.getUint32(offset + FRAME_LENGTH, true)
      assert(
        lengthBytes >= 8 && lengthBytes % 8 === 0 && offset + lengthBytes <= capacity,
        'a frame in the ring is contiguous and ends on a word',
      )
      if (isPadding(view, offset)) {
        at += lengthBytes
        if (frameCount > 0) break
        start = at
        continue
      }
      assert(
        lengthBytes >= FRAME_HEADER_BYTES && lengthBytes <= TRANSACTION_BYTES_MAX,
        'a transaction is within its limit',
      )
      if (bytes + lengthBytes > budgetBytes) break
      bytes += lengthBytes
      frameCount += 1
      eventCount += view.getUint16(offset + FRAME_EVENT_COUNT, true)
      lastOffset = offset
      at += lengthBytes
      // The next frame lies at the start of the memory, without padding before it.
      if (offset + lengthBytes === capacity) break
    }
    assert(at <= publishedPosition, 'whole frames are published')
    this.start = start
    this.bytes = bytes
    this.next = at
    this.frameCount = frameCount
    this.eventCount = eventCount
    if (frameCount > 0) this.timeUs = getU64(view, lastOffset + FRAME_TIME)
  }
}
