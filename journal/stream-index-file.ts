/**
 * Looks a stream up in the index of a segment (stream-index-layout.ts). The bytes may come from
 * anyone: whatever is wrong with them ends the lookup with `problem` set, and the caller reads the
 * segment itself.
 */
import { crc32 } from 'node:zlib'
import { FORMAT_VERSION, HASH_BYTES } from './block-layout.js'
import type { StorageFile } from './storage.js'
import { pageChecksum } from './stream-index-encoder.js'
import {
  INDEX_FORMAT,
  INDEX_HEADER_BYTES,
  INDEX_HEADER_CHECKSUM,
  INDEX_LAST_HASH,
  INDEX_MAGIC,
  INDEX_MAGIC_OFFSET,
  INDEX_PAGE_BYTES,
  INDEX_PAGE_CHECKSUM,
  INDEX_PAGE_ENTRIES,
  INDEX_PAGES,
  INDEX_PLACE_BYTES,
  INDEX_PLACES_MAX,
  INDEX_RESERVED,
  INDEX_STREAMS_MAX,
} from './stream-index-layout.js'
import { isZero } from './zero-check.js'

const VARINT_BYTES_MAX = 7

export class StreamIndexFile {
  /** Why the index cannot be used; '' while nothing is wrong. */
  problem = ''
  private readonly file: StorageFile
  private readonly page = new Uint8Array(INDEX_PAGE_BYTES)
  private readonly view = new DataView(this.page.buffer)
  private pages = 0
  private headerChecksum = 0
  // The entry that was read last.
  private offset = 0
  private stream = 0
  private place = 0

  /** Looks at the header. `lastHash` is that of the segment's last block. */
  constructor(file: StorageFile, lastHash: Uint8Array) {
    this.file = file
    const { page, view } = this
    const isWhole = file.sizeBytes() >= INDEX_PAGE_BYTES && this.readBytes(0)
    const magic = view.getUint32(INDEX_MAGIC_OFFSET, true)
    this.headerChecksum = view.getUint32(INDEX_HEADER_CHECKSUM, true)
    if (!isWhole || magic !== INDEX_MAGIC) this.fail('it is not an index')
    else if (crc32(page.subarray(0, INDEX_HEADER_CHECKSUM)) !== this.headerChecksum)
      this.fail('its header does not match its checksum')
    else if (!this.hasKnownHeader()) this.fail('its header has values that no writer gives')
    else if (file.sizeBytes() !== (1 + this.pages) * INDEX_PAGE_BYTES)
      this.fail(`it is ${file.sizeBytes()} bytes long, and should have ${this.pages} pages`)
    else if (Buffer.compare(this.lastHash, lastHash) !== 0)
      this.fail('it was made for other blocks than its segment has')
  }

  /** File offsets of the blocks that have events of a stream, in order; undefined: see `problem`. */
  find(stream: number, segmentBytes: number): number[] | undefined {
    const offsets: number[] = []
    let number = this.firstPageOf(stream)
    for (; number <= this.pages && this.enterPage(number); number++) {
      while (this.nextEntry() && this.stream <= stream) {
        if (this.stream !== stream) continue
        const offset = this.place * INDEX_PLACE_BYTES
        const isInOrder = offset > (offsets.at(-1) ?? 0) && offset < segmentBytes
        if (!isInOrder) this.fail(`page ${number} lists a block where none can be`)
        offsets.push(offset)
      }
      if (this.problem !== '' || this.stream > stream) break
    }
    return this.problem === '' ? offsets : undefined
  }

  /** The page before the first one that starts with this stream or a later one; at least 1. */
  private firstPageOf(stream: number): number {
    let low = 1
    let high = this.pages
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (!this.enterPage(middle) || !this.nextEntry()) break
      if (this.stream < stream) low = middle
      else high = middle - 1
    }
    return low
  }

  private enterPage(number: number): boolean {
    const { page, view } = this
    if (this.problem !== '') return false
    const isRead = this.readBytes(number * INDEX_PAGE_BYTES)
    const checksum = view.getUint32(INDEX_PAGE_CHECKSUM, true)
    if (!isRead || pageChecksum(page, this.headerChecksum, number) !== checksum) {
      return this.fail(`page ${number} does not match its checksum`)
    }
    this.offset = INDEX_PAGE_ENTRIES
    this.stream = 0
    this.place = 0
    // A page that says nothing would send a search astray.
    return page[this.offset] !== 0 || this.fail(`page ${number} is empty`)
  }

  /** False at the end of the page, and where `problem` is set. */
  private nextEntry(): boolean {
    const streamDelta = this.nextVarint()
    const place = this.nextVarint()
    if (streamDelta <= 0 && (place === 0 || this.offset > INDEX_PAGE_BYTES)) return false
    if (streamDelta < 0 || place <= 0) return this.fail('it has an entry that no writer makes')
    this.stream += streamDelta
    this.place = streamDelta === 0 ? this.place + place : place
    const isPossible = this.stream < INDEX_STREAMS_MAX && this.place < INDEX_PLACES_MAX
    return isPossible || this.fail('it has an entry that no writer makes')
  }

  /** −1 where there is none. */
  private nextVarint(): number {
    const { page } = this
    let value = 0
    let unit = 1
    for (let count = 0; count < VARINT_BYTES_MAX; count++, unit *= 0x80) {
      const byte = page[this.offset++]
      if (byte === undefined) return -1
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
    }
    return -1
  }

  private get lastHash(): Uint8Array {
    return this.page.subarray(INDEX_LAST_HASH, INDEX_LAST_HASH + HASH_BYTES)
  }

  private hasKnownHeader(): boolean {
    const { page, view } = this
    this.pages = view.getUint32(INDEX_PAGES, true)
    const isKnown = view.getUint16(INDEX_FORMAT, true) === FORMAT_VERSION
    const isReserveZero = view.getUint16(INDEX_RESERVED, true) === 0
    return isKnown && isReserveZero && isZero(page, INDEX_HEADER_BYTES, INDEX_PAGE_BYTES)
  }

  private readBytes(position: number): boolean {
    return this.file.read(this.page, position) === INDEX_PAGE_BYTES
  }

  private fail(problem: string): false {
    this.problem = problem
    return false
  }
}
