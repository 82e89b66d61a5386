/**
 * What someone does who can write the files, on each block of a small journal in turn. Three of
 * them: one who knows nothing of checksums, one who makes them right again but not the chain, and
 * one who makes everything right from there on, whom only a head that was noted elsewhere betrays.
 */
import { describe, expect, it } from 'vitest'
import { BLOCK_HEADER_BYTES } from '../../journal/block-layout.js'
import type { NotedHead } from '../../journal/chain-head.js'
import { writeManifest } from '../../journal/manifest.js'
import { ReadWindow } from '../../journal/read-window.js'
import { FRAME_EVENT_COUNT, FRAME_TIME } from '../../journal/record-layout.js'
import { segmentName } from '../../journal/segment-layout.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { JournalBuilder } from '../support/journal-builder.js'
import type { MemoryStorage } from '../support/memory-storage.js'

const BLOCKS = 8
/** Two blocks a segment, so that every second neighbour lies in another one. */
const SEGMENT_BYTES = 16 * 1024
const window = new ReadWindow()
const numbers = Array.from({ length: BLOCKS }, (_, index) => index + 1)

interface Original {
  readonly storage: MemoryStorage
  /** Frames of each block, all of one time, so that nothing but the chain knows their order. */
  readonly frames: readonly Uint8Array[]
  /** The hash of each block; of block 0: zeros. */
  readonly hashes: readonly Uint8Array[]
  readonly heads: readonly NotedHead[]
}

function original(): Original {
  const plain = new JournalBuilder({ segmentBytes: SEGMENT_BYTES })
  const frames = numbers.map((number) => {
    plain.block()
    const { offset, usedBytes } = plain.at(number)
    const bytes = plain.bytesAround(number).slice(offset + BLOCK_HEADER_BYTES, offset + usedBytes)
    bytes.fill(0, FRAME_TIME, FRAME_TIME + 8)
    return bytes
  })
  return { ...build(frames), frames }
}

/** A journal of these blocks; the previous hashes are right unless they are given. */
function build(frames: readonly Uint8Array[], previous?: readonly Uint8Array[]) {
  const builder = new JournalBuilder({ segmentBytes: SEGMENT_BYTES })
  const hashes = [builder.previousHash]
  const heads = [headOf(builder)]
  frames.forEach((bytes, index) => {
    builder.previousHash = previous?.[index] ?? builder.previousHash
    const events = new DataView(bytes.buffer, bytes.byteOffset).getUint16(FRAME_EVENT_COUNT, true)
    builder.block({ frames: [bytes], events })
    hashes.push(builder.previousHash)
    heads.push(headOf(builder))
  })
  return { storage: builder.storage, builder, hashes, heads }
}

function headOf({ sequence, previousHash }: JournalBuilder): NotedHead {
  return { sequence, hash: Buffer.from(previousHash).toString('hex') }
}

async function codes(storage: MemoryStorage, head?: NotedHead): Promise<string[]> {
  const run = async (name: string) => verifySegment(storage, name, window, head?.hash)
  const { ok, problems, notedBlock } = await verifyWith(storage, run, head)
  expect(ok).toBe(problems.length === 0)
  if (ok && head !== undefined) expect(notedBlock).toBeDefined()
  return [...new Set(problems.map(({ code }) => code))]
}

function changed(frames: Uint8Array): Uint8Array {
  const copy = frames.slice()
  copy[copy.length - 1]! ^= 1
  return copy
}

/** What can be done to block `k` of these, as the blocks that are there afterwards. */
const REWRITES: Readonly<
  Record<string, (frames: readonly Uint8Array[], k: number) => Uint8Array[] | undefined>
> = {
  changed: (frames, k) => frames.with(k - 1, changed(frames[k - 1]!)),
  removed: (frames, k) => frames.toSpliced(k - 1, 1),
  doubled: (frames, k) => frames.toSpliced(k - 1, 0, frames[k - 1]!),
  reordered: (frames, k) =>
    k === frames.length ? undefined : frames.with(k - 1, frames[k]!).with(k, frames[k - 1]!),
  'cut off from there on': (frames, k) => frames.slice(0, k - 1),
}

const journal = original()
const last = journal.heads.at(-1) as NotedHead

