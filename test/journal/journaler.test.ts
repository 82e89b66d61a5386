/** The journaler over a real directory: what its blocks hold. Failing disks: journaler-failure.test.ts. */

import { describe, expect, it } from 'vitest'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  BLOCK_PAYLOAD_BYTES_MAX,
  DURABILITY_DISK,
  DURABILITY_OS,
  PREAMBLE_BYTES_MAX,
} from '../../journal/block-layout.js'
import {
  Catalogue,
  type CatalogueEntry,
  encodeCatalogueFrame,
  readCatalogueRecord,
} from '../../journal/catalogue.js'
import { EVENT_RING_BYTES_MIN } from '../../journal/event-ring.js'
import { KEY_WINDOW_DEFAULT } from '../../journal/key-window.js'
import { readManifest } from '../../journal/manifest.js'
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  TRANSACTION_BYTES_MAX,
} from '../../journal/record-layout.js'
import { SEGMENT_BYTES_MIN, SEGMENT_DATA } from '../../journal/segment-layout.js'
import { isSeal, makePreamble } from './journaler-frames.js'
import {
  eventCountOf,
  JOURNAL_ID,
  makeFrame,
  openJournal,
  type ParsedBlock,
  parseChain,
  putFrame,
  randomOf,
} from './writing-harness.js'

const CATALOGUE_ENTRIES = 8000

/** With commands whose names fill it up. */
function catalogueFrame(frameBytes: number): Uint8Array {
  const name = (index: number, length: number): string => `C${index}`.padEnd(length, '_')
  const lengths = new Array<number>(CATALOGUE_ENTRIES).fill(8)
  const encode = (): Uint8Array => {
    const entries = lengths.map((length, index): CatalogueEntry => {
      return { number: FIRST_CATALOGUED_TYPE + index, kind: 'command', name: name(index, length) }
    })
    return encodeCatalogueFrame(new Catalogue('d', KEY_WINDOW_DEFAULT, entries), 1)
  }
  let missing = frameBytes - encode().byteLength
  for (let index = 0; missing > 0; index++, missing -= 50) {
    lengths[index] = 8 + Math.min(50, missing)
  }
  return encode()
}

describe('journaler: content', () => {
  const seed = Date.now() & 0xffff
  it.each([
    { direct: true, durability: 'disk' as const },
    { direct: false, durability: 'disk' as const },
    { direct: true, durability: 'os' as const },
  ])(
    `journaler: the blocks hold the ring's frames in order ($durability, direct $direct, seed ${seed})`,
    (variant) => {
      const random = randomOf(seed)
      const preamble = makePreamble(64, 40)
      const journal = openJournal({ ...variant, preamble, segmentBytes: SEGMENT_BYTES_MIN + 8192 })
      const { writer, journaler, edge, path } = journal
      const expected: Uint8Array[] = []
      let events = 0
      for (let mark = 0; mark < 400; mark++) {
        const lengthBytes = 16 + 8 * random(random(10) === 0 ? 30_000 : 200)
        const frame = makeFrame(lengthBytes, random(5), mark)
        while (!putFrame(writer, frame)) {
          writer.publish()
          expect(journaler.step()).toBe(true)
        }
        expected.push(frame)
        events += eventCountOf(frame)
        if (random(4) === 0) writer.publish()
        if (random(6) === 0) journaler.step()
        expect(edge.read().ringPosition).toBe(journal.ring.syncedPosition())
      }
      writer.publish()
      journaler.close()
      const end = edge.read()
      expect(end.sequence).toBe(events)
      expect(end.ringPosition).toBe(writer.position)
      expect(end.segmentNumber).toBeGreaterThan(3)

      const blocks = parseChain(path, end.segmentNumber)
      expect(blocks.length).toBe(end.blockNumber)
      const last = blocks.at(-1) as ParsedBlock
      expect(isSeal(last)).toBe(true)
      expect(end.fileOffset).toBe(last.offset + BLOCK_ALIGNMENT_BYTES)
      let frames = 0
      const payloads = blocks.slice(0, -1).map((block) => {
        expect(block.durability).toBe(
          variant.durability === 'disk' ? DURABILITY_DISK : DURABILITY_OS,
        )
        const isFirst = block.offset === SEGMENT_DATA
        frames += block.frameCount - (isFirst ? 2 : 0)
        if (!isFirst) return block.payload
        expect(Buffer.compare(block.payload.subarray(0, preamble.byteLength), preamble)).toBe(0)
        return block.payload.subarray(preamble.byteLength)
      })
      expect(frames).toBe(expected.length)
      expect(Buffer.compare(Buffer.concat(payloads), Buffer.concat(expected))).toBe(0)
      expect(readManifest(journal.storage)).toEqual({
        journalId: JOURNAL_ID,
        highestSegment: end.segmentNumber,
      })
    },
  )

  it('journaler: nothing is written (nothing published)', () => {
    const { journaler, storage, writer, edge } = openJournal()
    putFrame(writer, makeFrame(64, 1, 1))
    expect(journaler.step()).toBe(false)
    journaler.tick(0)
    journaler.tick(10_000)
    expect(journaler.nextDutyMs(10_000)).toBe(Infinity)
    journaler.close()
    expect(storage.operations).toEqual([])
    expect(edge.read()).toMatchObject({ blockNumber: 0, fileOffset: SEGMENT_DATA, sequence: 0 })
  })
})

