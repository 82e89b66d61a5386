import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodeManifest, readManifest, writeManifest } from '../../journal/manifest.js'
import { MANIFEST_BYTES, MANIFEST_CHECKSUM, MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { MemoryStorage } from '../support/memory-storage.js'

const JOURNAL_ID = Uint8Array.from({ length: 16 }, (_, index) => index + 1)
const OLD = { journalId: JOURNAL_ID, highestSegment: 3 }
const NEW = { journalId: JOURNAL_ID, highestSegment: 4 }

function manifestBytes(): Uint8Array {
  const storage = new MemoryStorage()
  writeManifest(storage, OLD)
  return storage.bytesOf(MANIFEST_NAME)
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const checksum = crc32(bytes.subarray(0, MANIFEST_CHECKSUM))
  new DataView(bytes.buffer).setUint32(MANIFEST_CHECKSUM, checksum, true)
  return bytes
}

describe('manifest', () => {
  it('manifest: has these bytes (golden)', () => {
    expect(Buffer.from(manifestBytes()).toString('hex')).toBe(
      `54574d4601000000${'0102030405060708090a0b0c0d0e0f10'}03000000f582f715`,
    )
  })

  it('manifest: reads what was written, or nothing', () => {
    const storage = new MemoryStorage()
    expect(readManifest(storage)).toBeUndefined()
    writeManifest(storage, OLD)
    writeManifest(storage, NEW)
    expect(readManifest(storage)).toEqual(NEW)
    expect(storage.list()).toEqual([MANIFEST_NAME])
  })

  it('manifest: is damaged (every bit, every length)', () => {
    for (let bit = 0; bit < MANIFEST_BYTES * 8; bit++) {
      const bytes = manifestBytes()
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(decodeManifest(bytes)).toBe('damaged')
    }
    for (let length = 0; length < 2 * MANIFEST_BYTES; length++) {
      if (length === MANIFEST_BYTES) continue
      const storage = new MemoryStorage()
      const bytes = new Uint8Array(length)
      bytes.set(manifestBytes().subarray(0, length))
      storage.files.set(MANIFEST_NAME, bytes)
      expect(readManifest(storage)).toBe('damaged')
    }
  })

  it('manifest: is damaged (impossible values under a right checksum)', () => {
    for (const [offset, value] of [
      [4, 0],
      [6, 1],
      [24, 0],
    ] as const) {
      const bytes = manifestBytes()
      bytes[offset] = value
      expect(decodeManifest(withChecksum(bytes))).toBe('damaged')
    }
  })

  it('manifest: of a later format throws', () => {
    const bytes = manifestBytes()
    bytes[4] = 2
    expect(() => decodeManifest(withChecksum(bytes))).toThrow(/FORMAT_TOO_NEW/)
  })

  it('manifest: is the old one or the new one (the writer dies at every call)', () => {
    const seen = new Set<number>()
    for (let failAt = 1; seen.size < 2 || !seen.has(-1); failAt++) {
      const storage = new MemoryStorage()
      writeManifest(storage, OLD)
      storage.failAt = storage.calls + failAt
      try {
        writeManifest(storage, NEW)
        seen.add(-1)
      } catch {
        // Died.
      }
      storage.failAt = 0
      const manifest = readManifest(storage)
      expect([OLD, NEW]).toContainEqual(manifest)
      if (typeof manifest === 'object') seen.add(manifest.highestSegment)
      writeManifest(storage, NEW)
      expect(readManifest(storage)).toEqual(NEW)
    }
    expect(seen).toContain(3)
  })
})
