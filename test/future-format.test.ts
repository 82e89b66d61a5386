/** Formats before and after the one that is written now. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { BLOCK_FORMAT, BLOCK_HEADER_CHECKSUM, FORMAT_VERSION } from '../journal/block-layout.js'
import { MANIFEST_CHECKSUM, MANIFEST_FORMAT, MANIFEST_NAME } from '../journal/manifest-layout.js'
import {
  SEGMENT_DATA,
  SEGMENT_FORMAT,
  SEGMENT_HEADER_CHECKSUM,
  SEGMENT_SALT,
  SEGMENT_SECOND_HEADER,
  segmentName,
} from '../journal/segment-layout.js'
import { fingerprint } from './support/cli.js'
import { failureOf } from './support/engine-fixture.js'
import { fixturePath, linesHash, readFixture, restoreFixture } from './support/format-fixture.js'
import { openSaved } from './support/saved-journal.js'

const folder = mkdtempSync(join(tmpdir(), 'tidewheel-format-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const VERSIONS = Array.from({ length: FORMAT_VERSION }, (_, i) => i + 1)
const LATER = FORMAT_VERSION + 1

/** What a later version would have written at `offset`, under a right checksum. */
function raise(view: DataView, offset: number, format: number, checksum: number, seed = 0): void {
  view.setUint16(offset + format, LATER, true)
  const covered = new Uint8Array(view.buffer, view.byteOffset + offset, checksum)
  view.setUint32(offset + checksum, crc32(covered, seed), true)
}

describe('format', () => {
  it.each(VERSIONS)('format: a journal of version %i opens as it was written', async (version) => {
    expect(existsSync(fixturePath(version)), 'node dist/test/support/format-fixture.js').toBe(true)
    const fixture = readFixture(version)
    const directory = join(folder, `version-${version}`)
    restoreFixture(fixture, directory)
    const { events, linesSha256 } = fixture
    expect(await linesHash(directory)).toEqual({ events, sha256: linesSha256 })
    const engine = await openSaved(directory)
    expect(engine.report).toMatchObject({ created: false, repaired: [] })
    expect(engine.report.cut).toBe(undefined)
    expect(engine.journalPosition().sequence).toBe(events)
    // With and without its snapshot.
    const digest = await engine.digest()
    await engine.close()
    for (const name of Object.keys(fixture.files)) {
      if (name.endsWith('.snapshot')) rmSync(join(directory, name))
    }
    const replayed = await openSaved(directory)
    expect(await replayed.digest()).toBe(digest)
    await replayed.close()
  })

  it.each<[string, string, (view: DataView) => void]>([
    [
      'segment',
      segmentName(1),
      (view) => {
        raise(view, 0, SEGMENT_FORMAT, SEGMENT_HEADER_CHECKSUM)
        raise(view, SEGMENT_SECOND_HEADER, SEGMENT_FORMAT, SEGMENT_HEADER_CHECKSUM)
      },
    ],
    [
      'block',
      segmentName(2),
      (view) => {
        const salt = view.getUint32(SEGMENT_SALT, true)
        raise(view, SEGMENT_DATA, BLOCK_FORMAT, BLOCK_HEADER_CHECKSUM, salt)
      },
    ],
    ['manifest', MANIFEST_NAME, (view) => raise(view, 0, MANIFEST_FORMAT, MANIFEST_CHECKSUM)],
  ])('format: a later one is refused before any write (%s)', async (what, name, change) => {
    const directory = join(folder, `later-${what}`)
    restoreFixture(readFixture(FORMAT_VERSION), directory)
    const bytes = readFileSync(join(directory, name))
    change(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    writeFileSync(join(directory, name), bytes)
    const before = fingerprint(directory)
    const error = await failureOf(openSaved(directory))
    expect(error.code).toBe('FORMAT_TOO_NEW')
    expect(error.message).toContain('or a later one')
    // The lock is taken and given back.
    expect(fingerprint(directory).filter((line) => !line.startsWith('lock '))).toEqual(before)
  })
})
