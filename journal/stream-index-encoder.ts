/**
 * Writes the pages of a segment's index (stream-index-layout.ts) from pairs of stream and block,
 * collected in the order of the blocks. Eight bytes of memory an event, until they are sorted.
 */
import { crc32 } from 'node:zlib'
import { FORMAT_VERSION, HASH_BYTES } from './block-layout.js'
import { assert } from './errors.js'
import {
  INDEX_FORMAT,
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
  streamKey,
} from './stream-index-layout.js'

const FIRST_PAIRS = 1024
/** Two varints, of 48 bits and of 19. */
const ENTRY_BYTES_MAX = 7 + 3

export class StreamIndexEncoder {
  /** By the aggregate's number: slot × INDEX_PLACES_MAX + place, so that sorting numbers sorts pairs. */
  private readonly aggregates = new Map<number, PairList>()

  /** The block at `fileOffset` has an event of this stream. */
  add(aggregateNumber: number, slot: number, fileOffset: number): void {
    let pairs = this.aggregates.get(aggregateNumber)
    if (pairs === undefined) {
      pairs = new PairList()
      this.aggregates.set(aggregateNumber, pairs)
    }
    pairs.add(slot * INDEX_PLACES_MAX + fileOffset / INDEX_PLACE_BYTES)
  }

  /** The whole file. */
  encode(lastHash: Uint8Array): Uint8Array {
    assert(lastHash.byteLength === HASH_BYTES, 'a block hash has 32 bytes')
    const pages = new PageWriter()
    const numbers = [...this.aggregates.keys()].sort((a, b) => a - b)
    for (const number of numbers) {
      let before = -1
      for (const pair of this.aggregates.get(number)?.sorted() ?? []) {
        // A block often has several events of a stream.
        if (pair === before) continue
        before = pair
        const place = pair % INDEX_PLACES_MAX
        pages.add(streamKey(number, (pair - place) / INDEX_PLACES_MAX), place)
      }
    }
    return pages.finish(lastHash)
  }
}

class PairList {
  private pairs = new Float64Array(FIRST_PAIRS)
  private count = 0

  add(pair: number): void {
    if (this.count > 0 && this.pairs[this.count - 1] === pair) return
    if (this.count === this.pairs.length) {
      const larger = new Float64Array(this.count * 2)
      larger.set(this.pairs)
      this.pairs = larger
    }
    this.pairs[this.count++] = pair
  }

  sorted(): Float64Array {
    return this.pairs.subarray(0, this.count).sort()
  }
}

/** Entries come in order, each once. */
class PageWriter {
  private readonly pages: Uint8Array[] = [new Uint8Array(INDEX_PAGE_BYTES)]
  private end = INDEX_PAGE_BYTES
  private stream = 0
  private place = 0

  add(stream: number, place: number): void {
    if (this.end + ENTRY_BYTES_MAX > INDEX_PAGE_BYTES) {
      this.pages.push(new Uint8Array(INDEX_PAGE_BYTES))
      this.end = INDEX_PAGE_ENTRIES
      this.stream = 0
    }
    const isSame = stream === this.stream
    this.write(stream - this.stream)
    this.write(isSame ? place - this.place : place)
    this.stream = stream
    this.place = place
  }

  finish(lastHash: Uint8Array): Uint8Array {
    const { pages } = this
    const header = pages[0] as Uint8Array
    const view = new DataView(header.buffer)
    view.setUint32(INDEX_MAGIC_OFFSET, INDEX_MAGIC, true)
    view.setUint16(INDEX_FORMAT, FORMAT_VERSION, true)
    view.setUint32(INDEX_PAGES, pages.length - 1, true)
    header.set(lastHash, INDEX_LAST_HASH)
    const headerChecksum = crc32(header.subarray(0, INDEX_HEADER_CHECKSUM))
    view.setUint32(INDEX_HEADER_CHECKSUM, headerChecksum, true)
    for (let number = 1; number < pages.length; number++) {
      const page = pages[number] as Uint8Array
      const checksum = pageChecksum(page, headerChecksum, number)
      new DataView(page.buffer).setUint32(INDEX_PAGE_CHECKSUM, checksum, true)
    }
    return Buffer.concat(pages)
  }

  private write(value: number): void {
    const page = this.pages.at(-1) as Uint8Array
    let rest = value
    // Not by shifts: a stream has 48 bits.
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) page[this.end++] = (rest % 0x80) | 0x80
    page[this.end++] = rest
  }
}

export function pageChecksum(page: Uint8Array, headerChecksum: number, number: number): number {
  return crc32(page.subarray(INDEX_PAGE_ENTRIES, INDEX_PAGE_BYTES), (headerChecksum + number) >>> 0)
}
