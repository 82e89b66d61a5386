/**
 * The section on archives of docs/file-format.md: its example is read by tidewheel, and by a decoder
 * that follows the page and shares no code with tidewheel, which also reads what tidewheel writes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { archiveName } from '../../journal/archive-layout.js'
import { ArchivedSegment } from '../../journal/archived-segment.js'
import { decodeSegmentHeader } from '../../journal/segment-header.js'
import { segmentName } from '../../journal/segment-layout.js'
import { archive, largeJournal } from '../support/archived-journal.js'
import { MemoryStorage } from '../support/memory-storage.js'

// Compiled tests lie in dist/test/journal.
const page = readFileSync(join(import.meta.dirname, '../../../docs/file-format.md'), 'utf8')

/** By the page alone. */
function unpackByThePage(archive: Uint8Array): Buffer {
  const bytes = Buffer.from(archive)
  expect(bytes.toString('latin1', 0, 4)).toBe('TWAR')
  expect([bytes.readUInt16LE(4), bytes.readUInt16LE(6)]).toEqual([1, 1])
  const size = bytes.readUInt32LE(8)
  const chunks = 1 + Math.ceil((size - 8192) / 262_144)
  const directory = bytes.subarray(20, 20 + 8 * chunks)
  expect(bytes.readUInt32LE(12)).toBe(crc32(directory))
  expect(bytes.readUInt32LE(16)).toBe(crc32(bytes.subarray(0, 16)))
  const plain: Buffer[] = []
  let at = 20 + 8 * chunks
  for (let chunk = 0; chunk < chunks; chunk++) {
    const stored = bytes.subarray(at, at + directory.readUInt32LE(8 * chunk))
    expect(crc32(stored)).toBe(directory.readUInt32LE(8 * chunk + 4))
    plain.push(inflateRawSync(stored))
    at += stored.length
  }
  expect(at).toBe(bytes.length)
  const segment = Buffer.concat(plain)
  expect(segment.length).toBe(size)
  return segment
}

function exampleBytes(): Buffer {
  const section = page.slice(page.indexOf('### Archived segments'), page.indexOf('## Blocks'))
  const lines = [...section.matchAll(/^([0-9a-f]{8}) {2}((?:[0-9a-f]{2} ?)+)(?: {2,}.*)?$/gm)]
  const parts: Buffer[] = []
  let end = 0
  for (const [line, offset = '', hex = ''] of lines) {
    expect(Number.parseInt(offset, 16), line).toBe(end)
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    end += bytes.length
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

function unpack(bytes: Uint8Array): Buffer {
  const storage = new MemoryStorage()
  storage.files.set(archiveName(1), bytes)
  const file = new ArchivedSegment(storage.open(archiveName(1), 'read'))
  const segment = Buffer.alloc(file.sizeBytes())
  expect(file.read(segment, 0)).toBe(segment.length)
  return segment
}

describe('file format: archives', () => {
  it('example: is the segment that the page says, to tidewheel and by the page', () => {
    const bytes = exampleBytes()
    const segment = unpack(bytes)
    expect(unpackByThePage(bytes).equals(segment)).toBe(true)
    expect(segment.length).toBe(12_288)
    const id = Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex')
    for (const copy of [segment.subarray(0, 4096), segment.subarray(4096, 8192)]) {
      const header = decodeSegmentHeader(copy)
      expect(header).toMatchObject({ number: 1, sizeBytes: 12_288, salt: 0x0badcafe })
      expect(id.equals(header?.journalId ?? Buffer.alloc(0))).toBe(true)
    }
    expect(segment.subarray(8192).every((byte) => byte === 0)).toBe(true)
  })

  it('archives: are written as the page says (segments of many chunks)', () => {
    const { storage } = largeJournal()
    const plain = storage.copy()
    archive(storage)
    for (const number of [1, 2, 3]) {
      const found = unpackByThePage(storage.bytesOf(archiveName(number)))
      expect(found.equals(plain.bytesOf(segmentName(number)))).toBe(true)
    }
  })

  it('reading: any piece is that of the segment (around the edges of chunks)', () => {
    const { storage } = largeJournal()
    const plain = Buffer.from(storage.bytesOf(segmentName(2)))
    archive(storage)
    const file = new ArchivedSegment(storage.open(archiveName(2), 'read'))
    const edges = [0, 8192, 8192 + 262_144, 8192 + 7 * 262_144, plain.length]
    for (const edge of edges) {
      for (const from of [edge - 4097, edge - 4096, edge - 1, edge, edge + 1, edge + 4096]) {
        for (const lengthBytes of [0, 1, 4096, 262_144, 600_000]) {
          if (from < 0) continue
          const buffer = Buffer.alloc(lengthBytes, 0xee)
          const due = plain.subarray(from, from + lengthBytes)
          expect(file.read(buffer, from), `${lengthBytes} from ${from}`).toBe(due.length)
          expect(buffer.subarray(0, due.length).equals(due)).toBe(true)
          expect(buffer.subarray(due.length).every((byte) => byte === 0xee)).toBe(true)
        }
      }
    }
  })
})
