/**
 * What a disk or a stranger may have made of an archive: an opening refuses it, names the place in
 * the segment, and writes nothing; nobody takes more memory for it than a chunk.
 */
import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  ARCHIVE_CHUNK_CHECKSUM,
  ARCHIVE_CODEC,
  ARCHIVE_DIRECTORY_CHECKSUM,
  ARCHIVE_ENTRY_BYTES,
  ARCHIVE_FORMAT,
  ARCHIVE_HEADER_BYTES,
  ARCHIVE_HEADER_CHECKSUM,
  ARCHIVE_SEGMENT_BYTES,
  ARCHIVE_STORED_BYTES,
  archiveName,
} from '../../journal/archive-layout.js'
import { ArchivedSegment, DAMAGED_BYTE } from '../../journal/archived-segment.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { segmentName } from '../../journal/segment-layout.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { archive, archivedJournal, largeJournal } from '../support/archived-journal.js'
import { damageArchive } from '../support/damage/archive-damage.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { expectRefusal, opened, type Refused, recover, upTo } from '../support/recover.js'

const FIRST = archiveName(1)
const window = new ReadWindow()

function withFile(storage: MemoryStorage, name: string, bytes: Uint8Array): MemoryStorage {
  const changed = new MemoryStorage()
  for (const [file, pristine] of storage.files) changed.files.set(file, pristine)
  changed.files.set(name, bytes)
  return changed
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Gives header and directory the checksums that a writer would have given them. */
function sign(bytes: Uint8Array, chunks: number): void {
  const end = ARCHIVE_HEADER_BYTES + chunks * ARCHIVE_ENTRY_BYTES
  const view = viewOf(bytes)
  const directory = crc32(bytes.subarray(ARCHIVE_HEADER_BYTES, end))
  view.setUint32(ARCHIVE_DIRECTORY_CHECKSUM, directory, true)
  const header = crc32(bytes.subarray(0, ARCHIVE_HEADER_CHECKSUM))
  view.setUint32(ARCHIVE_HEADER_CHECKSUM, header, true)
}

/** The archive of the first small segment, which has two chunks, with other bytes in the second. */
function withSecondChunk(storage: MemoryStorage, stored: Uint8Array): MemoryStorage {
  const before = storage.bytesOf(FIRST)
  const entry = ARCHIVE_HEADER_BYTES + ARCHIVE_ENTRY_BYTES
  const firstBytes = viewOf(before).getUint32(ARCHIVE_HEADER_BYTES + ARCHIVE_STORED_BYTES, true)
  const start = entry + ARCHIVE_ENTRY_BYTES + firstBytes
  const bytes = new Uint8Array(start + stored.byteLength)
  bytes.set(before.subarray(0, start))
  bytes.set(stored, start)
  viewOf(bytes).setUint32(entry + ARCHIVE_STORED_BYTES, stored.byteLength, true)
  viewOf(bytes).setUint32(entry + ARCHIVE_CHUNK_CHECKSUM, crc32(stored), true)
  sign(bytes, 2)
  return withFile(storage, FIRST, bytes)
}

describe('a damaged archive', () => {
  it('every bit and every length: never unpacked without a word, refused by an opening', () => {
    const { tried, openings, wrong } = damageArchive({ modulus: 9, residue: Date.now() % 9 })
    console.log(`damaged archives: ${tried} unpacked, ${openings} opened, ${wrong.length} silent`)
    expect(wrong).toEqual([])
    expect(tried).toBeGreaterThan(2000)
  })

  it('a chunk: names the place in the segment and the sequence, as of a plain segment', () => {
    const builder = largeJournal()
    const plain = builder.storage.copy()
    const { sequences } = opened(recover(plain.copy()))
    archive(builder.storage)
    const { storage } = builder
    const bytes = storage.bytesOf(FIRST)
    const last = bytes.byteLength - 1
    bytes[last] = (bytes[last] as number) ^ 1
    const error = expectRefusal(
      builder,
      /is damaged or missing.*archived, proves that it was on disk/,
    )
    const block = builder.built.find(({ firstSequence }) => firstSequence === error.sequence)
    expect(block).toMatchObject({ file: segmentName(1), offset: error.offset })
    expect(error.file).toBe(FIRST)
    // The same damage, as far as anyone can see, where the segment is plain.
    plain.bytesOf(segmentName(1)).fill(DAMAGED_BYTE, error.offset)
    const same = (recover(plain) as Refused).error
    expect(same).toMatchObject({ code: error.code, offset: error.offset, sequence: error.sequence })
    const { problems, blocks } = verifySegment(storage, FIRST, window)
    expect(problems[0]).toMatchObject({ code: 'BLOCK_DAMAGED', file: FIRST, offset: error.offset })
    expect(blocks).toBe((block?.number ?? 0) - 1)
    expect(sequences.length).toBeGreaterThan(error.sequence ?? 0)
  })

  it('a stranger: bombs, streams that end early and other lengths are damage of one chunk', () => {
    const { storage } = archivedJournal()
    const bomb = deflateRawSync(Buffer.alloc(16 * 1024 * 1024), { level: 1 })
    const plain = new Uint8Array(8192).fill(1)
    const cases: Record<string, Uint8Array> = {
      bomb: bomb.subarray(0, 256 * 1024),
      early: deflateRawSync(plain).subarray(0, 8),
      short: deflateRawSync(plain.subarray(1)),
      long: deflateRawSync(new Uint8Array(8193)),
      random: Uint8Array.from({ length: 900 }, (_, i) => (i * 7919) & 0xff),
      nothing: new Uint8Array(1),
    }
    for (const [name, stored] of Object.entries(cases)) {
      const changed = withSecondChunk(storage, stored)
      const before = process.memoryUsage().arrayBuffers
      const file = new ArchivedSegment(changed.open(FIRST, 'read'))
      const found = new Uint8Array(8192)
      expect(file.read(found, 8192), name).toBe(8192)
      expect(
        found.every((byte) => byte === DAMAGED_BYTE),
        name,
      ).toBe(true)
      expect(process.memoryUsage().arrayBuffers - before, name).toBeLessThan(4 * 1024 * 1024)
      expectRefusal({ storage: changed }, /block 1 is damaged or missing/)
    }
    expect(opened(recover(withSecondChunk(storage, storedSecond(storage)))).sequences).toEqual(
      upTo(12),
    )
  })

  it('a stranger: many chunks that cannot be unpacked take no more memory than one', () => {
    const builder = largeJournal()
    const { storage } = builder
    archive(storage)
    const bytes = storage.bytesOf(FIRST)
    const chunks = 9
    // Each stored chunk is made a stream of no known type, with the right checksum.
    let at = ARCHIVE_HEADER_BYTES + chunks * ARCHIVE_ENTRY_BYTES
    for (let chunk = 0; chunk < chunks; chunk++) {
      const entry = ARCHIVE_HEADER_BYTES + chunk * ARCHIVE_ENTRY_BYTES
      const end = at + viewOf(bytes).getUint32(entry + ARCHIVE_STORED_BYTES, true)
      if (chunk > 0) bytes[at] = 7
      const checksum = crc32(bytes.subarray(at, end))
      viewOf(bytes).setUint32(entry + ARCHIVE_CHUNK_CHECKSUM, checksum, true)
      at = end
    }
    sign(bytes, chunks)
    const before = process.memoryUsage().arrayBuffers
    for (let round = 0; round < 20; round++) {
      const file = new ArchivedSegment(storage.open(FIRST, 'read'))
      for (let chunk = 1; chunk < chunks; chunk++) file.read(new Uint8Array(1), chunk * 262_144)
    }
    const grown = process.memoryUsage().arrayBuffers - before
    expect(grown).toBeLessThan(20 * 2 * 262_144)
    expectRefusal(builder, /block 1 is damaged or missing/)
  })

  it('a stranger: values that no writer makes are refused', () => {
    const { storage } = archivedJournal()
    const changed = (offset: number, value: number, chunks = 2): MemoryStorage => {
      const bytes = storage.bytesOf(FIRST).slice()
      if (offset < ARCHIVE_SEGMENT_BYTES) viewOf(bytes).setUint16(offset, value, true)
      else viewOf(bytes).setUint32(offset, value, true)
      sign(bytes, chunks)
      return withFile(storage, FIRST, bytes)
    }
    for (const segmentBytes of [0, 8192, 12_289, 0x8000_1000, 0xffff_f000]) {
      expectRefusal({ storage: changed(ARCHIVE_SEGMENT_BYTES, segmentBytes) }, /no writer makes/)
    }
    expectRefusal({ storage: changed(ARCHIVE_SEGMENT_BYTES, 0x8000_0000) }, /within its directory/)
    for (const stored of [0, 257 * 1024 + 1, 0xffff_ffff]) {
      const offset = ARCHIVE_HEADER_BYTES + ARCHIVE_STORED_BYTES
      expectRefusal({ storage: changed(offset, stored) }, /a length that no writer makes/)
    }
    expectRefusal({ storage: changed(ARCHIVE_HEADER_BYTES, 40) }, /its directory says/)
    expectRefusal({ storage: changed(ARCHIVE_FORMAT, 2) }, /format 2/, 'FORMAT_TOO_NEW')
    expectRefusal({ storage: changed(ARCHIVE_CODEC, 2) }, /codec 2/, 'FORMAT_TOO_NEW')
    expectRefusal({ storage: changed(ARCHIVE_CODEC, 0) }, /no writer makes/)
    // Another segment of the journal under this name, and the segment of another size.
    const second = storage.bytesOf(archiveName(2))
    expectRefusal({ storage: withFile(storage, FIRST, second) }, /says that it is segment 2/)
    expectRefusal(
      { storage: changed(ARCHIVE_SEGMENT_BYTES, 12_288) },
      /bytes long, its header says/,
    )
  })

  it('what an opening would mend in a plain segment is refused in an archive', () => {
    const change = (change: (segment: Uint8Array, offset: number) => void): MemoryStorage => {
      const builder = sealedJournal()
      const { storage } = archivedJournal()
      const segment = builder.bytesAround(1)
      change(segment, builder.at(1).offset)
      return withSegment(storage, segment)
    }
    expectRefusal({ storage: change((segment) => segment.fill(1, 0, 4)) }, /a copy of its header/)
    const padding = change((segment, offset) => segment.fill(1, offset + 4000, offset + 4001))
    expectRefusal({ storage: padding }, /block 1 of an archived segment is not as it was archived/)
  })

  it('the end: a journal cannot end in an archived segment (with and without a manifest)', async () => {
    for (const lost of [[segmentName(3), segmentName(4)], [segmentName(4)]]) {
      for (const manifest of [true, false]) {
        const { storage } = archivedJournal()
        for (const name of lost) storage.files.delete(name)
        if (!manifest) storage.files.delete(MANIFEST_NAME)
        if (storage.files.has(segmentName(3))) storage.files.set(segmentName(3), emptySegment(3))
        expectRefusal({ storage }, manifest ? /segment 3/ : /ends in segment 2, which is archived/)
        const report = await verifyWith(storage, async (name) =>
          verifySegment(storage, name, window),
        )
        expect(report.problems.map(({ code }) => code)).toContain('SEGMENT_MISSING')
      }
    }
    const { storage } = archivedJournal()
    storage.files.delete(MANIFEST_NAME)
    // No segment but one whose archive is damaged: not what a creation left behind.
    for (const number of [3, 4]) storage.files.delete(segmentName(number))
    storage.files.delete(archiveName(2))
    storage.bytesOf(FIRST)[0] = 0
    expectRefusal({ storage }, /its header is damaged/)
  })

  it('a tail is cut as before, and damage before an archived segment is never a torn write', () => {
    const builder = new JournalBuilder()
    for (let block = 0; block < 5; block++) builder.block()
    archive(builder.storage)
    builder.bytesAround(5).fill(0, builder.at(5).offset + 200, builder.at(5).offset + 300)
    const { report, sequences } = opened(recover(builder.storage))
    expect(report.cut).toMatchObject({ file: segmentName(3) })
    expect(sequences).toEqual(upTo(8))
  })
})

function emptySegment(number: number): Uint8Array {
  return new JournalBuilder().prepare(number).storage.bytesOf(segmentName(number))
}

/** What lies in the second chunk of the first archive. */
function storedSecond(storage: MemoryStorage): Uint8Array {
  const bytes = storage.bytesOf(FIRST)
  const stored = viewOf(bytes).getUint32(ARCHIVE_HEADER_BYTES + ARCHIVE_ENTRY_BYTES, true)
  return bytes.slice(bytes.byteLength - stored)
}

/** The archive of a segment that no writer would archive. */
function withSegment(storage: MemoryStorage, segment: Uint8Array): MemoryStorage {
  const first = deflateRawSync(segment.subarray(0, 8192))
  const second = deflateRawSync(segment.subarray(8192))
  const start = ARCHIVE_HEADER_BYTES + 2 * ARCHIVE_ENTRY_BYTES
  const bytes = new Uint8Array(start + first.byteLength)
  bytes.set(storage.bytesOf(FIRST).subarray(0, start))
  bytes.set(first, start)
  viewOf(bytes).setUint32(ARCHIVE_HEADER_BYTES + ARCHIVE_STORED_BYTES, first.byteLength, true)
  viewOf(bytes).setUint32(ARCHIVE_HEADER_BYTES + ARCHIVE_CHUNK_CHECKSUM, crc32(first), true)
  return withSecondChunk(withFile(storage, FIRST, bytes), second)
}
