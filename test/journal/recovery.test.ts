import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DURABILITY_OS, HASH_BYTES } from '../../journal/block-layout.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { readManifest, writeManifest } from '../../journal/manifest.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_DATA, SEGMENT_SECOND_HEADER, segmentName } from '../../journal/segment-layout.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { type Opened, type Refused, recover, upTo } from '../support/recover.js'
import { seededRandom } from '../support/seeded-random.js'

const MIB = 1024 * 1024

function opened(outcome: Opened | Refused): Opened {
  if (outcome.kind === 'refused') throw outcome.error
  return outcome
}

/** Asserts a refusal that changed nothing. */
function expectRefusal(
  builder: { storage: MemoryStorage },
  message: RegExp,
  code = 'JOURNAL_DAMAGED',
) {
  const before = builder.storage.digests()
  builder.storage.changes = 0
  const outcome = recover(builder.storage)
  expect(outcome.kind).toBe('refused')
  const { error } = outcome as Refused
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  expect(builder.storage.changes).toBe(0)
  expect(builder.storage.digests()).toEqual(before)
  return error
}

/** Makes a block's payload wrong, as a write that was cut short leaves it. */
function tear(builder: JournalBuilder, block: number, from = 140): void {
  const { offset, usedBytes } = builder.at(block)
  builder.bytesAround(block).fill(0, offset + from, offset + usedBytes)
}

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

