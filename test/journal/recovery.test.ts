import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DURABILITY_OS, HASH_BYTES } from '../../journal/block-layout.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_DATA, segmentName } from '../../journal/segment-layout.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { expectRefusal, opened, type Refused, recover, tear, upTo } from '../support/recover.js'
import { seededRandom } from '../support/seeded-random.js'

const MIB = 1024 * 1024

describe('recovery of a whole journal', () => {
  it('recovery: hands out every event in order and says where to go on (sealed journal)', () => {
    const builder = sealedJournal()
    const { sequences, end, report } = opened(recover(builder.storage))
    expect(sequences).toEqual(upTo(12))
    expect(end).toEqual({
      journalId: builder.journalId,
      epoch: 2,
      segmentNumber: builder.segmentNumber,
      fileOffset: builder.fileOffset,
      blockNumber: 6,
      previousHash: builder.previousHash,
      sequence: 12,
      sealed: true,
    })
    expect(report).toMatchObject({
      created: false,
      segments: 4,
      blocks: 6,
      events: 12,
      repaired: [],
    })
    expect(report.cut).toBeUndefined()
  })

  it('recovery: says that the end is not sealed (last block has events)', () => {
    const builder = new JournalBuilder().block().block()
    expect(opened(recover(builder.storage)).end.sealed).toBeUndefined()
  })

  it('recovery: starts at the first place (journal without blocks)', () => {
    const builder = new JournalBuilder().prepare(2)
    const { sequences, end, report } = opened(recover(builder.storage))
    expect(sequences).toEqual([])
    expect(end).toMatchObject({
      epoch: 1,
      segmentNumber: 1,
      fileOffset: SEGMENT_DATA,
      blockNumber: 0,
    })
    expect(end.previousHash).toEqual(new Uint8Array(HASH_BYTES))
    expect(report.repaired).toEqual([])
  })

  it('recovery: goes on in the segment where the last block lies (it is full)', () => {
    const builder = new JournalBuilder().block().block()
    const { end } = opened(recover(builder.storage))
    expect(end).toMatchObject({ segmentNumber: 1, fileOffset: builder.segmentBytes })
  })

  it('recovery: is done again with the same result (nothing written between)', () => {
    const { storage } = sealedJournal()
    const first = opened(recover(storage))
    const files = storage.digests()
    const second = opened(recover(storage))
    expect(storage.digests()).toEqual(files)
    expect(second.end).toEqual(first.end)
  })

  it('recovery: reads blocks of every size across pieces (random sizes, smallest window)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const builder = new JournalBuilder({ segmentBytes: 4 * MIB })
    for (let block = 0; block < 20; block++) {
      builder.block({ events: 1 + random.below(250), payloadBytes: 4000 })
    }
    builder.block({ events: 255, payloadBytes: 4088 })
    const { sequences, end } = opened(recover(builder.storage, { window: new ReadWindow(MIB) }))
    expect(sequences.length, `seed ${seed}`).toBe(builder.sequence)
    expect(end.previousHash).toEqual(builder.previousHash)
  })

  it('recovery: rewrites and syncs the blocks that no header declares synced (level os)', () => {
    const builder = new JournalBuilder({ durability: DURABILITY_OS, segmentBytes: 64 * 1024 })
    builder
      .block()
      .block({ syncedThrough: 1 })
      .block({ syncedThrough: 1 })
      .block({ syncedThrough: 1 })
    const written: number[] = []
    const open = builder.storage.open.bind(builder.storage)
    builder.storage.open = (name, mode) => {
      const file = open(name, mode)
      const write = file.write.bind(file)
      const sync = file.sync.bind(file)
      file.write = (bytes, position) => {
        written.push(position)
        write(bytes, position)
      }
      file.sync = () => {
        written.push(-1)
        sync()
      }
      return file
    }
    opened(recover(builder.storage, { durability: 'os' }))
    expect(written).toEqual([builder.at(2).offset, builder.at(3).offset, builder.at(4).offset, -1])
  })
})

