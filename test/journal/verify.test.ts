import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeManifest } from '../../journal/manifest.js'
import { MANIFEST_NAME } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_DATA, segmentName } from '../../journal/segment-layout.js'
import { verifyJournal, verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import type { MemoryStorage } from '../support/memory-storage.js'

const window = new ReadWindow()

function verify(storage: MemoryStorage) {
  return verifyWith(storage, async (name) => verifySegment(storage, name, window))
}

async function codes(storage: MemoryStorage): Promise<string[]> {
  const { ok, problems } = await verify(storage)
  expect(ok).toBe(problems.length === 0)
  return [...new Set(problems.map(({ code }) => code))]
}

/** Overwrites bytes of a block without its checksums' knowledge; the hash chain is left alone. */
function rewritten(change: (builder: JournalBuilder) => void): MemoryStorage {
  const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
  change(builder)
  return builder.block().block().storage
}

describe('verify', () => {
  it('verify: finds nothing in a whole journal, and counts it', async () => {
    const builder = sealedJournal()
    builder.storage.changes = 0
    const report = await verify(builder.storage)
    expect(report).toMatchObject({
      ok: true,
      problems: [],
      segments: 4,
      blocks: 6,
      events: 12,
      lastBlock: 6,
      lastSequence: 12,
      live: false,
      bytes: 6 * 4096,
      headHash: Buffer.from(builder.previousHash).toString('hex'),
      journalId: '01'.repeat(16),
    })
    expect(builder.storage.changes).toBe(0)
    const empty = await verify(new JournalBuilder().storage)
    expect(empty).toMatchObject({ ok: true, blocks: 0, headHash: '00'.repeat(32) })
  })

  it('verify: sees a broken hash chain that every checksum hides', async () => {
    const storage = rewritten((builder) => {
      builder.previousHash = builder.previousHash.map((byte) => byte ^ 1)
    })
    const { problems } = await verify(storage)
    expect(problems).toEqual([
      expect.objectContaining({ code: 'CHAIN_BROKEN', file: segmentName(1) }),
    ])
  })

  it('verify: sees a broken hash chain between segments', async () => {
    const builder = new JournalBuilder().block().block()
    builder.previousHash = builder.previousHash.map((byte) => byte ^ 1)
    expect(await codes(builder.block().storage)).toEqual(['CHAIN_BROKEN'])
  })

  it('verify: sees a first block that continues another journal', async () => {
    const changes: Partial<JournalBuilder>[] = [
      { blockNumber: 1 },
      { sequence: 3 },
      { previousHash: new Uint8Array(32).fill(1) },
    ]
    for (const change of changes) {
      const builder = new JournalBuilder()
      Object.assign(builder, change)
      expect(await codes(builder.block().storage)).toEqual(['CHAIN_BROKEN'])
    }
  })

  it('verify: goes on behind a damaged block and names every one', async () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 })
    for (let block = 0; block < 6; block++) builder.block()
    for (const block of [2, 4]) builder.bytesAround(block)[builder.at(block).offset + 170] = 0
    const { problems, blocks } = await verify(builder.storage)
    expect(problems.map(({ code, offset }) => [code, offset])).toEqual([
      ['BLOCK_DAMAGED', builder.at(2).offset],
      ['BLOCK_DAMAGED', builder.at(4).offset],
    ])
    expect(blocks).toBe(4)
  })

  it('verify: tells a torn end from damage', async () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    builder.bytesAround(2)[builder.at(2).offset + 170] = 0
    expect(await codes(builder.storage)).toEqual(['TAIL_TORN'])
  })

  it('verify: sees removed, swapped, doubled, foreign and unknown-to-the-manifest segments', async () => {
    const removed = sealedJournal().storage
    removed.files.delete(segmentName(2))
    expect(await codes(removed)).toEqual(['SEGMENT_MISSING', 'CHAIN_BROKEN'])
    const newest = sealedJournal().storage
    newest.files.delete(segmentName(4))
    newest.files.delete(segmentName(3))
    expect(await codes(newest)).toEqual(['SEGMENT_MISSING'])
    const swapped = sealedJournal().storage
    const second = swapped.bytesOf(segmentName(2))
    swapped.files.set(segmentName(2), swapped.bytesOf(segmentName(3)))
    swapped.files.set(segmentName(3), second)
    expect(await codes(swapped)).toContain('SEGMENT_DAMAGED')
    const foreign = sealedJournal().storage
    foreign.files.set(segmentName(4), sealedJournal({ seed: 2 }).storage.bytesOf(segmentName(4)))
    expect(await codes(foreign)).toEqual(['SEGMENT_FOREIGN'])
  })

  it('verify: sees emptied segments, padding, manifest', async () => {
    const emptied = sealedJournal().storage
    emptied.bytesOf(segmentName(2)).fill(0, SEGMENT_DATA)
    expect(await codes(emptied)).toEqual(['CHAIN_BROKEN'])
    const builder = sealedJournal()
    builder.bytesAround(1)[builder.at(1).offset + 4095] = 1
    expect(await codes(builder.storage)).toEqual(['PADDING_NOT_ZERO'])
    const lost = sealedJournal().storage
    lost.files.delete(MANIFEST_NAME)
    expect(await codes(lost)).toEqual(['MANIFEST_DAMAGED'])
    const short = sealedJournal().storage
    short.files.set(segmentName(4), short.bytesOf(segmentName(4)).slice(0, 4096))
    expect(await codes(short)).toEqual(['HEADER_DAMAGED', 'SEGMENT_DAMAGED'])
  })

  it('verify: stays small (hostile names and a manifest that claims billions)', async () => {
    const { storage, journalId } = sealedJournal()
    storage.files.set('9999999999.segment', new Uint8Array(10))
    writeManifest(storage, { journalId, highestSegment: 0xffff_fffe })
    const { problems } = await verify(storage)
    expect(problems.length).toBeLessThan(10)
  })

  it('verify: is not misled by a journal that is being written', async () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    const { storage } = builder
    const half = storage.copy()
    half.bytesOf(segmentName(1)).fill(0, builder.at(2).offset + 170, builder.at(2).offset + 4096)
    let looks = 0
    const report = await verifyWith(storage, async (name) =>
      verifySegment(looks++ === 0 ? half : storage, name, window),
    )
    expect(report).toMatchObject({ ok: true, live: true, blocks: 2 })
  })

  it('verify: throws where there is no journal', async () => {
    const { storage } = new JournalBuilder()
    storage.files.clear()
    await expect(verify(storage)).rejects.toMatchObject({ code: 'NOT_A_JOURNAL' })
  })
})

