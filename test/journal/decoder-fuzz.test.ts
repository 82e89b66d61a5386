import { describe, expect, it } from 'vitest'
import { readBlockHeader, writeBlockHeader } from '../../journal/block-header.js'
import { BLOCK_HEADER_BYTES } from '../../journal/block-layout.js'
import { TidewheelError } from '../../journal/errors.js'
import { decodeManifest } from '../../journal/manifest.js'
import { ReadWindow } from '../../journal/read-window.js'
import { decodeSegmentHeader } from '../../journal/segment-header.js'
import { SEGMENT_DATA } from '../../journal/segment-layout.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { recover, upTo } from '../support/recover.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

const ROUNDS = 10_000

/** Anything, or something intact with a few bytes changed. */
function fuzz(random: SeededRandom, intact: Uint8Array): Uint8Array {
  if (random.below(4) === 0) {
    return Uint8Array.from({ length: random.below(300) }, () => random.below(256))
  }
  const bytes = intact.slice(0, random.below(3) === 0 ? random.below(intact.length + 1) : undefined)
  for (let change = random.below(6); change > 0 && bytes.length > 0; change--) {
    bytes[random.below(bytes.length)] = random.below(256)
  }
  return bytes
}

/** A value or a typed error, never anything else. */
function survives(seed: number, decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    if (!(error instanceof TidewheelError)) throw new Error(`seed ${seed}`, { cause: error })
  }
}

describe('decoders of untrusted bytes', () => {
  it('decoders: give a value or a typed error (block header, segment header, manifest)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const builder = sealedJournal()
    const segment = builder.bytesAround(1)
    const { offset, usedBytes } = builder.at(1)
    const block = segment.slice(offset, offset + usedBytes)
    const header = segment.slice(0, 4096)
    const manifest = builder.storage.bytesOf('manifest')
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = fuzz(random, block)
      survives(seed, () => readBlockHeader(bytes, random.below(40) - 10, builder.salt(1)))
      survives(seed, () => readBlockHeader(bytes, 0, builder.salt(1)))
      survives(seed, () => decodeSegmentHeader(fuzz(random, header)))
      survives(seed, () => decodeManifest(fuzz(random, manifest)))
    }
  })

  it('decoders: survive payloads under right checksums (opening and verifying)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const window = new ReadWindow()
    for (let round = 0; round < ROUNDS / 5; round++) {
      const builder = new JournalBuilder().block({ events: 3 })
      const { offset, usedBytes } = builder.at(1)
      const bytes = builder.bytesAround(1).subarray(offset, offset + usedBytes)
      const original = readBlockHeader(bytes, 0, builder.salt(1))
      if (original === undefined) throw new Error('the builder writes good blocks')
      for (let change = 1 + random.below(4); change > 0; change--) {
        // Mostly in the fields of frames and records.
        const at = BLOCK_HEADER_BYTES + random.below(usedBytes - BLOCK_HEADER_BYTES)
        bytes[at] = random.below(3) === 0 ? random.below(256) : random.below(20)
      }
      writeBlockHeader(bytes, original, builder.salt(1))
      survives(seed, () => verifySegment(builder.storage, '0000000001.segment', window))
      const outcome = recover(builder.storage)
      // Payload bytes of events may be anything; whatever is structure is refused.
      if (outcome.kind === 'refused') expect(outcome.error.code).toBe('JOURNAL_DAMAGED')
      else expect(outcome.sequences.length).toBe(3)
    }
  })

  it('decoders: survive whole segments of anything', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const window = new ReadWindow()
    for (let round = 0; round < ROUNDS / 20; round++) {
      const { storage } = sealedJournal()
      const name = `000000000${1 + random.below(4)}.segment`
      const bytes = storage.bytesOf(name)
      const from = random.below(2) === 0 ? SEGMENT_DATA : 0
      for (let at = from; at < bytes.length; at += 1 + random.below(40))
        bytes[at] = random.below(256)
      const outcome = recover(storage)
      if (outcome.kind === 'opened') {
        const { sequences, report } = outcome
        expect(sequences, `seed ${seed}`).toEqual(upTo(sequences.length))
        // The seal and the block before it, damaged together, look like one torn block.
        if (sequences.length < 12) expect(report.cut, `seed ${seed}`).toBeDefined()
      }
      survives(seed, () => verifySegment(storage, name, window))
    }
  })
})
