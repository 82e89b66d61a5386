import { describe, expect, it } from 'vitest'
import { KnownSegments } from '../../journal/known-segments.js'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_DATA } from '../../journal/segment-layout.js'
import type { Storage } from '../../journal/storage.js'
import { encodeStreamIndex } from '../../journal/stream-index-build.js'
import { StreamIndexEncoder } from '../../journal/stream-index-encoder.js'
import { indexName, temporaryIndexName } from '../../journal/stream-index-layout.js'
import type { StreamPlace } from '../../journal/stream-indexes.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import type { MemoryStorage } from '../support/memory-storage.js'
import { recover } from '../support/recover.js'
import { seededRandom } from '../support/seeded-random.js'
import {
  AGGREGATES,
  type Indexes,
  indexesOf,
  PlainIndexBuilder,
  readStream,
  StreamJournal,
} from '../support/stream-journal.js'

const window = new ReadWindow()
const HASH = new Uint8Array(32).fill(7)
const STREAM: StreamPlace = { aggregateNumber: 16, slot: 1 }
const OTHER: StreamPlace = { aggregateNumber: 19, slot: 1 }

/** Until no more indexes are wanted. */
async function built({ tasks }: Indexes): Promise<void> {
  for (let count = -1; count !== tasks.length; ) {
    count = tasks.length
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
  }
}

function sealedSegments(journal: StreamJournal): number[] {
  return Array.from({ length: journal.builder.segmentNumber - 1 }, (_, i) => i + 1)
}

/** All sealed segments of the journal, indexed. */
async function buildAll(journal: StreamJournal): Promise<void> {
  const { storage } = journal.builder
  const indexes = indexesOf(storage)
  await readStream(storage, STREAM, journal.bound, { indexes: indexes.indexes })
  await built(indexes)
  for (const number of sealedSegments(journal)) {
    expect(storage.files.has(indexName(number))).toBe(true)
  }
}

/** Every stream, with and without the indexes that are there. */
async function expectRight(
  journal: StreamJournal,
  slots: number,
  why: string,
  storage: Storage = journal.builder.storage,
): Promise<Indexes> {
  const indexes = indexesOf(storage)
  const known = new KnownSegments(storage, false)
  for (const aggregateNumber of AGGREGATES) {
    for (let slot = 1; slot <= slots + 1; slot++) {
      const stream = { aggregateNumber, slot }
      const options = { indexes: indexes.indexes, known }
      const read = await readStream(storage, stream, journal.bound, options)
      expect(read, why).toEqual(journal.sequencesOf(stream))
    }
  }
  return indexes
}

/** Three sealed segments of two or three blocks, and one that is written. */
function smallJournal(seed = 1): StreamJournal {
  const journal = new StreamJournal({ seed, segmentBytes: 20 * 1024 })
  const random = seededRandom(seed)
  for (let block = 0; block < 11; block++) {
    const more = { aggregateNumber: 16, slot: 2 + random.below(8) }
    if (block % 3 === 0) journal.block(STREAM, more)
    else journal.block(OTHER, more)
  }
  expect(journal.builder.segmentNumber).toBe(4)
  return journal
}

