import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { FORMAT_VERSION } from '../../journal/block-layout.js'
import { openFileStorage } from '../../journal/file-storage.js'
import {
  createSegment,
  readSegmentHeader,
  removeUnfinishedSegments,
} from '../../journal/segment.js'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  type SegmentHeader,
} from '../../journal/segment-header.js'
import {
  SEGMENT_BYTES_MAX,
  SEGMENT_BYTES_MIN,
  SEGMENT_DATA,
  SEGMENT_FORMAT,
  SEGMENT_HEADER_BYTES,
  SEGMENT_HEADER_CHECKSUM,
  SEGMENT_SIZE,
} from '../../journal/segment-layout.js'
import { JOURNAL_ID, ObservedStorage, temporaryDirectory } from './writing-harness.js'

const HEADER: SegmentHeader = {
  journalId: JOURNAL_ID,
  number: 7,
  sizeBytes: SEGMENT_BYTES_MIN,
  salt: 0xdeadbeef,
}

/** Changes a header and makes its checksum right again. */
function withValue(offset: number, bytes: number, value: number): Uint8Array {
  const copy = encodeSegmentHeader(HEADER)
  const view = new DataView(copy.buffer)
  if (bytes === 2) view.setUint16(offset, value, true)
  else view.setUint32(offset, value, true)
  view.setUint32(SEGMENT_HEADER_CHECKSUM, crc32(copy.subarray(0, SEGMENT_HEADER_CHECKSUM)), true)
  return copy
}

describe('segment header', () => {
  it('segment header: golden bytes', () => {
    const bytes = encodeSegmentHeader(HEADER)
    expect(bytes.byteLength).toBe(4096)
    expect(Buffer.from(bytes.subarray(0, SEGMENT_HEADER_BYTES)).toString('hex')).toBe(
      `5457534701000000${'0102030405060708090a0b0c0d0e0f10'}0700000000201000efbeadde` +
        `${'00'.repeat(24)}${Buffer.from(bytes.subarray(60, 64)).toString('hex')}`,
    )
    expect(new DataView(bytes.buffer).getUint32(60, true)).toBe(crc32(bytes.subarray(0, 60)))
    expect(bytes.subarray(64).every((byte) => byte === 0)).toBe(true)
    expect(decodeSegmentHeader(bytes)).toEqual(HEADER)
    expect(decodeSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES))).toEqual(HEADER)
    expect(decodeSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES - 1))).toBeUndefined()
  })

  it('segment header: every flipped bit of the 4 KiB shows', () => {
    const bytes = encodeSegmentHeader(HEADER)
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      if (decodeSegmentHeader(bytes) !== undefined) expect.fail(`bit ${bit} is not noticed`)
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    }
    expect(decodeSegmentHeader(bytes)).toEqual(HEADER)
  })

  it('segment header: a later format is refused by name', () => {
    expect(() => decodeSegmentHeader(withValue(SEGMENT_FORMAT, 2, FORMAT_VERSION + 1))).toThrow(
      'FORMAT_TOO_NEW',
    )
    expect(decodeSegmentHeader(withValue(SEGMENT_FORMAT, 2, 0))).toBeUndefined()
  })

  it.each([0, SEGMENT_DATA, SEGMENT_BYTES_MIN + 8, SEGMENT_BYTES_MAX + 4096])(
    'segment header: an impossible size is no header (%i)',
    (sizeBytes) => {
      expect(decodeSegmentHeader(withValue(SEGMENT_SIZE, 4, sizeBytes))).toBeUndefined()
    },
  )
})

describe('segment', () => {
  it.each(['zeros', 'sparse'] as const)(
    'segment: whole and durable under its name (%s)',
    (fill) => {
      const path = temporaryDirectory()
      const storage = new ObservedStorage(openFileStorage(path))
      const leftover = fill === 'zeros' ? '' : '.sparse'
      writeFileSync(join(path, `0000000007.segment${leftover}.preparing`), 'of a crash')
      createSegment(storage, HEADER, fill)
      expect(storage.list()).toEqual(['0000000007.segment'])
      const bytes = readFileSync(join(path, '0000000007.segment'))
      expect(bytes.byteLength).toBe(SEGMENT_BYTES_MIN)
      const copy = encodeSegmentHeader(HEADER)
      expect(Buffer.compare(bytes.subarray(0, 4096), copy)).toBe(0)
      expect(Buffer.compare(bytes.subarray(4096, 8192), copy)).toBe(0)
      expect(bytes.subarray(8192).every((byte) => byte === 0)).toBe(true)
      const allocated = statSync(join(path, '0000000007.segment')).blocks * 512
      if (fill === 'zeros') expect(allocated).toBeGreaterThanOrEqual(SEGMENT_BYTES_MIN)
      else expect(allocated).toBeLessThan(64 * 1024)
      const kinds = storage.operations.map(({ kind }) => kind)
      expect(kinds.slice(-3)).toEqual(['sync', 'rename', 'syncDirectory'])
      expect(kinds.indexOf('sync')).toBe(kinds.lastIndexOf('write') + 1)
    },
  )

  it('segment: never takes the place of another', () => {
    const storage = openFileStorage(temporaryDirectory())
    createSegment(storage, HEADER, 'sparse')
    expect(() => createSegment(storage, HEADER, 'sparse')).toThrow('JOURNAL_DAMAGED')
  })

  it('segment: the second header stands in for the first', () => {
    const path = temporaryDirectory()
    const storage = openFileStorage(path)
    createSegment(storage, HEADER, 'sparse')
    for (const position of [0, 4096]) {
      const file = storage.open('0000000007.segment', 'write')
      file.write(Uint8Array.of(0), position)
      expect(readSegmentHeader(file)).toEqual(position === 0 ? HEADER : undefined)
      file.close()
    }
  })

  it('segment: unfinished ones are removed, nothing else', () => {
    const path = temporaryDirectory()
    const kept = ['0000000001.segment', 'manifest', 'notes.preparing']
    const names = [...kept, '0000000002.segment.preparing', '0000000002.segment.sparse.preparing']
    for (const name of names) writeFileSync(join(path, name), '')
    const storage = openFileStorage(path)
    removeUnfinishedSegments(storage)
    expect(storage.list()).toEqual(kept)
  })
})