describe('tail decision', () => {
  it('row 1: ends (zeros behind the last block)', () => {
    const builder = new JournalBuilder({ segmentBytes: 2 * MIB }).block().block().prepare(2)
    const { sequences, report } = opened(recover(builder.storage))
    expect(sequences).toEqual(upTo(4))
    expect(report.cut).toBeUndefined()
  })

  it('row 2: refuses (a later block in the same segment proves the damaged one)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block().block()
    tear(builder, 2)
    const error = expectRefusal(builder, /later block proves/)
    expect(error).toMatchObject({ file: segmentName(1), offset: builder.at(2).offset, sequence: 3 })
  })

  it('row 2: refuses (a block in the next segment proves the last of this one)', () => {
    const builder = new JournalBuilder().block().block().block()
    expect(builder.at(3).file).toBe(segmentName(2))
    tear(builder, 2)
    expectRefusal(builder, /later block proves/)
  })

  it('row 2: refuses (zeros, then valid data)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block().block()
    const { offset, lengthBytes } = builder.at(2)
    builder.bytesAround(2).fill(0, offset, offset + lengthBytes)
    expectRefusal(builder, /later block proves/)
  })

  it('row 2: refuses (all blocks of a segment are zero, the next segment has some)', () => {
    const builder = new JournalBuilder().block().block().block().block().block()
    builder.bytesAround(3).fill(0, SEGMENT_DATA)
    expectRefusal(builder, /later block proves/)
  })

  it('row 2: refuses (level os, a later block was written after a sync)', () => {
    const builder = new JournalBuilder({ durability: DURABILITY_OS, segmentBytes: 64 * 1024 })
    builder.block({ syncedThrough: 0 }).block({ syncedThrough: 0 }).block({ syncedThrough: 0 })
    builder.block({ syncedThrough: 2 })
    tear(builder, 2)
    expectRefusal(builder, /later block proves/)
  })

  it('row 3: refuses (an intact block of the wrong number, copied in)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block()
    const twin = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    twin.blockNumber = 0
    const other = new JournalBuilder({ segmentBytes: 64 * 1024 })
    other.fileOffset = builder.fileOffset
    other.block()
    const { offset, usedBytes } = other.at(1)
    builder.bytesAround(1).set(other.bytesAround(1).subarray(offset, offset + usedBytes), offset)
    expectRefusal(builder, /it is block 1, where block 2 belongs/)
  })

  it('row 3: refuses (an older epoch)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 })
    builder.epoch = 3
    builder.block()
    builder.epoch = 2
    builder.block()
    expectRefusal(builder, /epoch is 2/)
  })

  it('row 3: refuses (a gap in the sequence)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block()
    builder.sequence += 1
    builder.block()
    expectRefusal(builder, /sequence 4, where 3 belongs/)
  })

  it('row 4: refuses (a block behind the tear was written for another place)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    const { offset, lengthBytes } = builder.at(1)
    const bytes = builder.bytesAround(1)
    const copy = bytes.slice(offset, offset + lengthBytes)
    tear(builder, 2)
    bytes.set(copy, builder.at(2).offset + 2 * lengthBytes)
    expectRefusal(builder, /does not belong there/)
  })

  it('row 6: cuts everything unsynced (level os, later blocks survived)', () => {
    const builder = new JournalBuilder({ durability: DURABILITY_OS, segmentBytes: 64 * 1024 })
    builder.block({ syncedThrough: 0 }).block({ syncedThrough: 1 }).block({ syncedThrough: 1 })
    builder.block({ syncedThrough: 1 })
    tear(builder, 2)
    const cutBytes = builder
      .bytesAround(2)
      .slice(builder.at(2).offset, builder.at(4).offset + builder.at(4).usedBytes)
    const { sequences, report, end } = opened(recover(builder.storage, { durability: 'os' }))
    expect(sequences).toEqual(upTo(2))
    expect(report.cut).toMatchObject({
      file: segmentName(1),
      offset: builder.at(2).offset,
      bytes: cutBytes.byteLength,
    })
    const [kept] = report.cut?.keptAs ?? []
    expect(Buffer.compare(builder.storage.bytesOf(kept as string), cutBytes)).toBe(0)
    expect(
      builder
        .bytesAround(2)
        .subarray(end.fileOffset)
        .every((byte) => byte === 0),
    ).toBe(true)
  })

  it('row 6: cuts in several segments (level os, a whole segment is missing)', () => {
    const builder = new JournalBuilder({ durability: DURABILITY_OS })
    for (let block = 0; block < 6; block++) builder.block({ syncedThrough: Math.min(block, 1) })
    expect(builder.segmentNumber).toBe(3)
    tear(builder, 2)
    builder.bytesAround(3).fill(0, SEGMENT_DATA)
    const { sequences, report } = opened(recover(builder.storage, { durability: 'os' }))
    expect(sequences).toEqual(upTo(2))
    expect(report.cut?.keptAs).toEqual([
      `${segmentName(1)}.torn-${builder.at(2).offset}`,
      `${segmentName(3)}.torn-${SEGMENT_DATA}`,
    ])
  })

  it('row 6: goes by the level in the blocks, not by that of this opening (os, opened as disk)', () => {
    const builder = new JournalBuilder({ durability: DURABILITY_OS, segmentBytes: 64 * 1024 })
    builder.block({ syncedThrough: 0 }).block({ syncedThrough: 1 }).block({ syncedThrough: 1 })
    tear(builder, 2)
    const { sequences, report } = opened(recover(builder.storage, { durability: 'disk' }))
    expect(sequences).toEqual(upTo(2))
    expect(report.levelBefore).toBe('os')
  })

  it('row 6: takes the level from the blocks behind the tear (first blocks of an os session)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block()
    builder.epoch = 2
    builder.block({ durability: DURABILITY_OS, syncedThrough: 1 })
    builder.block({ durability: DURABILITY_OS, syncedThrough: 1 })
    tear(builder, 2, 0)
    expect(opened(recover(builder.storage)).sequences).toEqual(upTo(2))
  })

  it('row 7: refuses (level disk, a later block that proves nothing)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block()
    builder.block({ syncedThrough: 1 }).block({ syncedThrough: 1 })
    tear(builder, 2)
    expectRefusal(builder, /later blocks are there/)
  })

  it('row 8: cuts, keeps a copy and zeroes (payload torn)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block().prepare(2)
    tear(builder, 2)
    const { sequences, end, report } = opened(recover(builder.storage))
    expect(sequences).toEqual(upTo(2))
    expect(end).toMatchObject({
      fileOffset: builder.at(2).offset,
      blockNumber: 1,
      sequence: 2,
      epoch: 2,
    })
    expect(report.cut?.reason).toMatch(/not finished/)
    expect(recover(builder.storage)).toMatchObject({ kind: 'opened', sequences: upTo(2) })
  })

  it('row 8: cuts (header sector lost, payload there)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block()
    builder.block({ events: 40, payloadBytes: 64 })
    const { offset } = builder.at(2)
    builder.bytesAround(2).fill(0, offset, offset + 512)
    expect(opened(recover(builder.storage)).sequences).toEqual(upTo(2))
  })

  it('row 8: cuts (the very first block)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block()
    tear(builder, 1)
    const { end, sequences } = opened(recover(builder.storage))
    expect(sequences).toEqual([])
    expect(end).toMatchObject({ blockNumber: 0, sequence: 0, fileOffset: SEGMENT_DATA })
  })

  it('row 8: cuts (the first block of the next segment)', () => {
    const builder = new JournalBuilder().block().block().block()
    tear(builder, 3)
    const { sequences, end } = opened(recover(builder.storage))
    expect(sequences).toEqual(upTo(4))
    expect(end).toMatchObject({ segmentNumber: 1, fileOffset: builder.segmentBytes })
  })

  it('row 8: cuts to the last byte of the window, and refuses one behind it (no header)', () => {
    for (const [distance, isCut] of [
      [MIB - 1, true],
      [MIB, false],
    ] as const) {
      const builder = new JournalBuilder({ segmentBytes: 3 * MIB }).block()
      builder.bytesAround(1)[builder.fileOffset] = 1
      builder.bytesAround(1)[builder.fileOffset + distance] = 1
      if (isCut) expect(opened(recover(builder.storage)).report.cut?.bytes).toBe(MIB)
      else expectRefusal(builder, /more behind it than one unfinished write/)
    }
  })

  it('row 9: refuses (more behind a torn block than its header says)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    tear(builder, 2)
    builder.bytesAround(2)[builder.fileOffset] = 1
    expectRefusal(builder, /more behind it than one unfinished write/)
  })

  it('row 9: refuses (data in the segment after the torn one)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block().prepare(2)
    tear(builder, 2)
    builder.storage.bytesOf(segmentName(2))[SEGMENT_DATA] = 1
    expectRefusal(builder, /more behind it than one unfinished write/)
  })
})