describe('stream index: reading', () => {
  it('read: the same with indexes present, missing, damaged (random journals, plain filter)', async () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    for (let round = 0; round < 4; round++) {
      const segmentBytes = (4 + random.below(12)) * 4096
      const journal = new StreamJournal({ segmentBytes, seed: round + 1 })
      const slots = [3, 40][round % 2] as number
      journal.random(random, random.below(60), 5, slots)
      const { storage } = journal.builder
      const why = `seed ${seed}, round ${round}`
      const first = await expectRight(journal, slots, why)
      await built(first)
      expect(first.reports).toEqual([])
      const numbers = sealedSegments(journal)
      for (const number of numbers) expect(storage.files.has(indexName(number)), why).toBe(true)
      const second = await expectRight(journal, slots, why)
      await built(second)
      expect([second.reports, second.tasks], why).toEqual([[], []])
      const wrong = numbers.filter(() => random.below(2) === 0)
      for (const number of wrong) {
        const bytes = storage.bytesOf(indexName(number))
        if (random.below(3) === 0) storage.files.delete(indexName(number))
        else if (random.below(2) === 0) storage.files.set(indexName(number), bytes.slice(0, 4000))
        else bytes.fill(0xff, 40, 4200)
      }
      const gone = wrong.filter((number) => !storage.files.has(indexName(number)))
      const third = await expectRight(journal, slots, why)
      await built(third)
      expect(third.reports, why).toHaveLength(wrong.length - gone.length)
      expect(new Set(third.tasks.map(({ segmentNumber }) => segmentNumber))).toEqual(new Set(wrong))
      const fourth = await expectRight(journal, slots, why)
      expect([fourth.reports, fourth.tasks], why).toEqual([[], []])
    }
  })

  it('read: segments and blocks without the stream are not looked at', async () => {
    const journal = smallJournal()
    const { builder, bound } = journal
    const { storage } = builder
    await buildAll(journal)
    const indexes = indexesOf(storage)
    const known = new KnownSegments(storage, false)
    const options = { indexes: indexes.indexes, known }
    await readStream(storage, STREAM, bound, options)
    // Everything in sealed segments but the blocks that have the stream.
    const sequences = new Set(journal.sequencesOf(STREAM))
    for (const { file, offset, lengthBytes, firstSequence, events, number } of builder.built) {
      if (Number.parseInt(file, 10) === bound.segmentNumber) continue
      const has = [...sequences].some((s) => s >= firstSequence && s < firstSequence + events)
      if (!has) storage.bytesOf(file).fill(0xff, offset, offset + lengthBytes)
      else expect(number % 3).toBe(1)
    }
    const opened: string[] = []
    const open = storage.open.bind(storage)
    storage.open = (name, mode) => {
      opened.push(name)
      return open(name, mode)
    }
    expect(await readStream(storage, STREAM, bound, options)).toEqual([...sequences])
    opened.length = 0
    const nobody = { aggregateNumber: 16, slot: 999 }
    expect(await readStream(storage, nobody, bound, options)).toEqual([])
    const segments = opened.filter((name) => name.endsWith('.segment'))
    expect(segments).toEqual([`000000000${bound.segmentNumber}.segment`])
    expect([indexes.reports, indexes.tasks]).toEqual([[], []])
  })

  it('read: headers are looked at once, and segments that appear are seen', async () => {
    const journal = smallJournal()
    const { storage } = journal.builder
    const known = new KnownSegments(storage, false)
    const read = (stream: StreamPlace) => readStream(storage, stream, journal.bound, { known })
    await read(STREAM)
    let opens = 0
    const open = storage.open.bind(storage)
    storage.open = (name, mode) => {
      opens++
      return open(name, mode)
    }
    for (let block = 0; block < 40; block++) {
      journal.block(STREAM, OTHER)
      opens = 0
      expect(await read(STREAM)).toEqual(journal.sequencesOf(STREAM))
      const { segmentNumber, fileOffset } = journal.bound
      // A new one: its header, its first block for the search, its blocks.
      const isNew = fileOffset === SEGMENT_DATA + 4096
      expect(opens).toBeLessThanOrEqual(segmentNumber + (isNew ? 4 : 1))
    }
    storage.files.delete('0000000002.segment')
    await expect(read(STREAM)).rejects.toThrow(/segment 2 of the journal is missing/)
  })

  it('read: an index of another journal, another segment, or older blocks is told and replaced', async () => {
    const slots = 9
    for (const kind of ['journal', 'segment', 'older'] as const) {
      const journal = smallJournal(1)
      const { storage } = journal.builder
      await buildAll(journal)
      if (kind === 'journal') {
        const other = smallJournal(2)
        await buildAll(other)
        storage.files.set(indexName(2), other.builder.storage.bytesOf(indexName(2)))
      } else if (kind === 'segment') {
        storage.files.set(indexName(2), storage.bytesOf(indexName(1)).slice())
      } else {
        // The segment was cut once, after it had been indexed, and written on.
        const encoder = new StreamIndexEncoder()
        encoder.add(16, 1, SEGMENT_DATA)
        storage.files.set(indexName(2), encoder.encode(HASH))
      }
      const indexes = await expectRight(journal, slots, kind)
      await built(indexes)
      expect(indexes.reports).toHaveLength(1)
      expect(indexes.reports[0]).toMatch(/^0000000002\.index cannot be used \(.*other blocks/)
      expect(indexes.tasks).toHaveLength(1)
      const again = await expectRight(journal, slots, kind)
      expect([again.reports, again.tasks]).toEqual([[], []])
    }
  })

  it('read: every flipped byte and every length of an index (whole reads, samples)', async () => {
    const journal = smallJournal()
    const { storage } = journal.builder
    await buildAll(journal)
    const intact = storage.bytesOf(indexName(2)).slice()
    const expected = journal.sequencesOf(STREAM)
    for (let at = 0; at < intact.length; at += 1 + (at >> 2)) {
      const flipped = intact.slice()
      flipped[at] = (flipped[at] as number) ^ 0x10
      for (const bytes of [flipped, intact.slice(0, at)]) {
        storage.files.set(indexName(2), bytes)
        const { indexes, reports } = indexesOf(storage)
        expect(await readStream(storage, STREAM, journal.bound, { indexes })).toEqual(expected)
        expect(reports, `byte ${at}`).toHaveLength(1)
      }
    }
  })

  it('read: places under right checksums where no block is', async () => {
    const journal = new StreamJournal({ segmentBytes: 64 * 1024 })
    for (let i = 0; i < 60; i++) journal.block(i % 4 === 0 ? STREAM : OTHER, OTHER)
    const { storage, built: blocks } = journal.builder
    const { lastHash } = encodeStreamIndex(storage, 2, window)
    const own = blocks.filter(({ file }) => file === '0000000002.segment')
    for (const wrong of [SEGMENT_DATA + 12, 1, 10_000, 15].map((place) => place * 4096)) {
      const encoder = new StreamIndexEncoder()
      const offsets = own.map(({ offset }) => offset).concat(wrong)
      for (const offset of offsets) encoder.add(16, 1, offset)
      const bytes = encoder.encode(lastHash)
      const isListed = own.some(({ offset }) => offset === wrong)
      storage.files.set(indexName(2), bytes)
      const { indexes, reports } = indexesOf(storage)
      const read = await readStream(storage, STREAM, journal.bound, { indexes })
      expect(read).toEqual(journal.sequencesOf(STREAM))
      expect(reports).toHaveLength(isListed ? 0 : 1)
    }
  })

  it('read: damage of a listed block is damage, however the index looks', async () => {
    const journal = smallJournal()
    const { storage, built: blocks } = journal.builder
    await buildAll(journal)
    const block = blocks.find(({ file, number }) => /2\.seg/.test(file) && number % 3 === 1)
    if (block === undefined) throw new Error('segment 2 has a block of the stream')
    storage.bytesOf(block.file)[block.offset + 140] = 0xee
    const { indexes, tasks } = indexesOf(storage)
    await expect(readStream(storage, STREAM, journal.bound, { indexes })).rejects.toMatchObject({
      code: 'JOURNAL_DAMAGED',
      file: block.file,
      offset: block.offset,
    })
    expect(tasks.length).toBeGreaterThan(0)
  })
})