describe('journaler: bounds of a block', () => {
  const HALF = (BLOCK_PAYLOAD_BYTES_MAX - 16) / 2
  const HALF_WORDS = HALF - (HALF % 8)

  it.each([
    {
      name: 'exactly full',
      lastBytes: BLOCK_PAYLOAD_BYTES_MAX - 2 * HALF_WORDS,
      frames: 3,
      padded: BLOCK_BYTES_MAX,
    },
    {
      name: 'one word too much',
      lastBytes: BLOCK_PAYLOAD_BYTES_MAX - 2 * HALF_WORDS + 8,
      frames: 2,
      padded: BLOCK_BYTES_MAX,
    },
  ])(
    'journaler: a block takes whole frames up to its limit ($name)',
    ({ lastBytes, frames, padded }) => {
      const { journaler, writer, path, edge } = openJournal()
      for (const lengthBytes of [HALF_WORDS, HALF_WORDS, lastBytes]) {
        expect(putFrame(writer, makeFrame(lengthBytes, 1, lengthBytes))).toBe(true)
      }
      writer.publish()
      expect(journaler.step()).toBe(true)
      expect(edge.read().fileOffset).toBe(SEGMENT_DATA + padded)
      expect(journaler.step()).toBe(frames === 2)
      journaler.close()
      const blocks = parseChain(path, edge.read().segmentNumber).filter((block) => !isSeal(block))
      expect(blocks.map((block) => block.frameCount)).toEqual(frames === 3 ? [3] : [2, 1])
    },
  )

  it.each([
    {
      name: 'fills the sector',
      frameBytes: BLOCK_ALIGNMENT_BYTES - BLOCK_HEADER_BYTES,
      padded: 4096,
    },
    {
      name: 'one word more',
      frameBytes: BLOCK_ALIGNMENT_BYTES - BLOCK_HEADER_BYTES + 8,
      padded: 8192,
    },
  ])('journaler: a block ends on a 4 KiB boundary ($name)', ({ frameBytes, padded }) => {
    const { journaler, writer, edge } = openJournal()
    putFrame(writer, makeFrame(frameBytes, 1, 1))
    writer.publish()
    journaler.step()
    expect(edge.read().fileOffset).toBe(SEGMENT_DATA + padded)
  })

  it('journaler: stale bytes of a longer block never show in the padding', () => {
    const { journaler, writer, path } = openJournal()
    for (const lengthBytes of [100_000, 24, 5000, 16]) {
      putFrame(writer, makeFrame(lengthBytes, 1, 7))
      writer.publish()
      journaler.step()
    }
    journaler.close()
    expect(parseChain(path, 1)).toHaveLength(5)
  })

  it('journaler: preamble and largest transaction share a block', () => {
    const preamble = makePreamble(TRANSACTION_BYTES_MAX - 512, 384)
    expect(preamble.byteLength).toBe(PREAMBLE_BYTES_MAX)
    const { journaler, writer, path, edge } = openJournal({ preamble })
    for (let mark = 0; mark < 3; mark++) {
      putFrame(writer, makeFrame(TRANSACTION_BYTES_MAX, 1, mark))
      writer.publish()
      journaler.step()
    }
    journaler.close()
    const blocks = parseChain(path, edge.read().segmentNumber)
    expect(blocks.map((block) => block.frameCount)).toEqual([3, 3, 3, 3])
    const tooLong = makePreamble(TRANSACTION_BYTES_MAX - 512, 392)
    expect(() => openJournal({ preamble: tooLong })).toThrow('share a block')
  })

  it('journaler: takes every catalogue that can be encoded (the largest one)', () => {
    const preamble = catalogueFrame(PREAMBLE_BYTES_MAX)
    expect(preamble.byteLength).toBe(PREAMBLE_BYTES_MAX)
    const { journaler, writer, path, edge } = openJournal({ preamble })
    putFrame(writer, makeFrame(TRANSACTION_BYTES_MAX, 1, 1))
    writer.publish()
    journaler.close()
    const [first] = parseChain(path, edge.read().segmentNumber) as [ParsedBlock]
    const { payload } = first
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    const headersBytes = FRAME_HEADER_BYTES + RECORD_HEADER_BYTES
    const lengthBytes = view.getUint32(FRAME_HEADER_BYTES + RECORD_LENGTH, true)
    const read = readCatalogueRecord(view, headersBytes, lengthBytes - RECORD_HEADER_BYTES)
    expect(read.entries).toHaveLength(CATALOGUE_ENTRIES)
    expect(() => catalogueFrame(PREAMBLE_BYTES_MAX + 8)).toThrow(
      `INVALID_DOMAIN: the types of domain 'd' take ${PREAMBLE_BYTES_MAX + 8} bytes`,
    )
  })
})

