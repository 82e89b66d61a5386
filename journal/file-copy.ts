/**
 * Copies of single files from one directory to another, past the page cache where that is possible
 * on both sides: the page cache belongs to others, and pages of a file that an engine writes
 * directly slow it down. They get temporary names; whoever asks for them gives them their own.
 */
import { BLOCK_ALIGNMENT_BYTES, BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES } from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import type { JournalBlock } from './journal-reader.js'
import type { ReadWindow } from './read-window.js'
import { writeSegmentHeaders } from './segment.js'
import type { SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import { alignedBuffer, type Storage, type StorageFile } from './storage.js'

/** Large enough to be quick, small enough that the writes of an engine come between. */
const PIECE_BYTES = 256 * 1024

/** The file as it is, synced, under a temporary name; closes it. Returns its length. */
export function copyFile(
  from: StorageFile,
  target: Storage,
  temporary: string,
  window: ReadWindow,
): number {
  try {
    const to = target.open(temporary, 'create', { direct: true, syncLater: true })
    try {
      const sizeBytes = copyBytes(from, to, window)
      to.sync()
      return sizeBytes
    } finally {
      to.close()
    }
  } finally {
    from.close()
  }
}

function copyBytes(from: StorageFile, to: StorageFile, window: ReadWindow): number {
  const sizeBytes = from.sizeBytes()
  window.enter(from, PIECE_BYTES)
  for (let at = 0; at < sizeBytes; ) {
    const lengthBytes = Math.min(window.available(at), sizeBytes - at)
    if (lengthBytes <= 0) throw shortened(from.name, at)
    const offset = window.locate(at, lengthBytes)
    // Direct writes are whole pages; what is too much is cut off at the end.
    const pageEnd = offset + alignPage(lengthBytes)
    window.bytes.fill(0, offset + lengthBytes, pageEnd)
    to.write(window.bytes.subarray(offset, pageEnd), at)
    at += lengthBytes
  }
  to.truncate(sizeBytes)
  return sizeBytes
}

/**
 * A segment of these blocks, synced, under a temporary name. Behind them are zeros, which take no
 * room on the disk. Returns where the blocks end.
 */
export async function writeSegment(
  target: Storage,
  { header }: SegmentFile,
  temporary: string,
  blocks: AsyncIterable<JournalBlock>,
  part: Uint8Array | undefined,
): Promise<number> {
  assert(header !== undefined, 'a segment that is copied has a good header')
  const file = target.open(temporary, 'create', { direct: true, syncLater: true })
  const run = new BlockRun(file)
  try {
    file.truncate(header.sizeBytes)
    writeSegmentHeaders(file, header)
    for await (const { view, frameOffset, header: block } of blocks) {
      const start = view.byteOffset + frameOffset - BLOCK_HEADER_BYTES
      const usedBytes = BLOCK_HEADER_BYTES + block.payloadBytes
      run.add(new Uint8Array(view.buffer, start, usedBytes), block.fileOffset)
    }
    if (part !== undefined) run.add(part, run.end)
    run.flush()
    file.sync()
  } finally {
    file.close()
  }
  return run.end
}

/** Blocks that follow each other, gathered so that small ones do not take a write each. */
class BlockRun {
  /** Behind the last block. */
  end = SEGMENT_DATA
  private readonly file: StorageFile
  private readonly bytes = alignedBuffer(BLOCK_BYTES_MAX)
  private used = 0

  constructor(file: StorageFile) {
    this.file = file
  }

  /** A block without its padding. */
  add(block: Uint8Array, fileOffset: number): void {
    assert(fileOffset === this.end, 'blocks of a segment follow each other')
    const lengthBytes = alignPage(block.byteLength)
    if (this.used + lengthBytes > this.bytes.byteLength) this.flush()
    this.bytes.set(block, this.used)
    this.bytes.fill(0, this.used + block.byteLength, this.used + lengthBytes)
    this.used += lengthBytes
    this.end += lengthBytes
  }

  flush(): void {
    if (this.used > 0) this.file.write(this.bytes.subarray(0, this.used), this.end - this.used)
    this.used = 0
  }
}

function alignPage(bytes: number): number {
  return Math.ceil(bytes / BLOCK_ALIGNMENT_BYTES) * BLOCK_ALIGNMENT_BYTES
}

function shortened(file: string, offset: number): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    'the file became shorter while it was copied; find out what changed it, and run `tidewheel verify`',
    { file, offset },
  )
}
