/**
 * A small sealed journal with bits flipped, cut to other lengths, and its segments misplaced: an
 * opening refuses, or opens with every event and says what it did. Every bit that means something,
 * and a sample of the rest that is another one in each run; `npm run soak -- --suite damage` tries
 * every bit and every length.
 */
import { describe, expect, it } from 'vitest'
import { BLOCK_HEADER_BYTES } from '../../journal/block-layout.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import {
  changeLengths,
  flipBits,
  flipLastBlock,
  misplaceSegments,
  SMALL_SEGMENTS,
  usedBytes,
} from '../support/damage/journal-damage.js'
import { sealedJournal } from '../support/journal-builder.js'
import type { MemoryStorage } from '../support/memory-storage.js'
import { seededRandom } from '../support/seeded-random.js'

const SEED = Date.now() >>> 0
const random = seededRandom(SEED)
/** One in so many of the bits that are always zero, and of the lengths. */
const BITS_MODULUS = 31
const LENGTHS_MODULUS = 17

describe('a damaged journal', () => {
  it('recovery: refuses or reports (every bit)', () => {
    const sample = { modulus: BITS_MODULUS, residue: random.below(BITS_MODULUS) }
    const tally = flipBits(sample)
    console.log(`flipped bits, seed ${SEED}: ${tally}`)
    expect(tally.wrong).toEqual([])
    expect(tally.refused).toBeGreaterThan(5000)
    expect(tally.repaired).toBeGreaterThan(1000)
    // Of the seal, and within one largest block behind it.
    expect(tally.cut).toBeGreaterThan(0)
  })

  it('recovery: loses at most the last block, and says so (every bit of a block without seal)', () => {
    const tally = flipLastBlock()
    console.log(`flipped bits of a last block that is not sealed: ${tally}`)
    expect(tally.wrong).toEqual([])
    expect(tally.cut).toBeGreaterThan(8 * BLOCK_HEADER_BYTES)
  })

  it('recovery: refuses, or removes what was never used (every length)', () => {
    const sample = { modulus: LENGTHS_MODULUS, residue: random.below(LENGTHS_MODULUS) }
    const tally = changeLengths(sample)
    console.log(`lengths, seed ${SEED}: ${tally}`)
    expect(tally.wrong).toEqual([])
    expect(tally.cut).toBe(0)
    expect(tally.tried).toBeGreaterThan(3000)
  })

  it('recovery: refuses segments that are missing, doubled, exchanged or foreign', () => {
    const tally = misplaceSegments()
    console.log(`misplaced segments: ${tally}`)
    expect(tally.wrong).toEqual([])
    expect(tally).toMatchObject({ repaired: 0, cut: 0, unharmed: 1 })
    expect(tally.refused).toBe(tally.tried - 1)
  })

  it('verify: sees every flipped bit of headers, blocks and manifest', async () => {
    const builder = sealedJournal(SMALL_SEGMENTS)
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