describe('journaler: the end of the ring', () => {
  it.each([0, 8, 16, 24, 4096])(
    'journaler: a block ends where the ring does (%i bytes of padding)',
    (paddingBytes) => {
      const { journaler, writer, ring, path, edge } = openJournal()
      const expected: Uint8Array[] = []
      const put = (lengthBytes: number): void => {
        const frame = makeFrame(lengthBytes, 1, expected.length)
        expect(putFrame(writer, frame)).toBe(true)
        expected.push(frame)
      }
      while (writer.position < EVENT_RING_BYTES_MIN - 65_536) {
        put(65_536)
        writer.publish()
        journaler.step()
      }
      put(65_536 - paddingBytes)
      put(paddingBytes + 16)
      expect(writer.position).toBe(EVENT_RING_BYTES_MIN + paddingBytes + 16)
      writer.publish()
      // One block up to the ring's end, one from its start.
      expect(journaler.step()).toBe(true)
      expect(ring.syncedPosition()).toBe(EVENT_RING_BYTES_MIN)
      expect(journaler.step()).toBe(true)
      expect(ring.syncedPosition()).toBe(writer.position)
      journaler.close()
      const blocks = parseChain(path, edge.read().segmentNumber).filter((block) => !isSeal(block))
      const content = Buffer.concat(blocks.map((block) => block.payload))
      expect(Buffer.compare(content, Buffer.concat(expected))).toBe(0)
    },
  )

  it('journaler: padding alone is released without a block', () => {
    const { journaler, writer, ring, edge } = openJournal()
    while (writer.position < EVENT_RING_BYTES_MIN - 65_536) {
      putFrame(writer, makeFrame(65_536, 1, 1))
      writer.publish()
      journaler.step()
    }
    const { blockNumber } = edge.read()
    expect(writer.makeRoom(TRANSACTION_BYTES_MAX)).toBe(true)
    writer.publish()
    expect(journaler.step()).toBe(true)
    expect(ring.syncedPosition()).toBe(EVENT_RING_BYTES_MIN)
    expect(edge.read()).toMatchObject({ blockNumber, ringPosition: EVENT_RING_BYTES_MIN })
    expect(journaler.step()).toBe(false)
  })
})
