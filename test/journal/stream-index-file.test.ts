import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_DATA } from '../../journal/segment-layout.js'
import type { Storage } from '../../journal/storage.js'
import { encodeStreamIndex } from '../../journal/stream-index-build.js'
import { pageChecksum, StreamIndexEncoder } from '../../journal/stream-index-encoder.js'
import { StreamIndexFile } from '../../journal/stream-index-file.js'
import {
  INDEX_HEADER_CHECKSUM,
  INDEX_LAST_HASH,
  INDEX_PAGE_BYTES,
  INDEX_PAGE_CHECKSUM,
  INDEX_PAGES,
  INDEX_PLACE_BYTES,
  streamKey,
} from '../../journal/stream-index-layout.js'
import type { StreamPlace } from '../../journal/stream-indexes.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { seededRandom } from '../support/seeded-random.js'
import { StreamJournal } from '../support/stream-journal.js'

const window = new ReadWindow()
const SEGMENT_BYTES = 1024 * 1024
const HASH = new Uint8Array(32).fill(7)
const STREAM: StreamPlace = { aggregateNumber: 16, slot: 1 }

/** Segments with one block of the stream each. */
function smallStorage(): Storage {
  const journal = new StreamJournal({ segmentBytes: 20 * 1024 })
  for (let i = 0; i < 11; i++)
    journal.block(i % 3 === 0 ? STREAM : { aggregateNumber: 19, slot: i })
  return journal.builder.storage
}

function openIndex(bytes: Uint8Array, lastHash: Uint8Array): StreamIndexFile {
  const storage = new MemoryStorage()
  storage.files.set('index', bytes)
  return new StreamIndexFile(storage.open('index', 'read'), lastHash)
}

/** Gives changed pages the checksums that a writer would have given them. */
function sign(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = crc32(bytes.subarray(0, INDEX_HEADER_CHECKSUM))
  view.setUint32(INDEX_HEADER_CHECKSUM, header, true)
  for (let page = 1; (page + 1) * INDEX_PAGE_BYTES <= bytes.length; page++) {
    const start = page * INDEX_PAGE_BYTES
    const checksum = pageChecksum(bytes.subarray(start, start + INDEX_PAGE_BYTES), header, page)
    view.setUint32(start + INDEX_PAGE_CHECKSUM, checksum, true)
  }
  return bytes
}