describe('tampering', () => {
  it('verify: finds the untouched journal right, with each head that it ever had', async () => {
    expect(await codes(journal.storage)).toEqual([])
    for (const head of journal.heads) expect(await codes(journal.storage, head)).toEqual([])
  })

  it('verify: sees every byte of every block that changes (nothing made right)', async () => {
    const { builder } = build(journal.frames)
    for (const { file, offset, usedBytes } of builder.built) {
      for (let at = offset; at < offset + usedBytes; at++) {
        const segment = verifySegmentWith(builder.storage, file, at)
        expect(segment, `${file} ${at}`).not.toEqual([])
      }
    }
  })

  it('verify: sees blocks exchanged, doubled, zeroed, cut short (nothing made right)', async () => {
    const { builder } = build(journal.frames)
    const damaged = numbers.flatMap((k) => {
      const { file, offset, lengthBytes } = builder.at(k)
      const bytes = () => builder.storage.bytesOf(file).slice(offset, offset + lengthBytes)
      const put = (change: (storage: MemoryStorage) => void) => {
        const storage = builder.storage.copy()
        change(storage)
        return storage
      }
      const other = builder.at(k === BLOCKS ? 1 : k + 1)
      const moved = put((storage) => storage.bytesOf(other.file).set(bytes(), other.offset))
      const exchanged = put((storage) => {
        storage
          .bytesOf(file)
          .set(
            builder.bytesAround(other.number).subarray(other.offset, other.offset + lengthBytes),
            offset,
          )
        storage.bytesOf(other.file).set(bytes(), other.offset)
      })
      const zeroed = put((storage) => storage.bytesOf(file).fill(0, offset, offset + lengthBytes))
      const short = put((storage) =>
        storage.files.set(file, storage.bytesOf(file).slice(0, offset)),
      )
      // A missing last block is a shorter journal: only a noted head knows better.
      return [moved, exchanged, short, ...(k === BLOCKS ? [] : [zeroed])]
    })
    const found = await Promise.all(damaged.map((storage) => codes(storage)))
    expect(found.filter((problems) => problems.length === 0)).toEqual([])
  })

  it.each(Object.keys(REWRITES))(
    'verify: sees a block %s (checksums and numbers made right, the chain not)',
    async (what) => {
      await Promise.all(
        numbers.map(async (k) => {
          const frames = REWRITES[what]!(journal.frames, k)
          if (frames === undefined) return
          // The previous hashes of the blocks stay what they were.
          const kept = original().hashes.slice(0, BLOCKS)
          const previous =
            what === 'removed'
              ? kept.toSpliced(k - 1, 1)
              : what === 'doubled'
                ? kept.toSpliced(k - 1, 0, kept[k - 1]!)
                : kept
          const { storage } = build(frames, previous)
          const isSeenAlone =
            what === 'cut off from there on' ? false : k < BLOCKS || what === 'doubled'
          expect((await codes(storage)).length > 0, `block ${k}, no head`).toBe(isSeenAlone)
          expect(await codes(storage, last), `block ${k}`).not.toEqual([])
        }),
      )
    },
  )

  it.each(Object.keys(REWRITES))(
    'verify: only a noted head shows a block %s (everything made right)',
    async (what) => {
      await Promise.all(
        numbers.map(async (k) => {
          const frames = REWRITES[what]!(journal.frames, k)
          if (frames === undefined) return
          const { storage } = build(frames)
          expect(await codes(storage), `block ${k}, no head`).toEqual([])
          const seen = await Promise.all(
            journal.heads.map(async (head) => (await codes(storage, head)).length > 0),
          )
          // Each head from that block on betrays it; the ones before it stay true.
          const first = what === 'doubled' ? k + 1 : k
          expect(seen, `block ${k}`).toEqual(journal.heads.map((_, block) => block >= first))
        }),
      )
    },
  )

  it('verify: does not take the head of another journal, a mixed-up or an invented one', async () => {
    const { sequence, hash } = last
    const other = build(journal.frames.toReversed()).heads.at(-1) as NotedHead
    const wrong: readonly NotedHead[] = [
      other,
      { sequence: sequence - 2, hash },
      { sequence: sequence + 2, hash },
      { sequence, hash: '00'.repeat(32) },
      { sequence: 0, hash },
    ]
    for (const head of wrong) expect(await codes(journal.storage, head)).toEqual(['HEAD_MISSING'])
  })

  it('verify: a segment that is gone with its block in the manifest is missed by the head alone', async () => {
    const { storage, builder } = build(journal.frames)
    storage.files.delete(segmentName(4))
    writeManifest(storage, { journalId: builder.journalId, highestSegment: 3 })
    expect(await codes(storage)).toEqual([])
    expect(await codes(storage, last)).toEqual(['HEAD_MISSING'])
  })
})

/** Problems of one segment with one bit changed, which is then put back. */
function verifySegmentWith(storage: MemoryStorage, file: string, at: number): unknown[] {
  const bytes = storage.bytesOf(file)
  bytes[at]! ^= 0x10
  try {
    return verifySegment(storage, file, window).problems
  } finally {
    bytes[at]! ^= 0x10
  }
}
