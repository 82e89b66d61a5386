import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildSnapshot } from '../../engine/snapshot/snapshot-build.js'
import { StateRestore } from '../../engine/snapshot/state-restore.js'
import { stateDigest } from '../../engine/state-digest.js'
import { TidewheelError } from '../../journal/errors.js'
import { ReadWindow } from '../../journal/read-window.js'
import { listSegments, type SegmentFile } from '../../journal/segment-file.js'
import { segmentName } from '../../journal/segment-layout.js'
import {
  CHUNK_AGGREGATE,
  CHUNK_COLUMN,
  CHUNK_FIRST,
  CHUNK_HEADER_BYTES,
  CHUNK_KIND,
  CHUNK_PAYLOAD_BYTES,
  SNAPSHOT_HEADER_BYTES,
} from '../../journal/snapshot-layout.js'
import { SnapshotReader } from '../../journal/snapshot-reader.js'
import type { Storage } from '../../journal/storage.js'
import { forAllSubsets } from '../support/disk/all-subsets.js'
import { SimulatedDisk } from '../support/disk/simulated-disk.js'
import saved from '../support/domains/saved.js'
import { readFolder } from '../support/journal-files.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { growTo, openSaved } from '../support/saved-journal.js'
import { seededRandom } from '../support/seeded-random.js'
import { signSnapshot } from '../support/snapshot-bytes.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-snapshot-file-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const window = new ReadWindow()
/** The sealed segments of a journal. */
const files = new Map<string, Uint8Array>()
/** Of the state behind each segment. */
const digests: string[] = ['']

beforeAll(async () => {
  const engine = await openSaved(join(root, 'journal'))
  await growTo(engine, 3, 17)
  await engine.close()
  for (const [name, bytes] of readFolder(join(root, 'journal'))) {
    if (name.endsWith('.segment') && name <= segmentName(2)) files.set(name, bytes)
  }
  for (const segment of [1, 2]) {
    const storage = memory()
    buildSnapshot(storage, saved, segment, 1, window)
    digests.push(restoredDigest(storage).digest)
  }
})

function memory(): MemoryStorage {
  const storage = new MemoryStorage()
  for (const [name, bytes] of files) storage.files.set(name, bytes.slice())
  return storage
}

function segmentsOf(storage: Storage): { segments: SegmentFile[]; journalId: Uint8Array } {
  const segments = listSegments(storage, window)
  return { segments, journalId: segments[0]?.header?.journalId ?? new Uint8Array(16) }
}

function restoredDigest(storage: Storage): { digest: string; skipped: readonly string[] } {
  const { segments, journalId } = segmentsOf(storage)
  const saving = new StateRestore(storage, saved)
  const { skipped } = saving.restore(journalId, segments, window)
  return { digest: stateDigest(saving.runtime), skipped }
}

const EMPTY = (): string => stateDigest(new StateRestore(new MemoryStorage(), saved).runtime)

