/**
 * A window of a few MiB on a file that is read from front to back. One buffer, of fixed size, is
 * used for everything that is read: what lies in it is valid until the next call.
 *
 *   file   ───────┬─────────────────────────┬──────────────
 *                 │ window: start … filled  │
 *                 └───────▲─────────────────┘
 *                      locate(position): where in `bytes` the position lies
 *
 * Positions and lengths of its reads are multiples of 4 KiB, as direct access demands.
 */

import { BLOCK_ALIGNMENT_BYTES, BLOCK_BYTES_MAX } from './block-layout.js'
import { assert } from './errors.js'
import { alignedBuffer, type StorageFile } from './storage.js'

/** Large enough that a call is cheap, small enough that the bytes are still in a cache when used. */
const WINDOW_BYTES_DEFAULT = 4 * 1024 * 1024

export class ReadWindow {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Whether files may be opened past the page cache. */
  readonly isAligned: boolean
  private file: StorageFile | undefined
  private start = 0
  private filled = 0
  private pieceBytes: number

  /** `direct`: the files are opened past the page cache, so the memory must be aligned. */
  constructor(windowBytes: number = WINDOW_BYTES_DEFAULT, direct = false) {
    assert(windowBytes >= BLOCK_BYTES_MAX, 'the largest block fits in the window')
    this.bytes = direct ? alignedBuffer(windowBytes) : new Uint8Array(windowBytes)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, windowBytes)
    this.isAligned = direct
    this.pieceBytes = windowBytes
  }

  /**
   * Reads from `file` from now on, at most `pieceBytes` a time (a multiple of 4 KiB), and forgets
   * what was read before: it may have been written since.
   */
  enter(file: StorageFile, pieceBytes: number = this.bytes.byteLength): void {
    this.file = file
    this.pieceBytes = pieceBytes
    this.start = 0
    this.filled = 0
  }

  /**
   * Offset in `bytes` of a file position, with at least `lengthBytes` there; −1 when the file ends
   * before that.
   */
  locate(position: number, lengthBytes: number): number {
    const offset = position - this.start
    if (offset >= 0 && offset + lengthBytes <= this.filled) return offset
    this.fillFrom(position, lengthBytes)
    return lengthBytes <= this.filled ? 0 : -1
  }

  /** How many bytes lie in the window from `position` on; reads when there are none. */
  available(position: number): number {
    const offset = position - this.start
    if (offset < 0 || offset >= this.filled) this.fillFrom(position, BLOCK_ALIGNMENT_BYTES)
    return this.start + this.filled - position
  }

  private fillFrom(position: number, neededBytes: number): void {
    assert(position % BLOCK_ALIGNMENT_BYTES === 0, 'a window starts at a multiple of 4 KiB')
    assert(this.file !== undefined, 'a window is read after it has entered a file')
    const offset = position - this.start
    let kept = 0
    if (offset > 0 && offset < this.filled) {
      this.bytes.copyWithin(0, offset, this.filled)
      kept = this.filled - offset
    }
    this.start = position
    this.filled = kept
    // A file that ended inside a sector has no more.
    if (kept % BLOCK_ALIGNMENT_BYTES !== 0) return
    const { bytes } = this
    const aligned = alignBlock(Math.max(neededBytes, this.pieceBytes))
    const end = Math.min(bytes.byteLength, aligned)
    assert(neededBytes <= end, 'no more is asked for than the window holds')
    if (end > kept) this.filled += this.file.read(bytes.subarray(kept, end), position + kept)
  }
}

function alignBlock(bytes: number): number {
  return Math.ceil(bytes / BLOCK_ALIGNMENT_BYTES) * BLOCK_ALIGNMENT_BYTES
}