describe('stream index: pages', () => {
  it('find: gives what was added (random pairs over many pages, against a plain list)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    for (let round = 0; round < 12; round++) {
      const encoder = new StreamIndexEncoder()
      const expected = new Map<number, number[]>()
      const slotsMax = [3, 200, 0xffff_ffff][round % 3] as number
      const blocks = 1 + random.below(3000)
      for (let block = 0; block < blocks; block++) {
        const offset = SEGMENT_DATA + block * INDEX_PLACE_BYTES * (1 + (round % 2))
        for (let event = random.below(6); event > 0; event--) {
          const aggregate = [16, 17, 0xfffe][random.below(3)] as number
          const slot = random.below(slotsMax) + 1
          encoder.add(aggregate, slot, offset)
          const key = streamKey(aggregate, slot)
          const offsets = expected.get(key) ?? []
          if (offsets.at(-1) !== offset) offsets.push(offset)
          expected.set(key, offsets)
        }
      }
      const index = openIndex(encoder.encode(HASH), HASH)
      const keys = [...expected.keys()].sort((a, b) => a - b)
      const step = Math.max(1, Math.floor(keys.length / 200))
      for (let i = 0; i < keys.length; i += step) {
        const key = keys[i] as number
        expect(index.find(key, 2 ** 31), `seed ${seed}`).toEqual(expected.get(key))
        const missing = key + 1
        expect(index.find(missing, 2 ** 31), `seed ${seed}`).toEqual(expected.get(missing) ?? [])
      }
      const last = keys.at(-1)
      if (last !== undefined) expect(index.find(last, 2 ** 31)).toEqual(expected.get(last))
      expect(index.find(1, 2 ** 31)).toEqual([])
      expect(index.find(2 ** 48 - 1, 2 ** 31)).toEqual([])
      expect(index.problem).toBe('')
    }
  })

  it('find: one stream that fills pages between others, and starts and ends some of them', () => {
    for (let before = 1330; before < 1400; before++) {
      const encoder = new StreamIndexEncoder()
      const offsetOf = (place: number): number => SEGMENT_DATA + place * INDEX_PLACE_BYTES
      for (let slot = 1; slot <= before; slot++) encoder.add(16, slot, SEGMENT_DATA)
      const offsets = Array.from({ length: 5000 }, (_, place) => offsetOf(place))
      for (const offset of offsets) encoder.add(16, before + 1, offset)
      encoder.add(16, before + 2, offsetOf(9))
      const index = openIndex(encoder.encode(HASH), HASH)
      expect(index.find(streamKey(16, before), 2 ** 31)).toEqual([SEGMENT_DATA])
      expect(index.find(streamKey(16, before + 1), 2 ** 31)).toEqual(offsets)
      expect(index.find(streamKey(16, before + 2), 2 ** 31)).toEqual([offsetOf(9)])
    }
  })

  it('find: refuses every flipped bit, every length, another hash', () => {
    const { bytes, lastHash } = encodeStreamIndex(smallStorage(), 2, window)
    expect(bytes.length).toBe(2 * INDEX_PAGE_BYTES)
    const key = streamKey(STREAM.aggregateNumber, STREAM.slot)
    expect(openIndex(bytes, lastHash).find(key, SEGMENT_BYTES)).toHaveLength(1)
    const isRefused = (changed: Uint8Array, hash: Uint8Array): boolean => {
      const index = openIndex(changed, hash)
      const found = index.problem === '' ? index.find(key, SEGMENT_BYTES) : undefined
      return found === undefined && index.problem !== ''
    }
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      expect(isRefused(changed, lastHash), `byte ${at}`).toBe(true)
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(isRefused(bytes.slice(0, length), lastHash), `length ${length}`).toBe(true)
    }
    expect(isRefused(Buffer.concat([bytes, new Uint8Array(1)]), lastHash)).toBe(true)
    expect(isRefused(Buffer.concat([bytes, new Uint8Array(4096)]), lastHash)).toBe(true)
    expect(isRefused(bytes, HASH)).toBe(true)
  })

  it('find: survives anything under right checksums, in bounded time and memory', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const journal = new StreamJournal({ segmentBytes: SEGMENT_BYTES })
    journal.random(random, 250, 60, 5000)
    const { bytes: whole } = encodeStreamIndex(journal.builder.storage, 1, window)
    expect(whole.length).toBeGreaterThan(4 * INDEX_PAGE_BYTES)
    for (let round = 0; round < 400; round++) {
      const pages = random.below(6)
      const bytes =
        random.below(3) === 0
          ? Uint8Array.from({ length: (1 + pages) * INDEX_PAGE_BYTES }, () => random.below(256))
          : whole.slice()
      const first = whole.subarray(0, INDEX_LAST_HASH)
      bytes.set(first)
      new DataView(bytes.buffer).setUint32(INDEX_PAGES, bytes.length / INDEX_PAGE_BYTES - 1, true)
      bytes.set(HASH, INDEX_LAST_HASH)
      bytes.fill(0, INDEX_HEADER_CHECKSUM, INDEX_PAGE_BYTES)
      for (let change = random.below(40); change > 0; change--) {
        const at = INDEX_PAGE_BYTES + random.below(bytes.length - INDEX_PAGE_BYTES)
        if (at < bytes.length) bytes[at] = random.below(2) === 0 ? random.below(256) : 0
      }
      const index = openIndex(sign(bytes), HASH)
      expect(index.problem, `seed ${seed}`).toBe('')
      const found = index.find(streamKey(16, random.below(5000)), SEGMENT_BYTES)
      if (found === undefined) expect(index.problem, `seed ${seed}`).not.toBe('')
      for (const [i, offset] of (found ?? []).entries()) {
        const isInOrder = offset > (found?.[i - 1] ?? 0) && offset < SEGMENT_BYTES
        expect(isInOrder && offset % INDEX_PLACE_BYTES === 0, `seed ${seed}`).toBe(true)
      }
    }
    for (let round = 0; round < 400; round++) {
      const length = random.below(3 * INDEX_PAGE_BYTES)
      const index = openIndex(
        Uint8Array.from({ length }, () => random.below(256)),
        HASH,
      )
      expect(index.problem, `seed ${seed}`).not.toBe('')
    }
  })
})
