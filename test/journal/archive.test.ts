import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { archiveName, temporaryArchiveName } from '../../journal/archive-layout.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { FrameCursor } from '../../journal/frames.js'
import { JournalReader, type ReadBlocksOptions } from '../../journal/journal-reader.js'
import { segmentNames } from '../../journal/open-segment.js'
import { ReadWindow } from '../../journal/read-window.js'
import { segmentName } from '../../journal/segment-layout.js'
import type { Storage, StorageFile } from '../../journal/storage.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { archive, archivedJournal, forms, largeJournal } from '../support/archived-journal.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { collectSequences, opened, recover, upTo } from '../support/recover.js'
import { seededRandom } from '../support/seeded-random.js'

const window = new ReadWindow()

function verify(storage: Storage) {
  return verifyWith(storage, async (name) => verifySegment(storage, name, window))
}

async function read(storage: Storage, options: ReadBlocksOptions): Promise<string> {
  const reader = new JournalReader(storage)
  const cursor = new FrameCursor()
  const sequences: number[] = []
  for await (const { view, frameOffset, payloadBytes } of reader.blocks(options)) {
    collectSequences(cursor, view, frameOffset, payloadBytes, sequences)
  }
  reader.close()
  return sequences.join()
}

describe('archive', () => {
  it('archive: is what the plain segments were, to an opening and a verification', async () => {
    const { storage } = largeJournal()
    const plain = storage.copy()
    const expected = await verify(plain)
    expect(archive(storage)).toMatchObject({ segments: 3, plainBytes: 3 * 2 * 1024 * 1024 })
    expect(forms(storage)).toBe('1a 2a 3a 4')
    const stored = [1, 2, 3].map((number) => storage.bytesOf(archiveName(number)).byteLength)
    expect(Math.max(...stored)).toBeLessThan(512 * 1024)
    const { seconds, ...report } = await verify(storage)
    expect({ ...report, seconds: 0 }).toEqual({ ...expected, seconds: 0 })
    const [before, after] = [opened(recover(plain)), opened(recover(storage))]
    expect(after.sequences).toEqual(before.sequences)
    expect(after.end).toEqual(before.end)
    expect(after.report.repaired).toEqual([])
  })

  it('archive: takes what lies before the sequence, and nothing twice', () => {
    const { storage, built } = sealedJournal()
    // Segments 1 and 2 end with the events before these.
    const starts = [built[2]?.firstSequence ?? 0, built[4]?.firstSequence ?? 0]
    expect(archive(storage, 1).segments).toBe(0)
    expect(archive(storage, (starts[0] ?? 0) - 1).segments).toBe(0)
    expect(forms(storage)).toBe('1 2 3 4')
    expect(archive(storage, starts[0]).segments).toBe(1)
    expect(forms(storage)).toBe('1a 2 3 4')
    expect(archive(storage, (starts[1] ?? 0) - 1).segments).toBe(0)
    expect(archive(storage, starts[1]).segments).toBe(1)
    const changes = storage.changes
    expect(archive(storage)).toEqual({ segments: 0, plainBytes: 0, archivedBytes: 0 })
    expect(storage.changes).toBe(changes)
    expect(forms(storage)).toBe('1a 2a 3 4')
  })

  it('archive: leaves a segment whose next one is not known to be durable', () => {
    // Two blocks fill a segment: the fourth is the first that declares the third.
    const builder = new JournalBuilder().block().block().block()
    expect(archive(builder.storage).segments).toBe(0)
    builder.block({ syncedThrough: 2 })
    expect(archive(builder.storage).segments).toBe(0)
    // It may also lie in a later segment.
    builder.block({ syncedThrough: 3 })
    expect(archive(builder.storage).segments).toBe(1)
    expect(forms(builder.storage)).toBe('1a 2 3')
  })

  it('archive: does nothing with a journal that has a single segment, or no block', () => {
    expect(archive(new JournalBuilder().storage).segments).toBe(0)
    expect(archive(new JournalBuilder().block().prepare(2).storage).segments).toBe(0)
  })

  it('archive: the plain segment counts where both are there, and the next run goes on', () => {
    const builder = sealedJournal()
    const { storage } = builder
    const plain = storage.bytesOf(segmentName(1)).slice()
    archive(storage)
    const archived = storage.bytesOf(archiveName(1)).slice()
    storage.files.set(segmentName(1), plain)
    // Nobody looks into it.
    storage.bytesOf(archiveName(1)).fill(0)
    storage.files.set(temporaryArchiveName(2), new Uint8Array(9))
    const { sequences, end } = opened(recover(storage))
    expect(sequences).toEqual(upTo(12))
    expect(end.segmentNumber).toBe(3)
    expect(storage.files.has(temporaryArchiveName(2))).toBe(false)
    expect(archive(storage).segments).toBe(1)
    expect(Buffer.compare(storage.bytesOf(archiveName(1)), archived)).toBe(0)
    expect(forms(storage)).toBe('1a 2a 3 4')
  })

  it('reading: random prefixes archived while it goes on, against a plain copy', async () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const { storage: plain, sequence, built } = largeJournal()
    const storage = onDisk(plain)
    for (let round = 0; round < 12; round++) {
      const what = `seed ${seed}, round ${round}`
      const block = built[random.below(built.length)]
      const fromSequence = 1 + random.below(sequence + 1)
      const bound = { segmentNumber: 4, fileOffset: built.at(-1)?.offset ?? 0 }
      const options: ReadBlocksOptions = {
        fromSequence,
        ...(random.below(2) === 0 ? { bound } : {}),
        ...(random.below(3) === 0 ? { fromSegmentStart: true } : {}),
      }
      const reading = read(storage, options)
      archive(storage, block?.firstSequence)
      expect(await reading, what).toBe(await read(plain, options))
    }
    archive(storage)
    expect(await read(storage, { fromSequence: 1 })).toBe(upTo(sequence).join())
  })

  it('listing: misses no segment that is archived while the directory is listed', () => {
    const { storage } = sealedJournal()
    archive(storage)
    const names = storage.list()
    const racing = new MemoryStorage()
    let listings = 0
    // The first came to the archive before it was there, and to the segment after it was gone.
    racing.list = () => (++listings === 1 ? names.filter((name) => name !== archiveName(1)) : names)
    expect(segmentNames(racing)).toEqual([
      archiveName(1),
      archiveName(2),
      ...[3, 4].map(segmentName),
    ])
    expect(listings).toBe(2)
  })

  it('writing: a full disk, a damaged segment or a lying disk leave the plain segment', () => {
    const full = sealedJournal().storage
    full.freeBytes = () => 1024 * 1024
    expect(() => archive(full)).toThrow(/DISK_FULL.*1048576 bytes free/)
    expect(forms(full)).toBe('1 2 3 4')

    const builder = sealedJournal()
    const { offset } = builder.at(4)
    builder.bytesAround(4)[offset + 130] = 1
    expect(() => archive(builder.storage)).toThrow(
      new RegExp(`JOURNAL_DAMAGED: .*not archived.*0000000002.segment, offset ${offset}`),
    )
    expect(forms(builder.storage)).toBe('1a 2 3 4')

    const broken = sealedJournal()
    broken.previousHash = new Uint8Array(32)
    const { storage: chain } = broken.block().block().block().block()
    expect(() => archive(chain)).toThrow(/JOURNAL_DAMAGED.*not archived/)

    const lying = sealedJournal().storage
    const open = lying.open.bind(lying)
    lying.open = (name, mode): StorageFile => {
      const file = open(name, mode)
      if (mode !== 'create') return file
      const write = file.write.bind(file)
      // One bit of the second chunk.
      file.write = (bytes, position) => write(position > 100 ? flipped(bytes) : bytes, position)
      return file
    }
    expect(() => archive(lying)).toThrow(/STORAGE_FAILED.*does not read as it was written/)
    for (const storage of [full, chain, lying]) {
      expect(storage.list().filter((name) => name.endsWith('.new'))).toEqual([])
    }
    expect(forms(lying)).toBe('1 2 3 4')
  })

  it('writing: opens again and goes on in the plain segment behind the archived ones', () => {
    const { storage } = archivedJournal()
    const { end } = opened(recover(storage))
    expect(end).toMatchObject({ segmentNumber: 3, blockNumber: 6, sequence: 12, sealed: true })
  })
})

function onDisk({ files }: MemoryStorage): Storage {
  const path = mkdtempSync(join(tmpdir(), 'tidewheel-archive-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  for (const [name, bytes] of files) writeFileSync(join(path, name), bytes)
  return openFileStorage(path)
}

function flipped(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice()
  const at = changed.length - 1
  changed[at] = (changed[at] as number) ^ 0x10
  return changed
}
