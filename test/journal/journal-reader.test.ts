import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFileStorage } from '../../journal/file-storage.js'
import { FrameCursor } from '../../journal/frames.js'
import { JournalReader, type ReadBlocksOptions } from '../../journal/journal-reader.js'
import { SEGMENT_DATA, segmentName } from '../../journal/segment-layout.js'
import type { Storage } from '../../journal/storage.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { collectSequences, upTo } from '../support/recover.js'
import { seededRandom } from '../support/seeded-random.js'

interface Read {
  sequences: number[]
  blocks: number[]
}

async function readAll(
  storage: Storage,
  options: ReadBlocksOptions,
  direct = false,
): Promise<Read> {
  const reader = new JournalReader(storage, { direct })
  const read: Read = { sequences: [], blocks: [] }
  const cursor = new FrameCursor()
  for await (const { view, frameOffset, payloadBytes, header } of reader.blocks(options)) {
    collectSequences(cursor, view, frameOffset, payloadBytes, read.sequences)
    read.blocks.push(header.blockNumber)
  }
  reader.close()
  return read
}

describe('journal reader', () => {
  it('reader: starts at the block that holds the event (every event)', async () => {
    const { storage, built } = sealedJournal()
    for (let fromSequence = 1; fromSequence <= 12; fromSequence++) {
      const { sequences, blocks } = await readAll(storage, { fromSequence })
      const first = built.find(({ firstSequence, events }) => firstSequence + events > fromSequence)
      expect(blocks[0]).toBe(first?.number)
      expect(sequences).toEqual(upTo(12).slice((first?.firstSequence ?? 0) - 1))
    }
    expect(await readAll(storage, { fromSequence: 13 })).toEqual({ sequences: [], blocks: [] })
    expect((await readAll(storage, { fromSequence: 0 })).blocks).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('reader: starts with the segment when it is asked to', async () => {
    const { storage } = sealedJournal()
    const read = await readAll(storage, { fromSequence: 10, fromSegmentStart: true })
    expect(read.blocks).toEqual([3, 4, 5, 6])
  })

  it('reader: from the first event on, also where whole segments before it have none', async () => {
    const builder = new JournalBuilder()
    while (builder.segmentNumber < 4) builder.block({ events: 0 })
    const rejections = builder.blockNumber
    builder.block({ events: 3 }).roll().block({ events: 2 })
    for (const fromSequence of [0, 1]) {
      const read = await readAll(builder.storage, { fromSequence, fromSegmentStart: true })
      expect(read).toEqual({ sequences: upTo(5), blocks: upTo(rejections + 2) })
    }
    const behind = await readAll(builder.storage, { fromSequence: 4, fromSegmentStart: true })
    expect(behind.sequences.slice(-2)).toEqual([4, 5])
  })

  it('reader: finds the place among many segments (random journals, against a plain search)', async () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    for (let round = 0; round < 30; round++) {
      const builder = new JournalBuilder()
      for (let block = random.below(30); block > 0; block--)
        builder.block({ events: random.below(3) })
      if (random.below(2) === 0) builder.prepare(builder.segmentNumber + 1)
      const fromSequence = random.below(builder.sequence + 2)
      const expected = builder.built
        .filter(({ firstSequence, events }) => firstSequence + events > Math.max(1, fromSequence))
        .map(({ number }) => number)
      const { blocks, sequences } = await readAll(builder.storage, { fromSequence })
      const wanted = blocks.filter((number) => expected.includes(number))
      expect(wanted, `seed ${seed}`).toEqual(expected)
      expect(sequences.at(-1) ?? 0, `seed ${seed}`).toBe(
        expected.length === 0 ? 0 : builder.sequence,
      )
    }
  })

  it('reader: looks at nothing behind the bound (every block)', async () => {
    const { storage, built } = sealedJournal()
    for (const block of built) {
      const damaged = storage.copy()
      for (const later of built.slice(block.number)) {
        damaged.bytesOf(later.file).fill(0xff, later.offset, later.offset + later.lengthBytes)
      }
      const bound = {
        segmentNumber: Number.parseInt(block.file, 10),
        fileOffset: block.offset + block.lengthBytes,
      }
      const { blocks } = await readAll(damaged, { fromSequence: 1, bound })
      expect(blocks).toEqual(upTo(block.number))
    }
  })

  it('reader: throws for a block before the bound that is not good', async () => {
    const { storage, built } = sealedJournal()
    const [, , , fourth, , sixth] = built
    if (fourth === undefined || sixth === undefined) throw new Error('six blocks')
    const bound = { segmentNumber: 3, fileOffset: sixth.offset + sixth.lengthBytes }
    for (const block of [fourth, sixth]) {
      const damaged = storage.copy()
      damaged.bytesOf(block.file)[block.offset + 150] = 0xff
      await expect(readAll(damaged, { fromSequence: 1, bound })).rejects.toMatchObject({
        code: 'JOURNAL_DAMAGED',
        file: block.file,
        offset: block.offset,
      })
      damaged.bytesOf(block.file).fill(0, block.offset, block.offset + block.lengthBytes)
      await expect(readAll(damaged, { fromSequence: 1, bound })).rejects.toMatchObject({
        code: 'JOURNAL_DAMAGED',
      })
    }
  })

  it('reader: throws for missing segments (within the bound, in the middle)', async () => {
    const { storage } = sealedJournal()
    const bound = { segmentNumber: 5, fileOffset: SEGMENT_DATA }
    await expect(readAll(storage, { fromSequence: 1, bound })).rejects.toThrow(
      /segment 5 .* missing/,
    )
    storage.files.delete(segmentName(2))
    await expect(readAll(storage, { fromSequence: 1 })).rejects.toThrow(/segment 2 .* missing/)
  })

  it('reader: without a bound ends where an opening would cut, and throws where it would refuse', async () => {
    const torn = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    torn.bytesAround(2)[torn.at(2).offset + 170] = 0
    expect((await readAll(torn.storage, { fromSequence: 1 })).sequences).toEqual([1, 2])
    torn.bytesAround(2)[torn.at(2).offset + 170] = 0xa5
    torn.bytesAround(1)[torn.at(1).offset + 170] = 0
    await expect(readAll(torn.storage, { fromSequence: 1 })).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      offset: torn.at(1).offset,
    })
  })

  it('reader: goes on with what is written while it reads, and takes no gap for damage', async () => {
    const builder = new JournalBuilder().block().prepare(2).prepare(3)
    const reader = new JournalReader(builder.storage)
    const blocks: number[] = []
    for await (const { header } of reader.blocks({ fromSequence: 1 })) {
      blocks.push(header.blockNumber)
      if (builder.blockNumber < 5) builder.block()
    }
    expect(blocks).toEqual([1, 2, 3, 4, 5])
    // The writer rolls after the end of the first segment was seen, before the second is read.
    const second = new JournalBuilder().block().prepare(2)
    const { storage } = second
    const open = storage.open.bind(storage)
    let opens = 0
    storage.open = (name, mode) => {
      if (name === segmentName(2) && ++opens === 3) second.block().block()
      return open(name, mode)
    }
    const live = await readAll(storage, { fromSequence: 1 })
    expect(opens).toBeGreaterThanOrEqual(3)
    expect(live.blocks).toEqual([1])
    expect((await readAll(storage, { fromSequence: 1 })).blocks).toEqual([1, 2, 3])
  })

  it('reader: ends when it is closed', async () => {
    const { storage } = sealedJournal()
    const reader = new JournalReader(storage)
    let blocks = 0
    for await (const _ of reader.blocks({ fromSequence: 1 })) {
      blocks++
      reader.close()
    }
    expect(blocks).toBe(1)
  })

  it('reader: reads the same past the page cache (files on disk)', async () => {
    const path = mkdtempSync(join(tmpdir(), 'tidewheel-reader-'))
    try {
      const builder = new JournalBuilder({ segmentBytes: 6 * 1024 * 1024 })
      for (let block = 0; block < 40; block++) builder.block({ events: 50, payloadBytes: 4000 })
      for (const [name, bytes] of builder.storage.files) writeFileSync(join(path, name), bytes)
      const storage = openFileStorage(path)
      const expected = upTo(builder.sequence)
      for (const direct of [false, true]) {
        const { sequences } = await readAll(storage, { fromSequence: 1 }, direct)
        expect(sequences).toEqual(expected)
        const fromMiddle = await readAll(storage, { fromSequence: 1234 }, direct)
        expect(fromMiddle.sequences).toEqual(expected.slice(1200))
      }
    } finally {
      rmSync(path, { recursive: true })
    }
  })
})
