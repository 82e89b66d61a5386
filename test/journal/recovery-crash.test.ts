import { describe, expect, it } from 'vitest'
import { DURABILITY_OS } from '../../journal/block-layout.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import type { MemoryStorage } from '../support/memory-storage.js'
import { type Opened, recover, tear, upTo } from '../support/recover.js'

function tornJournal(): JournalBuilder {
  const builder = new JournalBuilder({ segmentBytes: 256 * 1024 }).block().block()
  builder.block({ events: 30, payloadBytes: 4000 }).prepare(2)
  const { offset, usedBytes } = builder.at(3)
  builder.bytesAround(3).fill(0, offset, offset + 512)
  builder.bytesAround(3).fill(0, offset + usedBytes - 2000, offset + usedBytes)
  return builder
}

/** The first block of the second segment is torn, when the third one has been prepared already. */
function tornFirstOfSegment(): JournalBuilder {
  const builder = new JournalBuilder({ segmentBytes: 64 * 1024 })
  while (builder.segmentNumber < 2) builder.block({ events: 30, payloadBytes: 400 })
  tear(builder, builder.blockNumber)
  return builder.prepare(3)
}

/** The first blocks of a session at level os are damaged over more than one largest block. */
function tornLevelOs(): JournalBuilder {
  const builder = new JournalBuilder({ segmentBytes: 2 * 1024 * 1024 }).block().block()
  const durability = DURABILITY_OS
  builder.block({ durability, syncedThrough: 2, events: 200, payloadBytes: 4000 })
  builder.block({ durability, syncedThrough: 2, events: 200, payloadBytes: 4000 })
  builder.block({ durability, syncedThrough: 2 }).prepare(2)
  for (const block of [3, 4]) {
    const { offset } = builder.at(block)
    builder.bytesAround(block).fill(0, offset, offset + 512)
  }
  return builder
}

function damagedEverywhere(): JournalBuilder {
  const builder = sealedJournal()
  const { files } = builder.storage
  files.delete('manifest')
  builder.bytesAround(3)[3] = 1
  builder.bytesAround(1)[builder.at(1).offset + 4000] = 1
  const last = builder.at(6)
  builder.bytesAround(6)[last.offset + last.usedBytes - 1] = 7
  return builder
}

/** Dies at every call in turn, opens again, and compares with an opening that did not die. */
function expectSameAfterCrashes(make: () => JournalBuilder, sequences: number[]): number {
  const undisturbed = make().storage
  const expected = recover(undisturbed) as Opened
  expect(expected.sequences).toEqual(sequences)
  expect([...undisturbed.unsynced]).toEqual([])
  for (let failAt = 1; ; failAt++) {
    const { storage } = make()
    storage.failAt = storage.calls + failAt
    const died = recover(storage).kind === 'refused'
    storage.failAt = 0
    if (!died) return failAt
    const again = recover(storage) as Opened
    expect(again).toMatchObject({ kind: 'opened', sequences })
    expect(again.end).toEqual(expected.end)
    expectSameFiles(storage, undisturbed, failAt)
  }
}

/** Apart from half-made copies of an attempt that died. */
function expectSameFiles(storage: MemoryStorage, expected: MemoryStorage, failAt: number): void {
  const names = [...storage.files.keys()].filter((name) => !name.endsWith('.new')).sort()
  expect(names, `died at call ${failAt}`).toEqual([...expected.files.keys()].sort())
  for (const name of names) {
    const difference = Buffer.compare(storage.bytesOf(name), expected.bytesOf(name))
    expect(difference, `${name}, died at call ${failAt}`).toBe(0)
  }
}

describe('recovery that dies', () => {
  it('recovery: ends as if it had not died, at every call (torn block of level disk)', () => {
    expect(expectSameAfterCrashes(tornJournal, upTo(4))).toBeGreaterThan(30)
  })

  it('recovery: ends as if it had not died, at every call (first block of a segment)', () => {
    const { built, segmentBytes } = tornFirstOfSegment()
    const kept = built.slice(0, -1)
    const sequence = kept.reduce((sum, block) => sum + block.events, 0)
    expect(expectSameAfterCrashes(tornFirstOfSegment, upTo(sequence))).toBeGreaterThan(30)
    const { storage } = tornFirstOfSegment()
    const { end } = recover(storage) as Opened
    expect(end).toMatchObject({ segmentNumber: 1, blockNumber: kept.length })
    // Both empty segments stay, for the journaler to go on in.
    for (const name of ['0000000002.segment', '0000000003.segment']) {
      expect(storage.bytesOf(name)).toHaveLength(segmentBytes)
    }
  })

  it('recovery: ends as if it had not died, at every call (level os)', () => {
    expect(expectSameAfterCrashes(tornLevelOs, upTo(4))).toBeGreaterThan(30)
  })

  it('recovery: ends as if it had not died, at every call (headers, padding, manifest, tail)', () => {
    expect(expectSameAfterCrashes(damagedEverywhere, upTo(12))).toBeGreaterThan(40)
  })

  it('recovery: finishes a cut of which any part is zeroed already (from both ends)', () => {
    for (const make of [tornJournal, tornLevelOs]) {
      const cut = make()
      const { report, end } = recover(cut.storage) as Opened
      const { offset = 0, bytes = 0, keptAs = [] } = report.cut ?? {}
      for (let part = 4096; part < bytes; part += (bytes >> 15) << 12) {
        for (const side of ['front', 'back']) {
          const builder = make()
          const [kept] = keptAs
          builder.storage.files.set(kept as string, cut.storage.bytesOf(kept as string))
          const from = side === 'front' ? offset : offset + part
          builder.bytesAround(3).fill(0, from, side === 'front' ? offset + part : offset + bytes)
          const again = recover(builder.storage) as Opened
          expect(again).toMatchObject({ kind: 'opened', sequences: upTo(4), end })
          expect([...builder.storage.files.keys()].filter((name) => name.includes('torn'))).toEqual(
            keptAs,
          )
        }
      }
    }
  })

  it('recovery: keeps a second copy under another name (another tear at the same place)', () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    const { offset } = builder.at(2)
    builder.bytesAround(2)[offset + 140] = 1
    recover(builder.storage)
    builder.bytesAround(2).fill(9, offset, offset + 300)
    const { report } = recover(builder.storage) as Opened
    expect(report.cut?.keptAs).toEqual([`0000000001.segment.torn-${offset}-2`])
  })
})