describe('stream index: building', () => {
  it('build: may die at any call, and is whole or not there', async () => {
    const journal = smallJournal()
    const { storage } = journal.builder
    const { lastHash } = encodeStreamIndex(storage, 1, window)
    const hash = Buffer.from(lastHash).toString('hex')
    const task = { path: storage.path, segmentNumber: 1, lastHash: hash }
    for (let failAt = 1, done = false; !done; failAt++) {
      const crashed = storage.copy()
      crashed.failAt = failAt
      done = await new PlainIndexBuilder(crashed).run(task).then(
        () => true,
        () => false,
      )
      crashed.failAt = 0
      const names = [...crashed.files.keys()].filter((name) => name.includes('index'))
      expect(names.length).toBeLessThanOrEqual(1)
      const after = crashed.copy()
      const { reports } = await expectRight(journal, 9, `call ${failAt}`, crashed)
      expect(reports).toEqual([])
      // The next opening takes away what has a temporary name, and leaves the rest.
      expect(recover(after).kind).toBe('opened')
      expect(after.files.has(temporaryIndexName(1))).toBe(false)
      expect(after.files.has(indexName(1))).toBe(names.includes(indexName(1)))
      await new PlainIndexBuilder(crashed).run(task)
      expect(crashed.files.has(temporaryIndexName(1))).toBe(false)
    }
  })

  it('build: refuses a segment that does not end as the next one says, and is not tried again', async () => {
    const journal = smallJournal()
    const { storage, built: blocks } = journal.builder
    const last = blocks.findLast(({ file }) => file === '0000000002.segment')
    if (last === undefined) throw new Error('segment 2 has blocks')
    const intact = storage.bytesOf(last.file).slice()
    storage.bytesOf(last.file)[last.offset + 140] = 0xee
    const indexes = indexesOf(storage)
    const bound = journal.bound
    const read = () => readStream(storage, STREAM, bound, { indexes: indexes.indexes })
    await expect(read()).rejects.toThrow(/JOURNAL_DAMAGED/)
    await built(indexes)
    storage.files.set(last.file, intact)
    expect(await read()).toEqual(journal.sequencesOf(STREAM))
    await built(indexes)
    expect(indexes.reports).toHaveLength(1)
    expect(indexes.reports[0]).toMatch(
      /^0000000002\.index cannot be made .* until the next opening/,
    )
    expect(storage.files.has(indexName(2))).toBe(false)
    expect(storage.files.has(indexName(3))).toBe(false)
  })

  it('build: nothing is built after closing', async () => {
    const journal = smallJournal()
    const indexes = indexesOf(journal.builder.storage)
    await indexes.indexes.close()
    const options = { indexes: indexes.indexes }
    const read = await readStream(journal.builder.storage, STREAM, journal.bound, options)
    expect(read).toEqual(journal.sequencesOf(STREAM))
    await built(indexes)
    expect(indexes.tasks).toEqual([])
  })
})

