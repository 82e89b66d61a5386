/**
 * An archive (archive-layout.ts), read as the segment that it holds: sizes, positions and bytes are
 * those of the segment, so whoever reads segments need not know. One chunk is unpacked at a time,
 * into memory of a chunk's size at most, whatever the file says.
 *
 *   read(position) ─▶ which chunk? ─▶ stored bytes ─▶ crc ─▶ unpack ─▶ as long as it must be?
 *                                                      └───────┴── no ──▶ DAMAGED_BYTE instead
 *
 * A damaged chunk reads as bytes that are neither zero nor a header nor a block. So it is met where
 * damage of a plain segment is met, by the same checks, which know the block and the sequence; and
 * the chunks around it can still be read. What the system refuses is thrown.
 *
 * A chunk whose crc is right and that cannot be unpacked is no accident: after one, nothing more of
 * the archive is unpacked. Node keeps the memory of each such attempt until the next turn of the
 * event loop, and a segment may have eight thousand.
 */
import { crc32, inflateRawSync } from 'node:zlib'
import {
  ARCHIVE_CHUNK_BYTES,
  ARCHIVE_CHUNK_CHECKSUM,
  ARCHIVE_CODEC,
  ARCHIVE_DIRECTORY_CHECKSUM,
  ARCHIVE_ENTRY_BYTES,
  ARCHIVE_FORMAT,
  ARCHIVE_HEADER_BYTES,
  ARCHIVE_HEADER_CHECKSUM,
  ARCHIVE_MAGIC,
  ARCHIVE_MAGIC_OFFSET,
  ARCHIVE_SEGMENT_BYTES,
  ARCHIVE_STORED_BYTES,
  ARCHIVE_STORED_BYTES_MAX,
  CODEC_DEFLATE,
  chunkAt,
  chunkCount,
  chunkOffset,
  chunksOffset,
} from './archive-layout.js'
import { BLOCK_ALIGNMENT_BYTES, FORMAT_VERSION } from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import { SEGMENT_BYTES_MAX, SEGMENT_DATA } from './segment-layout.js'
import { alignedBuffer, type StorageFile } from './storage.js'

/** What a damaged chunk reads as. */
export const DAMAGED_BYTE = 0xdb
const DAMAGED_CHUNK = new Uint8Array(ARCHIVE_CHUNK_BYTES).fill(DAMAGED_BYTE)
/** A chunk or a directory, and what lies beside it in its first and last 4 KiB. */
const SCRATCH_BYTES = ARCHIVE_STORED_BYTES_MAX + 2 * BLOCK_ALIGNMENT_BYTES

/** One a thread: to make such memory takes longer than to unpack a chunk. */
let scratch: Uint8Array | undefined

export class ArchivedSegment implements StorageFile {
  readonly name: string
  readonly direct = false
  private readonly file: StorageFile
  private readonly segmentBytes: number
  private readonly directory: DataView
  /** Where in the file each chunk begins. */
  private readonly positions: Float64Array
  /** The chunk that was unpacked last; −1: none. */
  private unpacked = -1
  private chunk: Uint8Array = DAMAGED_CHUNK
  private isForged = false

  /**
   * Takes over `file`, and closes it where this throws.
   * @throws TidewheelError JOURNAL_DAMAGED, FORMAT_TOO_NEW
   */
  constructor(file: StorageFile) {
    this.file = file
    this.name = file.name
    try {
      this.segmentBytes = this.readHeader()
      this.directory = this.readDirectory()
      this.positions = this.placeChunks()
    } catch (error) {
      file.close()
      throw error
    }
  }

  sizeBytes(): number {
    return this.segmentBytes
  }

  isLinked(): boolean {
    return this.file.isLinked()
  }

  read(buffer: Uint8Array, position: number): number {
    let done = 0
    while (done < buffer.byteLength && position + done < this.segmentBytes) {
      const index = chunkAt(position + done)
      const from = position + done - chunkOffset(index)
      const chunk = this.unpack(index)
      const part = chunk.subarray(from, from + buffer.byteLength - done)
      buffer.set(part, done)
      done += part.byteLength
    }
    return done
  }

  write(): void {
    refuseChange()
  }

  sync(): void {
    refuseChange()
  }

  truncate(): void {
    refuseChange()
  }

  close(): void {
    this.file.close()
  }