describe('a journal on disk', () => {
  it('recovery: makes, opens and cuts (real files)', () => {
    const path = mkdtempSync(join(tmpdir(), 'tidewheel-recovery-'))
    try {
      const fresh = join(path, 'fresh')
      const made = opened(recover(openFileStorage(fresh, { create: true })))
      expect(made.report.created).toBe(true)
      expect(opened(recover(openFileStorage(fresh))).end).toEqual(made.end)
      const torn = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block().prepare(2)
      tear(torn, 2)
      for (const [name, bytes] of torn.storage.files) writeFileSync(join(path, name), bytes)
      const { end, sequences, report } = opened(recover(openFileStorage(path)))
      expect(sequences).toEqual(upTo(2))
      expect(end).toMatchObject({ fileOffset: torn.at(2).offset, blockNumber: 1 })
      const kept = readFileSync(join(path, report.cut?.keptAs[0] as string))
      expect(kept.subarray(0, 4).toString()).toBe('TWBK')
      const expected = torn.storage.copy()
      recover(expected)
      for (const [name, bytes] of expected.files) {
        expect(Buffer.compare(readFileSync(join(path, name)), bytes), name).toBe(0)
      }
    } finally {
      rmSync(path, { recursive: true })
    }
  })

  it('recovery: says what the system said (a read that fails, a write that fails)', () => {
    const { storage } = sealedJournal()
    storage.failAt = storage.calls + 3
    expect((recover(storage) as Refused).error).toMatchObject({ code: 'JOURNAL_UNREADABLE' })
    storage.failAt = 0
    const open = storage.open.bind(storage)
    storage.open = (name, mode) => {
      if (mode === 'write') storage.failAt = storage.calls + 1
      return open(name, mode)
    }
    const { error } = recover(storage) as Refused
    expect(error.code).toBe('STORAGE_FAILED')
    expect(error.message).toMatch(/EIO.*open again/)
  })
})

describe('a new journal', () => {
  it('recovery: makes segment and manifest (empty directory)', () => {
    const storage = new MemoryStorage()
    const { end, report } = opened(recover(storage))
    expect(report).toMatchObject({ created: true, segments: 1, events: 0 })
    expect([...storage.files.keys()].sort()).toEqual([segmentName(1), MANIFEST_NAME])
    const again = opened(recover(storage))
    expect(again.end).toEqual(end)
    expect(again.report).toMatchObject({ created: false, repaired: [] })
  })

  it('recovery: refuses a directory with other files, and leaves it as it is', () => {
    const storage = new MemoryStorage()
    storage.files.set('lock', new Uint8Array(0))
    storage.files.set('photo.jpg', new Uint8Array(3))
    expect(expectRefusal({ storage }, /no journal/, 'NOT_A_JOURNAL').file).toBe('photo.jpg')
  })

  it('recovery: makes it when an earlier attempt died (at every call)', () => {
    for (let failAt = 1; ; failAt++) {
      const storage = new MemoryStorage()
      storage.files.set('lock', new Uint8Array(0))
      storage.failAt = failAt
      const outcome = recover(storage)
      storage.failAt = 0
      if (outcome.kind === 'opened') {
        expect(failAt).toBeGreaterThan(10)
        break
      }
      const { end, sequences } = opened(recover(storage))
      expect(sequences).toEqual([])
      expect(end).toMatchObject({ segmentNumber: 1, fileOffset: SEGMENT_DATA, blockNumber: 0 })
      expect([...storage.files.keys()].sort()).toEqual([segmentName(1), 'lock', MANIFEST_NAME])
    }
  })

  it('recovery: refuses a size that no segment can have', () => {
    const storage = new MemoryStorage()
    storage.files.set('lock', new Uint8Array(0))
    expect(() => opened(recover(storage, { segmentBytes: 4096 }))).toThrow(/INVALID_OPTION/)
    expect([...storage.files.keys()]).toEqual(['lock'])
  })
})
