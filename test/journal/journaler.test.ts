/** The journaler over a real directory, read back by hand. Failing disks: journaler-failure.test.ts. */
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
import { openFileStorage } from '../../journal/file-storage.js'
import { newJournalEnd } from '../../journal/journal-end.js'
import { SEAL_IDLE_MS, SYNC_INTERVAL_MS } from '../../journal/journaler.js'
import { KEY_WINDOW_DEFAULT } from '../../journal/key-window.js'
import { readManifest, writeManifest } from '../../journal/manifest.js'
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_TYPE,
  SEAL_RECORD,
  SYSTEM_COMMAND,
  TRANSACTION_BYTES_MAX,
} from '../../journal/record-layout.js'
import { SEGMENT_BYTES_MIN, SEGMENT_DATA } from '../../journal/segment-layout.js'
import { opened, recover } from '../support/recover.js'
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

function makePreamble(...lengths: number[]): Uint8Array {
  const frames = lengths.map((lengthBytes, index) => {
    const frame = makeFrame(lengthBytes, 0, 1000 + index)
    new DataView(frame.buffer).setUint16(4, SYSTEM_COMMAND, true)
    return frame
  })
  return new Uint8Array(Buffer.concat(frames))
}

/** A transaction that recovery can read: one event, as long as the frame allows. */
function oneEvent(lengthBytes: number): Uint8Array {
  const frame = makeFrame(lengthBytes, 1, 1)
  const view = new DataView(frame.buffer)
  frame.fill(0, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + RECORD_HEADER_BYTES)
  view.setUint32(FRAME_HEADER_BYTES + RECORD_LENGTH, lengthBytes - FRAME_HEADER_BYTES, true)
  view.setUint16(FRAME_HEADER_BYTES + RECORD_TYPE, FIRST_CATALOGUED_TYPE, true)
  return frame
}

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

