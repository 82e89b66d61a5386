import { describe, expect, it } from 'vitest'
import { archiveName } from '../../journal/archive-layout.js'
import { type CopyEnd, planWhole } from '../../journal/copy-plan.js'
import { TidewheelError } from '../../journal/errors.js'
import { copyJournal } from '../../journal/journal-copy.js'
import { planCut } from '../../journal/journal-cut.js'
import { writeManifest } from '../../journal/manifest.js'
import { UNFINISHED_COPY } from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { segmentName } from '../../journal/segment-layout.js'
import { encodeSnapshotHeader } from '../../journal/snapshot-header.js'
import { FINGERPRINT_BYTES, snapshotName } from '../../journal/snapshot-layout.js'
import type { Storage } from '../../journal/storage.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { archive, archivedJournal, forms } from '../support/archived-journal.js'
import { DiskCrash, type DiskFault } from '../support/disk/disk-calls.js'
import { SimulatedDisk } from '../support/disk/simulated-disk.js'
import { JournalBuilder, sealedJournal } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { expectRefusal, type Opened, opened, recover, upTo } from '../support/recover.js'
import { seededRandom } from '../support/seeded-random.js'

const window = new ReadWindow(undefined, true)

async function copy(source: Storage, target: Storage, end?: CopyEnd) {
  return copyJournal(source, target, await planWhole(source, end), window)
}

/** What a directory is taken for when it is opened; opening may change it. */
function judge(disk: SimulatedDisk): 'nothing' | 'refused' | number {
  const outcome = recover(disk)
  if (outcome.kind === 'refused') return 'refused'
  return outcome.report.created ? 'nothing' : outcome.sequences.length
}

function addSnapshot(
  builder: JournalBuilder,
  block: number,
  journalId = builder.journalId,
): string {
  const { number: blockNumber, offset: fileOffset, file } = builder.at(block)
  const sequence = builder.at(block).firstSequence + builder.at(block).events - 1
  const header = encodeSnapshotHeader({
    journalId,
    sequence,
    blockNumber,
    segmentNumber: Number.parseInt(file, 10),
    fileOffset,
    blockHash: new Uint8Array(32),
    timeUs: 1,
    fingerprint: new Uint8Array(FINGERPRINT_BYTES),
    keys: 0,
  })
  const bytes = new Uint8Array(5000).fill(7)
  bytes.set(header)
  builder.storage.files.set(snapshotName(sequence), bytes)
  return snapshotName(sequence)
}

