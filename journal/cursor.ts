/**
 * Cursors between threads. A position is an absolute byte offset that only grows; in shared memory
 * it is an Int32 in units of 8 bytes, modulo 2³², and each thread extends it to 53 bits in private
 * memory. Two cursors are compared by signed difference, so they may lie up to 16 GiB apart.
 *
 * Each shared counter has cache lines of its own: CURSOR_STRIDE apart, two lines, because the
 * processor fetches lines in pairs.
 */
import { WORD_BYTES } from './layout.js'

const CACHE_LINE_PAIR_BYTES = 128
/** Int32 elements from one shared counter to the next. */
export const CURSOR_STRIDE = CACHE_LINE_PAIR_BYTES / Int32Array.BYTES_PER_ELEMENT

/** What a position looks like in shared memory. */
export function cursorOf(position: number): number {
  return (position / WORD_BYTES) | 0
}

/** The position that `cursor` stands for, given one at most 16 GiB away from it. */
export function extendCursor(cursor: number, nearPosition: number): number {
  return nearPosition + ((cursor - cursorOf(nearPosition)) | 0) * WORD_BYTES
}