describe('stream index: verifying', () => {
  const verify = (storage: MemoryStorage) =>
    verifyWith(storage, async (name) => verifySegment(storage, name, window))

  it('verify: compares every index with its segment, and is fine with none', async () => {
    const journal = smallJournal()
    const { storage } = journal.builder
    expect(await verify(storage)).toMatchObject({ ok: true, indexes: 0, warnings: [] })
    await buildAll(journal)
    expect(await verify(storage)).toMatchObject({ ok: true, indexes: 3, warnings: [] })
    const intact = storage.bytesOf(indexName(2)).slice()
    for (let at = 0; at < intact.length; at += 61) {
      const bytes = intact.slice()
      bytes[at] = (bytes[at] as number) ^ 1
      storage.files.set(indexName(2), bytes)
      const { ok, warnings } = await verify(storage)
      expect(ok).toBe(true)
      expect(warnings).toMatchObject([{ code: 'INDEX_WRONG', file: indexName(2) }])
    }
    storage.files.set(indexName(2), intact)
    storage.files.set(indexName(4), intact)
    storage.files.set(indexName(9), intact)
    const { ok, warnings } = await verify(storage)
    expect(ok).toBe(true)
    expect(warnings.map(({ file }) => file)).toEqual([indexName(4), indexName(9)])
  })
})
