import { describe, expect, it } from 'vitest'
import { DURABILITY_OS } from '../../journal/block-layout.js'
import { SEGMENT_DATA, segmentName } from '../../journal/segment-layout.js'
import { JournalBuilder } from '../support/journal-builder.js'
import { expectRefusal, opened, recover, tear, upTo } from '../support/recover.js'

const MIB = 1024 * 1024

// The rows are those of the table in tail-decision.ts. Row 5 is in recovery-crash.test.ts.
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
