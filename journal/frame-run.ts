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
import { DOUBLE_ZERO } from './double-zero.js'
import { assert } from './errors.js'
import { type EventRingReader, isPadding } from './event-ring.js'
import { getU64 } from './layout.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  PADDING_COMMAND,
  TRANSACTION_BYTES_MAX,
} from './record-layout.js'

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const LENGTH = FRAME_LENGTH
const COMMAND = FRAME_COMMAND_TYPE
const PADDING = PADDING_COMMAND
const HEADER_BYTES = FRAME_HEADER_BYTES
const BYTES_MAX = TRANSACTION_BYTES_MAX
const EVENT_COUNT_SHIFT = 8 * (FRAME_EVENT_COUNT - FRAME_COMMAND_TYPE)
assert(EVENT_COUNT_SHIFT === 16, 'the event count lies beside the command')

export class FrameRun {
  /** Ring position of the first frame. */
  start = DOUBLE_ZERO
  bytes = 0
  /** Ring position after the run, and after the padding that follows it. */
  next = DOUBLE_ZERO
  frameCount = 0
  eventCount = 0
  /** Of the last frame. */
  timeUs = DOUBLE_ZERO

  /** Takes what is published from `position` on; no frame at all leaves `frameCount` 0. */
  collect(
    ring: EventRingReader,
    position: number,
    publishedPosition: number,
    budgetBytes: number,
  ): void {
    const { view, capacity } = ring
    let skippedBytes = 0
    let at = ring.offsetOf(position)
    if (position < publishedPosition && isPadding(view, at)) {
      skippedBytes = paddingBytes(view, at, capacity)
      at = ring.offsetOf(position + skippedBytes)
    }
    // From here on whole numbers of 32 bits, which positions are not.
    const start = at
    const end = start + Math.min(publishedPosition - position - skippedBytes, capacity - start)
    const endOfBudget = start + budgetBytes
    let frameCount = 0
    let eventCount = 0
    let last = start
    let padding = 0
    while (at < end) {
      const lengthBytes = view.getUint32(at + LENGTH, true)
      // Command and event count, halves of one word.
      const counts = view.getUint32(at + COMMAND, true)
      if ((counts & 0xffff) === PADDING) {
        padding = paddingBytes(view, at, capacity)
        break
      }
      assert(
        lengthBytes >= HEADER_BYTES && lengthBytes <= BYTES_MAX && (lengthBytes & 7) === 0,
        'a transaction is within its limit, and ends on a word',
      )
      assert(at + lengthBytes <= end, 'whole frames are published, and contiguous')
      if (at + lengthBytes > endOfBudget) break
      frameCount += 1
      eventCount += counts >>> EVENT_COUNT_SHIFT
      last = at
      at += lengthBytes
    }
    this.start = position + skippedBytes
    this.bytes = at - start
    this.next = this.start + this.bytes + padding
    this.frameCount = frameCount
    this.eventCount = eventCount
    if (frameCount > 0) this.timeUs = getU64(view, last + FRAME_TIME)
  }
}

/** Of the padding at `offset`, which fills the ring to its end. */
function paddingBytes(view: DataView, offset: number, capacity: number): number {
  const lengthBytes = view.getUint32(offset + LENGTH, true)
  assert(offset + lengthBytes === capacity, 'padding fills the ring to its end')
  return lengthBytes
}
