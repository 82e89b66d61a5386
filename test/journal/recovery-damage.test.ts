/**
 * Exhaustive: a small sealed journal of two segments and a prepared one, with each bit flipped and
 * at each length. An opening refuses, or opens with every event and reports a repair.
 */
import { describe, expect, it } from 'vitest'
import { BLOCK_HEADER_BYTES } from '../../journal/block-layout.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_HEADER_BYTES, SEGMENT_SECOND_HEADER } from '../../journal/segment-layout.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { type JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { recover, upTo } from '../support/recover.js'

/** Three blocks a segment: five with events and the seal fill two. */
const OPTIONS = { segmentBytes: 20 * 1024 }
const ALL = upTo(12).join()
/** TIDEWHEEL_EXHAUSTIVE=1 also flips all bits of the bytes that are always zero: 491,776 in all. */
const EVERY_BIT = process.env['TIDEWHEEL_EXHAUSTIVE'] === '1'

interface Tally {
  flips: number
  refused: number
  repaired: number
  cut: number
  lost: string[]
}

/** Judges one damaged journal; `what` names the damage. */
function judge(storage: MemoryStorage, tally: Tally, what: string): void {
  tally.flips++
  storage.changes = 0
  const outcome = recover(storage)
  if (outcome.kind === 'refused') {
    tally.refused++
    if (storage.changes > 0) tally.lost.push(`${what}: refused, but wrote`)
    return
  }
  const { sequences, report } = outcome
  if (sequences.join() !== ALL) tally.lost.push(`${what}: ${sequences.length} events`)
  if (report.cut !== undefined) tally.cut++
  else if (report.repaired.length > 0) tally.repaired++
  else tally.lost.push(`${what}: opened without a word`)
}

function newTally(): Tally {
  return { flips: 0, refused: 0, repaired: 0, cut: 0, lost: [] }
}

/** Bytes that are not always zero: of headers, blocks and manifest. */
function usedBytes(builder: JournalBuilder, name: string): Set<number> {
  const used = new Set<number>()
  const add = (from: number, lengthBytes: number) => {
    for (let at = from; at < from + lengthBytes; at++) used.add(at)
  }
  if (name === MANIFEST_NAME) add(0, 32)
  add(0, SEGMENT_HEADER_BYTES)
  add(SEGMENT_SECOND_HEADER, SEGMENT_HEADER_BYTES)
  for (const block of builder.built) if (block.file === name) add(block.offset, block.usedBytes)
  return used
}

describe('a damaged journal', () => {
  it('recovery: refuses or reports (every bit)', () => {
    const builder = sealedJournal(OPTIONS)
    const { storage } = builder
    const tally = newTally()
    for (const [name, pristine] of new Map(storage.files)) {
      const used = usedBytes(builder, name)
      for (let at = 0; at < pristine.byteLength; at++) {
        const all = EVERY_BIT || used.has(at)
        // One bit of every other byte that is always zero: another bit every time.
        if (!all && at % 2 !== 0) continue
        for (let bit = all ? 0 : (at >> 1) % 8; bit < 8; bit += all ? 1 : 8) {
          const damaged = shallowCopy(storage, name)
          const bytes = damaged.bytesOf(name)
          bytes[at] = (bytes[at] as number) ^ (1 << bit)
          judge(damaged, tally, `${name} byte ${at} bit ${bit}`)
        }
      }
    }
    expect(tally.lost).toEqual([])
    expect(tally.refused).toBeGreaterThan(5000)
    expect(tally.repaired).toBeGreaterThan(1000)
    // Of the seal, and within one largest block behind it.
    expect(tally.cut).toBeGreaterThan(0)
  })

  it('recovery: loses at most the last block, and says so (every bit of a block without seal)', () => {
    const builder = sealedJournal(OPTIONS)
    builder.block({ events: 2 })
    const { offset, usedBytes: length, file } = builder.at(7)
    let cuts = 0
    for (let bit = 0; bit < length * 8; bit++) {
      const damaged = shallowCopy(builder.storage, file)
      const bytes = damaged.bytesOf(file)
      const at = offset + (bit >> 3)
      bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7))
      const outcome = recover(damaged)
      if (outcome.kind === 'refused') continue
      expect(outcome.sequences).toEqual(upTo(12))
      expect(outcome.report.cut).toBeDefined()
      cuts++
    }
    expect(cuts).toBeGreaterThan(8 * BLOCK_HEADER_BYTES)
  })

  it('recovery: refuses, or removes what was never used (every length)', () => {
    const builder = sealedJournal(OPTIONS)
    const { storage } = builder
    const tally = newTally()
    for (const [name, pristine] of new Map(storage.files)) {
      for (let length = 0; length <= pristine.byteLength + 512; length++) {
        const nearBoundary = Math.min(length % 4096, 4096 - (length % 4096)) < 4
        if (length === pristine.byteLength || !(nearBoundary || length % 512 === 0)) continue
        const damaged = shallowCopy(storage, name)
        const bytes = new Uint8Array(length)
        bytes.set(pristine.subarray(0, length))
        damaged.files.set(name, bytes)
        judge(damaged, tally, `${name} of ${length} bytes`)
      }
    }
    expect(tally.lost).toEqual([])
    expect(tally.cut).toBe(0)
    expect(tally.flips).toBeGreaterThan(200)
  })

  it('verify: sees every flipped bit of headers, blocks and manifest', async () => {
    const builder = sealedJournal(OPTIONS)
    const { storage } = builder
    const window = new ReadWindow()
    const unseen: string[] = []
    const intact = new Map<string, ReturnType<typeof verifySegment>>()
    for (const name of storage.files.keys()) {
      if (name !== MANIFEST_NAME) intact.set(name, verifySegment(storage, name, window))
    }
    for (const [name, bytes] of storage.files) {
      for (const at of usedBytes(builder, name)) {
        if (at >= bytes.byteLength) continue
        // The bits of a byte are alike here: recovery has tried them all.
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
        if (!(await seesDamage(storage, name, window, intact))) unseen.push(`${name} byte ${at}`)
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
      }
    }
    expect(unseen).toEqual([])
  })
})

async function seesDamage(
  storage: MemoryStorage,
  name: string,
  window: ReadWindow,
  intact: Map<string, ReturnType<typeof verifySegment>>,
): Promise<boolean> {
  if (name !== MANIFEST_NAME) {
    const verdict = verifySegment(storage, name, window)
    if (verdict.problems.length > 0) return true
  }
  const report = await verifyWith(storage, async (segment) =>
    segment === name
      ? verifySegment(storage, segment, window)
      : (intact.get(segment) as ReturnType<typeof verifySegment>),
  )
  return !report.ok
}

/** Shares all files but one; a file is never changed in place by what opens a healthy journal. */
function shallowCopy(storage: MemoryStorage, name: string): MemoryStorage {
  const copy = new MemoryStorage()
  for (const [file, bytes] of storage.files) {
    copy.files.set(file, file === name ? bytes.slice() : bytes)
  }
  return copy
}