describe('snapshot file', () => {
  it('damage: no bit, and no length, gives another state', () => {
    const storage = memory()
    const name = buildSnapshot(storage, saved, 1, 1, window)
    const bytes = storage.bytesOf(name)
    const { segments, journalId } = segmentsOf(storage)
    const empty = EMPTY()
    const expectUnused = (damaged: Uint8Array, what: string, withDigest: boolean): void => {
      storage.files.set(name, damaged)
      const saving = new StateRestore(storage, saved)
      const { snapshot, skipped } = saving.restore(journalId, segments, window)
      if (snapshot !== undefined || skipped.length !== 1) expect.unreachable(what)
      if (withDigest) expect(stateDigest(saving.runtime), what).toBe(empty)
    }
    const chunks = chunksOf(bytes)
    const random = seededRandom(29)
    for (let at = 0; at < bytes.length; at++) {
      const bit = 1 << random.below(8)
      bytes[at] = (bytes[at] ?? 0) ^ bit
      if (isGood(storage, name, chunks)) expect.unreachable(`bit ${bit} of byte ${at} was not seen`)
      if (at % 97 === 0) expectUnused(bytes.slice(), `byte ${at}`, at % 970 === 0)
      storage.files.set(name, bytes)
      bytes[at] = (bytes[at] ?? 0) ^ bit
    }
    for (let length = 0; length < bytes.length; length += 7) {
      storage.files.set(name, bytes.subarray(0, length))
      if (isGood(storage, name, chunks)) expect.unreachable(`length ${length} was not seen`)
    }
    storage.files.set(name, Uint8Array.from([...bytes, 0]))
    expect(isGood(storage, name, chunks)).toBe(false)
    storage.files.set(name, bytes)
    expect(isGood(storage, name, chunks)).toBe(true)
    expect(restoredDigest(storage)).toEqual({ digest: digests[1], skipped: [] })
    console.log(`snapshot file: a flip in each of ${bytes.length} bytes`)
  })

  it('bytes from strangers: passed over or read, never a crash (right checksums)', () => {
    const storage = memory()
    const name = buildSnapshot(storage, saved, 1, 1, window)
    const bytes = storage.bytesOf(name).slice()
    const { segments, journalId } = segmentsOf(storage)
    const random = seededRandom(31)
    let passedOver = 0
    for (let round = 0; round < 120; round++) {
      const hostile = bytes.slice()
      for (let i = random.below(4); i >= 0; i--) {
        const at = SNAPSHOT_HEADER_BYTES + random.below(bytes.length - SNAPSHOT_HEADER_BYTES)
        hostile[at] = [0, 0xff, 0x7f, random.below(256)][random.below(4)] ?? 0
      }
      signSnapshot(hostile)
      storage.files.set(name, hostile)
      const saving = new StateRestore(storage, saved)
      const { snapshot } = saving.restore(journalId, segments, window)
      if (snapshot === undefined) passedOver++
      // What cannot be told from a state is one, and can be looked at.
      expect(stateDigest(saving.runtime)).toHaveLength(64)
    }
    expect(passedOver).toBeGreaterThan(30)
  })

  it('writing: stopped at any call, or refused by the disk, leaves the old or the new', () => {
    const expected = new Set([digests[1], digests[2]])
    const before = diskWith(1)
    let crashes = 0
    for (const fault of ['crash', 'EIO', 'ENOSPC'] as const) {
      for (let at = 1; ; at += fault === 'crash' ? 2 : 7) {
        const disk = before.clone()
        const first = disk.calls
        const random = seededRandom(at)
        disk.choose = (choices) => random.below(choices)
        let hit = false
        disk.before = ({ ordinal, kind }) => {
          if (ordinal !== first + at || (fault !== 'crash' && kind === 'list')) return undefined
          hit = true
          return fault
        }
        let failed = false
        try {
          buildSnapshot(disk, saved, 2, 1, window)
        } catch {
          failed = true
        }
        disk.before = () => undefined
        if (fault === 'crash') disk.losePower((choices) => random.below(choices))
        const done = !hit && !failed && disk.calls < first + at
        const { digest, skipped } = restoredDigest(disk)
        const where = `${fault} at call ${at}`
        expect(expected.has(digest), where).toBe(true)
        expect(skipped, where).toEqual([])
        if (!failed) expect(digest, where).toBe(digests[2])
        // What is left behind is in nobody's way.
        buildSnapshot(disk, saved, 2, 1, window)
        expect(restoredDigest(disk).digest, where).toBe(digests[2])
        expect(
          disk.list().filter((name) => name.endsWith('.new')),
          where,
        ).toEqual([])
        if (done) break
        crashes++
      }
    }
    console.log(`snapshot file: ${crashes} calls broken off`)
    expect(crashes).toBeGreaterThan(20)
  })

  it('writing: the old one goes only when no loss of power can take the new one', () => {
    const disk = diskWith(1)
    buildSnapshot(disk, saved, 2, 1, window)
    const states = forAllSubsets(disk, (state) => {
      expect(restoredDigest(state)).toEqual({ digest: digests[2], skipped: [] })
    })
    expect(states).toBeGreaterThan(1)
  })
})

function diskWith(segment: number): SimulatedDisk {
  const disk = new SimulatedDisk(false)
  for (const [name, bytes] of files) {
    const file = disk.open(name, 'create')
    file.write(bytes, 0)
    file.sync()
    file.close()
  }
  buildSnapshot(disk, saved, segment, 1, window)
  disk.syncDirectory()
  return disk
}

/** The chunks of a good file, as a reader has to ask for them. */
function chunksOf(bytes: Uint8Array): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks: number[][] = []
  for (let at = SNAPSHOT_HEADER_BYTES; at < bytes.length; ) {
    chunks.push([
      view.getUint16(at + CHUNK_KIND, true),
      view.getUint16(at + CHUNK_AGGREGATE, true),
      view.getUint16(at + CHUNK_COLUMN, true),
      view.getUint32(at + CHUNK_FIRST, true),
    ])
    at += CHUNK_HEADER_BYTES + view.getUint32(at + CHUNK_PAYLOAD_BYTES, true)
  }
  return chunks.slice(0, -1)
}

/** Whether the reader finds every chunk as it was written. */
function isGood(storage: MemoryStorage, name: string, chunks: readonly number[][]): boolean {
  const file = storage.open(name, 'read')
  try {
    const reader = new SnapshotReader(file)
    for (const [kind = 0, aggregate, column, first] of chunks) {
      reader.next(kind, aggregate, column, first)
      reader.take(reader.payloadBytes)
    }
    reader.end()
    return true
  } catch (error) {
    if (error instanceof TidewheelError && error.code === 'SNAPSHOT_DAMAGED') return false
    throw error
  } finally {
    file.close()
  }
}