describe('copyJournal', () => {
  it('copy: is the journal, without what is behind its end and what belongs to the source', async () => {
    const builder = sealedJournal()
    const { storage } = builder
    storage.files.set('lock', Buffer.from('1\n'))
    storage.files.set('0000000001.index', Buffer.from('x'))
    storage.files.set('0000000001.segment.torn-8192', Buffer.from('x'))
    const before = storage.digests()
    const target = new MemoryStorage()
    const report = await copy(storage, target)
    expect(storage.digests()).toEqual(before)
    expect(target.list()).toEqual([
      ...upTo(builder.segmentNumber).map((number) => segmentName(number)),
      'manifest',
    ])
    for (const name of target.list()) {
      expect(Buffer.compare(target.bytesOf(name), storage.bytesOf(name)), name).toBe(0)
    }
    expect([...target.unsynced]).toEqual([])
    const run = async (name: string) => verifySegment(storage, name, new ReadWindow())
    const { headHash, lastSequence } = await verifyWith(storage, run)
    expect(report).toMatchObject({ headHash, sequence: lastSequence, segments: 3 })
    expect(opened(recover(target)).sequences).toEqual(upTo(12))
  })

  it('copy: ends where it was told, whatever a writer has made of the rest (zeros there)', async () => {
    const builder = new JournalBuilder({ segmentBytes: 64 * 1024 }).block().block()
    const { segmentNumber, fileOffset, blockNumber } = builder
    builder.block().block()
    builder.bytesAround(1).fill(9, 60 * 1024)
    const target = new MemoryStorage()
    const report = await copy(builder.storage, target, { segmentNumber, fileOffset, blockNumber })
    expect(report.sequence).toBe(4)
    const bytes = target.bytesOf(segmentName(1))
    expect(bytes).toHaveLength(64 * 1024)
    expect(bytes.subarray(fileOffset).every((byte) => byte === 0)).toBe(true)
    expect(opened(recover(target)).sequences).toEqual(upTo(4))
  })

  it('archives: stay archives in a copy, and are unpacked where it ends (every block as the end)', async () => {
    const builder = archivedJournal()
    const { storage } = builder
    const whole = new MemoryStorage()
    await copy(storage, whole)
    expect(forms(whole)).toBe('1a 2a 3')
    for (const name of [1, 2].map(archiveName)) {
      expect(Buffer.compare(whole.bytesOf(name), storage.bytesOf(name)), name).toBe(0)
    }
    expect(opened(recover(whole)).sequences).toEqual(upTo(12))
    const found = new Set<string>()
    for (let sequence = 1; sequence <= 12; sequence++) {
      const plan = await planCut(storage, { sequence }).catch(() => undefined)
      if (plan === undefined) continue
      const target = new MemoryStorage()
      const report = await copyJournal(storage, target, plan, window)
      expect(opened(recover(target)).sequences).toEqual(upTo(report.sequence))
      expect(
        (await verifyWith(target, async (name) => verifySegment(target, name, window))).ok,
      ).toBe(true)
      found.add(forms(target))
    }
    expect([...found]).toEqual(['1', '1 2', '1a 2', '1a 2a 3'])
  })

  it('archives: a segment that becomes one while it is copied is in the copy', async () => {
    const { storage } = sealedJournal()
    const plan = await planWhole(storage)
    archive(storage)
    const target = new MemoryStorage()
    await copyJournal(storage, target, plan, window)
    expect(forms(target)).toBe('1 2 3')
    expect(opened(recover(target)).sequences).toEqual(upTo(12))
  })

  it('copy: of a journal without events, and of one whose next segment has no block yet', async () => {
    for (const builder of [new JournalBuilder(), new JournalBuilder().prepare(2)]) {
      const target = new MemoryStorage()
      const report = await copy(builder.storage, target)
      expect(report).toMatchObject({ segments: 1, sequence: 0, timeUs: 0 })
      expect(report.headHash).toBe('0'.repeat(64))
      expect(opened(recover(target)).report.created).toBe(false)
    }
  })

  it('snapshots: come along up to the end of the copy (not later, foreign, misnamed, damaged ones)', async () => {
    const builder = sealedJournal()
    const kept = [addSnapshot(builder, 1), addSnapshot(builder, 3)]
    addSnapshot(builder, 4)
    const { storage } = builder
    storage.rename(addSnapshot(builder, 2), snapshotName(7777))
    storage.files.set(snapshotName(4), Buffer.from('no snapshot'))
    const foreign = addSnapshot(builder, 5, new Uint8Array(16).fill(3))
    const { file, offset, lengthBytes } = builder.at(3)
    const segmentNumber = Number.parseInt(file, 10)
    const end = { segmentNumber, fileOffset: offset + lengthBytes, blockNumber: 3 }
    const target = new MemoryStorage()
    await copy(storage, target, end)
    expect(target.list().filter((name) => name.endsWith('.snapshot'))).toEqual(kept)
    for (const name of kept) expect(target.bytesOf(name)).toEqual(storage.bytesOf(name))
    const whole = new MemoryStorage()
    await copy(storage, whole)
    expect(whole.list()).not.toContain(foreign)
    expect(whole.list()).toContain(
      snapshotName(builder.at(4).firstSequence + builder.at(4).events - 1),
    )
  })

  it('source: damage anywhere in a block is refused, with its place, and nothing is left', async () => {
    for (const block of [1, 2, 3, 5]) {
      for (const at of [0, 70, 130]) {
        const builder = sealedJournal()
        const { offset, file } = builder.at(block)
        const bytes = builder.bytesAround(block)
        bytes[offset + at] = (bytes[offset + at] ?? 0) ^ 4
        const target = new MemoryStorage()
        const error = await copy(builder.storage, target).catch((reason: unknown) => reason)
        expect(error, `block ${block}`).toMatchObject({ code: 'JOURNAL_DAMAGED', file, offset })
        expect(target.list()).toEqual([])
      }
    }
  })

  it('source: a missing segment, a broken chain and no journal are refused before anything is made', async () => {
    const { storage } = sealedJournal()
    storage.files.delete(segmentName(2))
    for (const [source, code] of [
      [storage, 'JOURNAL_DAMAGED'],
      [new MemoryStorage(), 'NOT_A_JOURNAL'],
    ] as const) {
      const error = await planWhole(source).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code })
    }
  })

  it('target: without room is refused before anything is written', async () => {
    const { storage } = sealedJournal()
    const disk = new SimulatedDisk()
    disk.setFreeBytes(30_000)
    let changes = 0
    disk.before = ({ kind }) => {
      if (kind === 'write' || kind === 'create') changes++
      return undefined
    }
    await expect(copy(storage, disk)).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(changes).toBe(0)
  })

  it('unfinished: is refused by every reader, and left as it is', async () => {
    const builder = sealedJournal()
    const { journalId, storage } = builder
    writeManifest(storage, { journalId, highestSegment: UNFINISHED_COPY })
    expectRefusal(builder, /never finished/, 'NOT_A_JOURNAL')
    const run = async (name: string) => verifySegment(storage, name, window)
    await expect(verifyWith(storage, run)).rejects.toMatchObject({ code: 'NOT_A_JOURNAL' })
    await expect(planWhole(storage)).rejects.toMatchObject({ code: 'NOT_A_JOURNAL' })
  })
})