describe('verify in a pool', () => {
  let path = ''
  beforeAll(() => {
    path = mkdtempSync(join(tmpdir(), 'tidewheel-verify-'))
  })
  afterAll(() => rmSync(path, { recursive: true }))

  function put(name: string, storage: MemoryStorage): string {
    const directory = join(path, name)
    mkdirSync(directory)
    for (const [file, bytes] of storage.files) writeFileSync(join(directory, file), bytes)
    return directory
  }

  it('verify: gives the same report as without a pool (whole and damaged)', async () => {
    const builder = sealedJournal()
    const damaged = builder.storage.copy()
    damaged.bytesOf(segmentName(2))[builder.at(3).offset + 170] = 0
    for (const [name, storage] of [
      ['whole', builder.storage],
      ['damaged', damaged],
    ] as const) {
      const { seconds: _, ...expected } = await verify(storage)
      const { seconds, ...report } = await verifyJournal(put(name, storage), { threads: 2 })
      expect(report).toEqual(expected)
      expect(seconds).toBeGreaterThan(0)
    }
  })

  it('verify: says what is wrong (no such directory)', async () => {
    await expect(verifyJournal(join(path, 'missing'))).rejects.toMatchObject({
      code: 'JOURNAL_UNREADABLE',
    })
  })
})
