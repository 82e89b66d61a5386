import { describe, expect, it } from 'vitest'
import { readManifest, writeManifest } from '../../journal/manifest.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { SEGMENT_DATA, SEGMENT_SECOND_HEADER, segmentName } from '../../journal/segment-layout.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { expectRefusal, opened, type Refused, recover, upTo } from '../support/recover.js'

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

  it('recovery: refuses (a snapshot was made of later blocks)', () => {
    const builder = sealedJournal()
    const restore = (durableBlock: number) => () => {
      return { start: undefined, durableBlock, durableIn: 'x', snapshot: undefined, skipped: [] }
    }
    const { blockNumber } = builder
    expect(recover(builder.storage, { restore: restore(blockNumber) }).kind).toBe('opened')
    const before = builder.storage.digests()
    const outcome = recover(builder.storage, { restore: restore(blockNumber + 1) })
    expect((outcome as Refused).error.message).toMatch(/made of blocks up to 7, so/)
    expect(builder.storage.digests()).toEqual(before)
  })
})