  /** @returns the size of the segment */
  private readHeader(): number {
    const bytes = this.readStored(0, ARCHIVE_HEADER_BYTES)
    if (bytes === undefined) throw this.damaged('it ends within its header', 0)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const checksum = crc32(bytes.subarray(0, ARCHIVE_HEADER_CHECKSUM))
    const isIntact =
      view.getUint32(ARCHIVE_MAGIC_OFFSET, true) === ARCHIVE_MAGIC &&
      view.getUint32(ARCHIVE_HEADER_CHECKSUM, true) === checksum
    if (!isIntact) throw this.damaged('its header is damaged', 0)
    const format = view.getUint16(ARCHIVE_FORMAT, true)
    const codec = view.getUint16(ARCHIVE_CODEC, true)
    if (format > FORMAT_VERSION || codec > CODEC_DEFLATE) {
      throw new TidewheelError(
        'FORMAT_TOO_NEW',
        `the archive has format ${format} and codec ${codec}, this version reads format ${FORMAT_VERSION} and codec ${CODEC_DEFLATE}; use the version of tidewheel that wrote it, or a later one`,
        { file: this.name, offset: 0 },
      )
    }
    const segmentBytes = view.getUint32(ARCHIVE_SEGMENT_BYTES, true)
    const isPossible =
      format === FORMAT_VERSION &&
      codec === CODEC_DEFLATE &&
      segmentBytes > SEGMENT_DATA &&
      segmentBytes <= SEGMENT_BYTES_MAX &&
      segmentBytes % BLOCK_ALIGNMENT_BYTES === 0
    if (!isPossible) throw this.damaged('its header has values that no writer makes', 0)
    return segmentBytes
  }

  private readDirectory(): DataView {
    const lengthBytes = chunkCount(this.segmentBytes) * ARCHIVE_ENTRY_BYTES
    const header = this.readStored(0, ARCHIVE_HEADER_BYTES + lengthBytes)
    if (header === undefined) {
      throw this.damaged('it ends within its directory', ARCHIVE_HEADER_BYTES)
    }
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
    const bytes = header.slice(ARCHIVE_HEADER_BYTES)
    if (view.getUint32(ARCHIVE_DIRECTORY_CHECKSUM, true) !== crc32(bytes)) {
      throw this.damaged('its directory is damaged', ARCHIVE_HEADER_BYTES)
    }
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  private placeChunks(): Float64Array {
    const { directory, segmentBytes } = this
    const count = chunkCount(segmentBytes)
    const positions = new Float64Array(count)
    let end = chunksOffset(segmentBytes)
    for (let index = 0; index < count; index++) {
      const entry = index * ARCHIVE_ENTRY_BYTES
      const storedBytes = directory.getUint32(entry + ARCHIVE_STORED_BYTES, true)
      if (storedBytes === 0 || storedBytes > ARCHIVE_STORED_BYTES_MAX) {
        const offset = ARCHIVE_HEADER_BYTES + entry
        throw this.damaged('its directory has a length that no writer makes', offset)
      }
      positions[index] = end
      end += storedBytes
    }
    const sizeBytes = this.file.sizeBytes()
    if (sizeBytes === end) return positions
    const problem = `it is ${sizeBytes} bytes long, its directory says ${end}`
    throw this.damaged(problem, Math.min(sizeBytes, end))
  }

  private unpack(index: number): Uint8Array {
    if (this.unpacked === index) return this.chunk
    const end = Math.min(chunkOffset(index + 1), this.segmentBytes)
    const plainBytes = end - chunkOffset(index)
    this.chunk = this.unpackStored(index, plainBytes) ?? DAMAGED_CHUNK.subarray(0, plainBytes)
    this.unpacked = index
    return this.chunk
  }

  /** Undefined: it is damaged. */
  private unpackStored(index: number, plainBytes: number): Uint8Array | undefined {
    const entry = index * ARCHIVE_ENTRY_BYTES
    const storedBytes = this.directory.getUint32(entry + ARCHIVE_STORED_BYTES, true)
    const stored = this.readStored(this.positions[index] as number, storedBytes)
    if (stored === undefined) return undefined
    const checksum = this.directory.getUint32(entry + ARCHIVE_CHUNK_CHECKSUM, true)
    if (this.isForged || crc32(stored) !== checksum) return undefined
    try {
      // Never more than the chunk may have, whatever the stored bytes would unpack to.
      const options = { maxOutputLength: plainBytes, chunkSize: plainBytes }
      const plain = inflateRawSync(stored, options)
      if (plain.byteLength === plainBytes) return plain
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!code.startsWith('Z_') && code !== 'ERR_BUFFER_TOO_LARGE') throw error
    }
    this.isForged = true
    return undefined
  }

  /** Valid until the next one is read; undefined: the file ends before. */
  private readStored(position: number, lengthBytes: number): Uint8Array | undefined {
    scratch ??= alignedBuffer(SCRATCH_BYTES)
    const before = position % BLOCK_ALIGNMENT_BYTES
    const end = before + lengthBytes
    const aligned = Math.ceil(end / BLOCK_ALIGNMENT_BYTES) * BLOCK_ALIGNMENT_BYTES
    const readBytes = this.file.read(scratch.subarray(0, aligned), position - before)
    return readBytes < end ? undefined : scratch.subarray(before, end)
  }

  private damaged(problem: string, offset: number): TidewheelError {
    return new TidewheelError(
      'JOURNAL_DAMAGED',
      `the archived segment cannot be read: ${problem}. Bring the file back from a backup or a replica`,
      { file: this.name, offset },
    )
  }
}

function refuseChange(): never {
  assert(false, 'an archived segment is not written to')
}
