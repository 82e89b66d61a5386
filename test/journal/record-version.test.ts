import { describe, expect, it } from 'vitest'
import {
  RECORD_HEADER_BYTES,
  RECORD_VERSION,
  RECORD_VERSION_HIGH,
  STREAM_VERSION_MAX,
} from '../../journal/record-layout.js'
import { readRecordVersion, writeRecordVersion } from '../../journal/record-version.js'
import { seededRandom } from '../support/seeded-random.js'

const BORDERS = [
  0,
  1,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 47,
  STREAM_VERSION_MAX - 1,
  STREAM_VERSION_MAX,
]

describe('record version', () => {
  it('version: has 48 bits', () => {
    expect(STREAM_VERSION_MAX).toBe(2 ** 48 - 1)
  })

  it('version: comes back, and touches nothing else of the header (borders, random)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const versions = [...BORDERS]
    for (let i = 0; i < 1000; i++) {
      versions.push(random.below(2 ** 16) * 2 ** (32 * random.below(2)) + random.below(2 ** 31))
    }
    for (const version of versions) {
      const record = 8 * random.below(4)
      const bytes = Buffer.alloc(record + RECORD_HEADER_BYTES, 0xee)
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      writeRecordVersion(view, record, version)
      expect(readRecordVersion(view, record), `seed ${seed}`).toBe(version)
      const digits = version.toString(16).padStart(12, '0')
      const high = bytes.readUInt16LE(record + RECORD_VERSION_HIGH)
      const low = bytes.readUInt32LE(record + RECORD_VERSION)
      expect([high, low], `seed ${seed}`).toEqual([
        Number.parseInt(digits.slice(0, 4), 16),
        Number.parseInt(digits.slice(4), 16),
      ])
      bytes.fill(0xee, record + RECORD_VERSION_HIGH, record + RECORD_VERSION_HIGH + 2)
      bytes.fill(0xee, record + RECORD_VERSION, record + RECORD_VERSION + 4)
      expect(bytes.every((byte) => byte === 0xee)).toBe(true)
    }
  })
})