function isSeal(block: ParsedBlock): boolean {
  const view = new DataView(block.payload.buffer, block.payload.byteOffset)
  return block.payload.byteLength === 32 && view.getUint16(20, true) === SEAL_RECORD
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

describe('journaler: segments', () => {
  it('journaler: rolls when the block does not fit, not before', () => {
    const { journaler, writer, edge, storage } = openJournal()
    const fillBytes = BLOCK_BYTES_MAX - 2 * BLOCK_ALIGNMENT_BYTES - BLOCK_HEADER_BYTES
    for (const lengthBytes of [fillBytes / 2 - 8, fillBytes / 2 + 8]) {
      putFrame(writer, makeFrame(lengthBytes, 1, 1))
    }
    writer.publish()
    journaler.step()
    const frameBytes = 2 * BLOCK_ALIGNMENT_BYTES - BLOCK_HEADER_BYTES
    putFrame(writer, makeFrame(frameBytes, 1, 2))
    writer.publish()
    journaler.step()
    expect(edge.read()).toMatchObject({ segmentNumber: 1, fileOffset: SEGMENT_BYTES_MIN })
    putFrame(writer, makeFrame(16, 1, 3))
    writer.publish()
    storage.operations.length = 0
    journaler.step()
    expect(edge.read()).toMatchObject({ segmentNumber: 2, fileOffset: SEGMENT_DATA + 4096 })
    const kinds = storage.operations.map(({ kind, name }) => `${kind} ${name}`)
    // The old segment first, then the new one, then the manifest, then the block.
    expect(kinds[0]).toBe('sync 0000000001.segment')
    expect(kinds.indexOf('rename 0000000002.segment')).toBeGreaterThan(0)
    expect(kinds.lastIndexOf('syncDirectory ')).toBeGreaterThan(
      kinds.indexOf('rename 0000000002.segment'),
    )
    expect(kinds.indexOf('write 0000000002.segment')).toBeGreaterThan(
      kinds.lastIndexOf('syncDirectory '),
    )
  })

  it('journaler: fills small segments without leaving one empty', () => {
    const segmentBytes = SEGMENT_DATA + 16_384
    const { journaler, writer, path, edge } = openJournal({
      segmentBytes,
      preamble: makePreamble(64),
    })
    for (let mark = 0; mark < 500; mark++) putFrame(writer, makeFrame(720, 1, mark))
    writer.publish()
    journaler.close()
    const { segmentNumber } = edge.read()
    const blocks = parseChain(path, segmentNumber)
    expect(new Set(blocks.map((block) => block.segmentNumber)).size).toBe(segmentNumber)
    expect(blocks.reduce((sum, block) => sum + block.eventCount, 0)).toBe(500)
  })

  it('journaler: goes on where an earlier session ended (no preamble inside a segment)', () => {
    const preamble = makePreamble(64)
    const first = openJournal({ preamble })
    putFrame(first.writer, makeFrame(64, 3, 1))
    first.writer.publish()
    first.journaler.close()
    const [, seal] = parseChain(first.path, 1) as [ParsedBlock, ParsedBlock]
    const edge = first.edge.read()
    const end = {
      ...newJournalEnd(JOURNAL_ID),
      ...{ epoch: 2, fileOffset: edge.fileOffset, blockNumber: 2, sequence: 3 },
      previousHash: seal.hash,
    }
    const second = openJournal({ preamble, path: first.path, end })
    expect(second.edge.read()).toMatchObject({ blockNumber: 2, sequence: 3, ringPosition: 0 })
    putFrame(second.writer, makeFrame(64, 2, 2))
    second.writer.publish()
    second.journaler.close()
    const blocks = parseChain(first.path, 1)
    expect(blocks.map((block) => block.epoch)).toEqual([1, 1, 2, 2])
    expect(blocks.map((block) => block.frameCount)).toEqual([2, 1, 1, 1])
    expect(blocks.map((block) => block.syncedThrough)).toEqual([0, 1, 2, 3])
  })

  it('journaler: refuses a segment that is not its own', () => {
    const { path } = openJournal()
    const end = { ...newJournalEnd(new Uint8Array(16)), blockNumber: 1 }
    expect(() => openJournal({ path, end })).toThrow('JOURNAL_DAMAGED')
  })
})

describe('journaler: durability', () => {
  it.each(['disk', 'os'] as const)(
    'journaler: released only after the write (%s, not direct)',
    (durability) => {
      const { journaler, writer, storage, ring, edge } = openJournal({ durability, direct: false })
      const atOperation: string[] = []
      storage.before = ({ kind }) => {
        atOperation.push(`${kind} ${ring.syncedPosition()} ${edge.read().blockNumber}`)
      }
      for (let mark = 0; mark < 2; mark++) {
        putFrame(writer, makeFrame(64, 1, mark))
        writer.publish()
        journaler.step()
      }
      expect(ring.syncedPosition()).toBe(128)
      expect(atOperation).toEqual(
        durability === 'disk'
          ? ['write 0 0', 'sync 0 0', 'write 64 1', 'sync 64 1']
          : ['write 0 0', 'sync 0 0', 'write 64 1'],
      )
    },
  )

  it('journaler: syncs once a second while blocks come (os)', () => {
    const { journaler, writer, storage, path } = openJournal({ durability: 'os' })
    for (let nowMs = 0; nowMs <= 3500; nowMs += 100) {
      putFrame(writer, makeFrame(64, 1, nowMs))
      writer.publish()
      journaler.step()
      journaler.tick(nowMs)
      expect(journaler.nextDutyMs(nowMs)).toBeLessThanOrEqual(SEAL_IDLE_MS)
    }
    const syncs = storage.operations.filter(({ kind }) => kind === 'sync')
    // The first block at once, then one a second.
    expect(syncs).toHaveLength(4)
    const marks = parseChain(path, 1).map((block) => block.syncedThrough)
    expect(marks.slice(0, 12)).toEqual([0, ...new Array<number>(11).fill(1)])
    expect(marks[12]).toBe(12)
    expect(SYNC_INTERVAL_MS).toBe(1000)
  })

  it('journaler: what is lost of a session at level os behind one at level disk can be cut', () => {
    const first = openJournal({ segmentBytes: 4 * 1024 * 1024 })
    putFrame(first.writer, oneEvent(64))
    first.writer.publish()
    first.journaler.close()
    const { path } = first
    writeManifest(openFileStorage(path), { journalId: JOURNAL_ID, highestSegment: 1 })
    const { end } = opened(recover(openFileStorage(path), { durability: 'os' }))
    const { writer, journaler, storage } = openJournal({ path, end, durability: 'os' })
    for (let block = 0; block < 3; block++) {
      putFrame(writer, oneEvent(500_000))
      writer.publish()
      journaler.step()
    }
    // The power fails: of what was written since the last sync, the headers are lost.
    const synced = storage.operations.findLastIndex(({ kind }) => kind === 'sync')
    const file = openFileStorage(path).open('0000000001.segment', 'write')
    for (const { kind, position } of storage.operations.slice(synced + 1)) {
      if (kind === 'write') file.write(new Uint8Array(4096), position)
    }
    file.close()
    const { report } = opened(recover(openFileStorage(path), { durability: 'os' }))
    expect(report.blocks).toBe(3)
    expect(report.cut?.reason).toContain("level 'os'")
  })

  it('journaler: syncs before it rolls (os)', () => {
    const { journaler, writer, path } = openJournal({ durability: 'os' })
    for (let mark = 0; mark < 3; mark++) {
      putFrame(writer, makeFrame(400_000, 1, mark))
      writer.publish()
      journaler.step()
    }
    journaler.close()
    const blocks = parseChain(path, 2)
    expect(blocks.map((block) => block.segmentNumber)).toEqual([1, 1, 2, 2])
    expect(blocks.map((block) => block.syncedThrough)).toEqual([0, 1, 2, 3])
  })
})

describe('journaler: seals', () => {
  it.each(['disk', 'os'] as const)(
    'journaler: seals once after idle time, covering all (%s)',
    (durability) => {
      const { journaler, writer, path, storage, edge } = openJournal({ durability })
      putFrame(writer, makeFrame(64, 1, 1))
      writer.publish()
      journaler.step()
      journaler.tick(1000)
      expect(journaler.nextDutyMs(1000)).toBe(SEAL_IDLE_MS)
      journaler.tick(1000 + SEAL_IDLE_MS - 1)
      expect(edge.read().blockNumber).toBe(1)
      journaler.tick(1000 + SEAL_IDLE_MS)
      expect(edge.read()).toMatchObject({ blockNumber: 2, sequence: 1, ringPosition: 64 })
      for (let nowMs = 1200; nowMs < 9000; nowMs += 100) journaler.tick(nowMs)
      expect(journaler.nextDutyMs(9000)).toBe(Infinity)
      const [block, seal] = parseChain(path, 1) as [ParsedBlock, ParsedBlock]
      expect(block.syncedThrough).toBe(0)
      expect(seal).toMatchObject({ syncedThrough: 1, frameCount: 1, eventCount: 0 })
      expect(isSeal(seal)).toBe(true)
      expect(seal.payload.subarray(8, 16)).toEqual(block.payload.subarray(8, 16))
      const operations = storage.operations.length
      journaler.close()
      expect(storage.operations).toHaveLength(operations)
      expect(parseChain(path, 1)).toHaveLength(2)
    },
  )

  it('journaler: an idle time that is interrupted starts again', () => {
    const { journaler, writer, edge } = openJournal()
    for (let nowMs = 0; nowMs < 2000; nowMs += SEAL_IDLE_MS - 1) {
      putFrame(writer, makeFrame(64, 1, 1))
      writer.publish()
      journaler.step()
      journaler.tick(nowMs)
    }
    expect(edge.read().blockNumber).toBe(edge.read().sequence)
  })

  it.each([
    { sealed: true, blocks: 2 },
    { sealed: false, blocks: 3 },
  ])('journaler: seals an old tail that is not sealed (sealed $sealed)', ({ sealed, blocks }) => {
    const first = openJournal()
    putFrame(first.writer, makeFrame(64, 1, 1))
    first.writer.publish()
    first.journaler.close()
    const { fileOffset } = first.edge.read()
    const [, last] = parseChain(first.path, 1) as [ParsedBlock, ParsedBlock]
    const end = {
      ...newJournalEnd(JOURNAL_ID),
      ...{ epoch: 2, fileOffset, blockNumber: 2, sequence: 1, sealed },
      previousHash: last.hash,
    }
    const second = openJournal({ path: first.path, end })
    second.journaler.tick(0)
    second.journaler.tick(SEAL_IDLE_MS)
    second.journaler.close()
    expect(parseChain(first.path, 1)).toHaveLength(blocks)
  })

  it('journaler: a seal that does not fit goes into the next segment', () => {
    const { journaler, writer, path, edge } = openJournal({ preamble: makePreamble(64) })
    const frameBytes = BLOCK_PAYLOAD_BYTES_MAX - 64
    for (const lengthBytes of [TRANSACTION_BYTES_MAX, frameBytes - TRANSACTION_BYTES_MAX]) {
      putFrame(writer, makeFrame(lengthBytes, 1, 1))
    }
    writer.publish()
    journaler.close()
    expect(edge.read()).toMatchObject({ segmentNumber: 2, blockNumber: 2 })
    const [, seal] = parseChain(path, 2) as [ParsedBlock, ParsedBlock]
    expect(seal).toMatchObject({
      syncedThrough: 1,
      frameCount: 2,
      eventCount: 0,
      offset: SEGMENT_DATA,
    })
  })
})