describe.each(['whole', 'up to a point in time'])(
  'copyJournal that is interrupted (%s)',
  (extent) => {
    const builder = new JournalBuilder()
    for (let block = 0; block < 4; block++) builder.block({ events: 2 + (block % 2) })
    addSnapshot(builder, 2)
    builder.seal()
    const { storage } = builder
    // Inside of the last block with events.
    const sequence = extent === 'whole' ? builder.sequence : builder.sequence - 3

    async function copyExtent(target: Storage) {
      if (extent === 'whole') return copy(storage, target)
      return copyJournal(storage, target, await planCut(storage, { sequence }), window)
    }

    /** Runs a copy in which `fault` says what happens to each call. */
    async function copyWith(
      disk: SimulatedDisk,
      seed: number,
      fault: (ordinal: number) => DiskFault | undefined,
    ): Promise<unknown> {
      const random = seededRandom(seed)
      disk.choose = (choices) => random.below(choices)
      disk.before = ({ ordinal }) => fault(ordinal)
      const failure = await copyExtent(disk).then(
        () => undefined,
        (error: unknown) => error,
      )
      disk.before = () => undefined
      return failure
    }

    /** After the process is killed, and after each of some losses of power. */
    function judgements(disk: SimulatedDisk, seed: number): (number | string)[] {
      const killed = disk.clone()
      const found = [judge(killed)]
      const random = seededRandom(seed)
      for (const choose of [() => 0, () => 1, (choices: number) => random.below(choices)]) {
        const lost = disk.clone()
        lost.losePower(choose)
        found.push(judge(lost))
      }
      return found
    }

    it('crash: at every call leaves nothing, what is refused, or all of it; then all of it', async () => {
      const seen = new Set<number | string>()
      let calls = 0
      for (let at = 1; ; at++) {
        const disk = new SimulatedDisk()
        const failure = await copyWith(disk, at, (ordinal) =>
          ordinal === at ? 'crash' : undefined,
        )
        if (failure !== undefined) expect(failure, `call ${at}`).toBeInstanceOf(DiskCrash)
        for (const found of judgements(disk, at)) {
          seen.add(found)
          if (failure === undefined) expect(found).toBe(sequence)
          else expect(['nothing', 'refused', sequence], `call ${at}`).toContain(found)
        }
        if (failure === undefined) break
        calls = at
      }
      console.log(`journal copy (${extent}): killed at each of ${calls} calls`)
      expect(calls).toBeGreaterThan(40)
      expect([...seen].sort()).toEqual([sequence, 'nothing', 'refused'])
    })

    it('error: at every call fails with a reason, leaves nothing, and can be done again', async () => {
      for (const kind of ['EIO', 'ENOSPC'] as const) {
        for (let at = 1; ; at++) {
          const disk = new SimulatedDisk()
          let hit = false
          const failure = await copyWith(disk, at, (ordinal) => {
            hit ||= ordinal === at
            return ordinal === at ? kind : undefined
          })
          if (!hit) break
          const where = `${kind} at call ${at}`
          expect(failure, where).toBeInstanceOf(TidewheelError)
          const { code, message } = failure as TidewheelError
          expect(code, where).toBe(kind === 'ENOSPC' ? 'DISK_FULL' : 'STORAGE_FAILED')
          expect(message, where).toMatch(/has been removed/)
          for (const found of judgements(disk, at)) {
            expect(['nothing', 'refused', sequence], where).toContain(found)
          }
          expect(disk.list(), where).toEqual([])
          await copyExtent(disk)
          expect((recover(disk) as Opened).sequences, where).toEqual(upTo(sequence))
        }
      }
    })

    it('error, then crash: what is being taken away is never taken for a journal', async () => {
      const random = seededRandom(8)
      for (let round = 0; round < 150; round++) {
        const disk = new SimulatedDisk()
        const first = 1 + random.below(100)
        const second = first + 1 + random.below(9)
        await copyWith(disk, round, (ordinal) =>
          ordinal === first ? 'EIO' : ordinal === second ? 'crash' : undefined,
        )
        for (const found of judgements(disk, round)) {
          expect(['nothing', 'refused', sequence], `calls ${first}, ${second}`).toContain(found)
        }
      }
    })

    it('short writes: at every call change nothing', async () => {
      const disk = new SimulatedDisk()
      expect(await copyWith(disk, 1, () => 'short')).toBeUndefined()
      expect(judge(disk)).toBe(sequence)
    })
  },
)