describe('segments and manifest', () => {
  it('recovery: refuses (a segment in the middle is missing)', () => {
    const builder = sealedJournal()
    builder.storage.files.delete(segmentName(2))
    expect(expectRefusal(builder, /segment 2 of the journal is missing/).file).toBe(segmentName(2))
  })

  it('recovery: refuses (the first segment is missing)', () => {
    const builder = sealedJournal()
    builder.storage.files.delete(segmentName(1))
    expectRefusal(builder, /segment 1 of the journal is missing/)
  })

  it('recovery: refuses (the newest segment that the manifest knows is missing)', () => {
    const builder = sealedJournal()
    builder.storage.files.delete(segmentName(4))
    builder.storage.files.delete(segmentName(3))
    expectRefusal(builder, /segment 3 of the journal is missing/)
  })

  it('recovery: refuses (all segments are missing, the manifest is there)', () => {
    const { storage } = new JournalBuilder().block()
    storage.files.delete(segmentName(1))
    expectRefusal({ storage }, /segment 1 of the journal is missing/)
  })

  it('recovery: opens (only the prepared segment is missing)', () => {
    const builder = sealedJournal()
    builder.storage.files.delete(segmentName(4))
    expect(opened(recover(builder.storage)).sequences).toEqual(upTo(12))
  })

  it('recovery: refuses (a renamed segment)', () => {
    const builder = sealedJournal()
    const { files } = builder.storage
    files.set(segmentName(4), files.get(segmentName(3)) as Uint8Array)
    files.delete(segmentName(3))
    expectRefusal(builder, /segment 3 of the journal is missing/)
  })

  it('recovery: refuses (two segments swapped, or one there twice)', () => {
    const swapped = sealedJournal()
    const { files } = swapped.storage
    const second = files.get(segmentName(2)) as Uint8Array
    files.set(segmentName(2), files.get(segmentName(3)) as Uint8Array)
    files.set(segmentName(3), second)
    expectRefusal(swapped, /says that it is segment 3/)
    const doubled = sealedJournal()
    const first = doubled.storage.bytesOf(segmentName(1))
    doubled.storage.files.set(segmentName(2), first.slice())
    expectRefusal(doubled, /says that it is segment 1/)
  })

  it('recovery: refuses (a segment of another journal, whole or as prepared)', () => {
    for (const number of [2, 4]) {
      const builder = sealedJournal()
      const other = sealedJournal({ seed: 2 })
      builder.storage.files.set(segmentName(number), other.storage.bytesOf(segmentName(number)))
      const error = expectRefusal(builder, /belongs to another journal/)
      expect(error.file).toBe(segmentName(number))
    }
  })

  it('recovery: refuses (the manifest of another journal)', () => {
    const builder = sealedJournal()
    const other = sealedJournal({ seed: 2 })
    builder.storage.files.set(MANIFEST_NAME, other.storage.bytesOf(MANIFEST_NAME))
    expectRefusal(builder, /belongs to another journal/)
  })

  it('recovery: makes the manifest again and says so (lost, damaged)', () => {
    for (const damage of ['lost', 'damaged']) {
      const builder = sealedJournal()
      if (damage === 'lost') builder.storage.files.delete(MANIFEST_NAME)
      else builder.storage.bytesOf(MANIFEST_NAME)[20] = 0xff
      const { report, sequences } = opened(recover(builder.storage))
      expect(sequences).toEqual(upTo(12))
      expect(report.repaired.join()).toMatch(/manifest was/)
      expect(readManifest(builder.storage)).toEqual({
        journalId: builder.journalId,
        highestSegment: 3,
      })
      expect(opened(recover(builder.storage)).report.repaired).toEqual([])
    }
  })

  it('recovery: brings the manifest up to the segments (a crash between roll and manifest)', () => {
    const builder = sealedJournal()
    writeManifest(builder.storage, { journalId: builder.journalId, highestSegment: 2 })
    expect(opened(recover(builder.storage)).report.repaired).toEqual([])
    expect(readManifest(builder.storage)).toMatchObject({ highestSegment: 3 })
  })

  it('recovery: repairs one copy of a header from the other (first, second)', () => {
    for (const position of [0, SEGMENT_SECOND_HEADER]) {
      const builder = sealedJournal()
      const pristine = builder.storage.digests()
      builder.storage.bytesOf(segmentName(2)).fill(0, position, position + 512)
      const { report, sequences } = opened(recover(builder.storage))
      expect(sequences).toEqual(upTo(12))
      expect(report.repaired).toEqual([expect.stringMatching(/header of 0000000002.segment/)])
      expect(builder.storage.digests()).toEqual(pristine)
    }
  })

  it('recovery: refuses (both copies of a header damaged, segment in use)', () => {
    const builder = sealedJournal()
    builder.storage.bytesOf(segmentName(3)).fill(0, 0, SEGMENT_DATA)
    expectRefusal(builder, /both copies of its header/)
  })

  it('recovery: removes the newest segment (unused, both copies damaged or too short)', () => {
    for (const damage of ['header', 'length', 'empty']) {
      const builder = sealedJournal()
      const name = segmentName(4)
      const bytes = builder.storage.bytesOf(name)
      if (damage === 'header') bytes.fill(1, 0, SEGMENT_DATA)
      else builder.storage.files.set(name, bytes.slice(0, damage === 'length' ? 12_288 : 0))
      const { report, sequences } = opened(recover(builder.storage))
      expect(sequences).toEqual(upTo(12))
      expect(report.repaired).toEqual([expect.stringMatching(/never been used/)])
      expect(builder.storage.files.has(name)).toBe(false)
    }
  })

  it('recovery: refuses (the newest segment is unused, but the manifest knows it)', () => {
    const builder = sealedJournal()
    writeManifest(builder.storage, { journalId: builder.journalId, highestSegment: 4 })
    builder.storage.bytesOf(segmentName(4)).fill(1, 0, SEGMENT_DATA)
    expectRefusal(builder, /both copies of its header/)
  })

  it('recovery: zeroes padding behind an intact block and says so', () => {
    const builder = sealedJournal()
    const pristine = builder.storage.digests()
    const { offset, lengthBytes } = builder.at(2)
    builder.bytesAround(2)[offset + lengthBytes - 1] = 1
    const { report, sequences } = opened(recover(builder.storage))
    expect(sequences).toEqual(upTo(12))
    expect(report.repaired).toEqual([expect.stringMatching(/behind block 2/)])
    expect(builder.storage.digests()).toEqual(pristine)
  })

  it('recovery: refuses (a snapshot knows of later events)', () => {
    const builder = sealedJournal()
    expect(recover(builder.storage, { durableSequence: 12 }).kind).toBe('opened')
    const outcome = recover(builder.storage, { durableSequence: 13 })
    expect((outcome as Refused).error.message).toMatch(/event 13 was durable/)
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
