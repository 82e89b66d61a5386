/** The journal's threads end to end, over a real directory. */
import { readdirSync, writeFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDoorbell } from '../../journal/doorbell.js'
import type { TidewheelError } from '../../journal/errors.js'
import { createEventRing, EVENT_RING_BYTES_MIN, EventRingWriter } from '../../journal/event-ring.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { newJournalEnd } from '../../journal/journal-end.js'
import {
  type JournalerLink,
  type JournalerThreadOptions,
  startJournaler,
} from '../../journal/journaler-link.js'
import { readManifest } from '../../journal/manifest.js'
import { FRAME_LENGTH } from '../../journal/record-layout.js'
import { createSegment, randomSalt } from '../../journal/segment.js'
import { SEGMENT_BYTES_MIN, SEGMENT_DATA, segmentName } from '../../journal/segment-layout.js'
import { createSyncedEdge, SyncedEdgeReader } from '../../journal/synced-edge.js'
import {
  JOURNAL_ID,
  makeFrame,
  parseChain,
  putFrame,
  randomOf,
  temporaryDirectory,
} from './writing-harness.js'

interface RunningJournal {
  path: string
  writer: EventRingWriter
  edge: SyncedEdgeReader
  link: JournalerLink
  failures: TidewheelError[]
  reports: string[]
}

function startJournal(options: Partial<JournalerThreadOptions> = {}): RunningJournal {
  const path = options.path ?? temporaryDirectory()
  const ring = createEventRing(EVENT_RING_BYTES_MIN)
  const edge = createSyncedEdge()
  const failures: TidewheelError[] = []
  const reports: string[] = []
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES_MIN
  const header = { journalId: JOURNAL_ID, number: 1, sizeBytes: segmentBytes, salt: randomSalt() }
  if (options.path === undefined) createSegment(openFileStorage(path), header, 'sparse')
  const link = startJournaler({
    path,
    ring,
    edge,
    doorbell: createDoorbell(),
    end: newJournalEnd(JOURNAL_ID),
    preamble: new Uint8Array(0),
    durability: 'disk',
    segmentBytes,
    onFailure: (error) => failures.push(error),
    onReport: (text) => reports.push(text),
    ...options,
  })
  onTestFinished(() => link.stop().catch(() => undefined))
  const writer = new EventRingWriter(ring)
  return { path, writer, edge: new SyncedEdgeReader(edge), link, failures, reports }
}

/** Gives other threads, and the messages from them, time until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > deadlineMs) expect.fail('the condition never held')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** How many threads of this process give way to the others. */
function countLowered(): number {
  const own = getPriority(process.pid)
  return readdirSync('/proc/self/task').filter((id) => {
    try {
      return getPriority(Number(id)) > own
    } catch {
      // It has ended meanwhile.
      return false
    }
  }).length
}

describe('journaler thread', () => {
  it.runIf(process.platform === 'linux')(
    'priority: the thread that prepares segments lowers its own, the journaler does not',
    async () => {
      const before = countLowered()
      const { path, link } = startJournal()
      await until(() => openFileStorage(path).list().includes(segmentName(2)))
      expect(countLowered()).toBe(before + 1)
      await link.stop()
    },
  )

  const seed = Date.now() & 0xffff
  it.each([
    { durability: 'disk' as const, segmentBytes: 4 * 1024 * 1024, frames: 200_000 },
    { durability: 'os' as const, segmentBytes: SEGMENT_BYTES_MIN, frames: 50_000 },
  ])(
    `journaler thread: every frame arrives in order ($durability, $frames frames, seed ${seed})`,
    async (variant) => {
      const { writer, link, path, edge, failures } = startJournal(variant)
      const random = randomOf(seed)
      const lengths = randomOf(seed + 1)
      const frameOf = (mark: number): Uint8Array => makeFrame(32 + 8 * lengths(20), 1, mark)
      for (let mark = 0; mark < variant.frames; mark++) {
        const frame = frameOf(mark)
        while (!putFrame(writer, frame)) {
          writer.publish()
          const synced = writer.syncedPosition()
          await until(() => writer.syncedPosition() > synced || link.hasFailed())
        }
        if (random(200) === 0) writer.publish()
      }
      writer.publish()
      await link.stop()
      await link.stop()
      expect(failures).toEqual([])
      expect(link.failure).toBeUndefined()
      const end = edge.read()
      expect(end.sequence).toBe(variant.frames)
      expect(end.ringPosition).toBe(writer.position)
      expect(writer.syncedPosition()).toBe(writer.position)

      const blocks = parseChain(path, end.segmentNumber)
      expect(blocks.at(-1)).toMatchObject({ eventCount: 0, syncedThrough: end.blockNumber - 1 })
      const again = randomOf(seed + 1)
      let mark = 0
      for (const { payload, eventCount } of blocks) {
        if (eventCount === 0) continue
        const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
        for (let at = 0; at < payload.byteLength; at += view.getUint32(at + FRAME_LENGTH, true)) {
          const expected = makeFrame(32 + 8 * again(20), 1, mark)
          const actual = payload.subarray(at, at + expected.byteLength)
          if (Buffer.compare(actual, expected) !== 0) expect.fail(`frame ${mark} differs`)
          mark += 1
        }
      }
      expect(mark).toBe(variant.frames)
      const storage = openFileStorage(path)
      expect(readManifest(storage)).toMatchObject({ highestSegment: end.segmentNumber })
      expect(storage.list().filter((name) => name.endsWith('.preparing'))).toEqual([])
    },
  )

  it('journaler thread: a frame is synced without another one behind it', async () => {
    const { writer, edge } = startJournal()
    expect(edge.read()).toMatchObject({ segmentNumber: 1, fileOffset: SEGMENT_DATA })
    for (let mark = 0; mark < 20; mark++) {
      putFrame(writer, makeFrame(64, 1, mark))
      writer.publish()
      await until(() => writer.syncedPosition() === writer.position)
    }
    // Left alone, it seals, and releases nothing by that.
    await until(() => edge.read().blockNumber === 21)
    expect(edge.read()).toMatchObject({ sequence: 20, ringPosition: writer.position })
  })

  it('journaler thread: stop drains what was published (nothing was taken yet)', async () => {
    const { writer, link, path } = startJournal()
    for (let mark = 0; mark < 30; mark++) putFrame(writer, makeFrame(50_000, 2, mark))
    writer.publish()
    await link.stop()
    const blocks = parseChain(
      path,
      openFileStorage(path).list().includes('0000000002.segment') ? 2 : 1,
    )
    expect(blocks.reduce((sum, block) => sum + block.eventCount, 0)).toBe(60)
  })

  it('journaler thread: terminated is a failure, told once, and seen by polling', async () => {
    const { writer, link, failures } = startJournal()
    putFrame(writer, makeFrame(64, 1, 1))
    writer.publish()
    await until(() => writer.syncedPosition() === 64)
    expect(link.hasFailed()).toBe(false)
    await (link as unknown as { journaler: Worker }).journaler.terminate()
    await until(() => failures.length > 0)
    expect(link.hasFailed()).toBe(true)
    expect(failures[0]).toMatchObject({ code: 'STORAGE_FAILED' })
    expect(String(failures[0])).toContain('ended unexpectedly')
    await expect(link.stop()).rejects.toBe(failures[0])
    expect(failures).toHaveLength(1)
    putFrame(writer, makeFrame(64, 1, 2))
    writer.publish()
    expect(writer.syncedPosition()).toBe(64)
  })

  it('journaler thread: an error of the journaler comes with code and place', async () => {
    const { link, failures } = startJournal({ end: newJournalEnd(new Uint8Array(16)) })
    await until(() => failures.length > 0)
    expect(failures[0]).toMatchObject({ code: 'JOURNAL_DAMAGED', file: '0000000001.segment' })
    await expect(link.stop()).rejects.toBe(failures[0])
  })

  it.each([2, 3, 4])(
    'journaler thread: goes on in all segments that are there already (up to %i)',
    async (last) => {
      const path = temporaryDirectory()
      const sizeBytes = SEGMENT_BYTES_MIN
      for (let number = 1; number <= last; number++) {
        const header = { journalId: JOURNAL_ID, number, sizeBytes, salt: randomSalt() }
        createSegment(openFileStorage(path), header, 'zeros')
      }
      const { writer, link, failures, reports, edge } = startJournal({ path })
      while (edge.read().segmentNumber < last + 2 && !link.hasFailed()) {
        while (putFrame(writer, makeFrame(400_000, 1, 1))) writer.publish()
        const synced = writer.syncedPosition()
        await until(() => writer.syncedPosition() > synced || link.hasFailed())
      }
      await link.stop()
      expect(failures).toEqual([])
      // A segment may be late, but the preparer lives.
      expect(reports.filter((text) => !text.includes('not prepared in time'))).toEqual([])
      const { segmentNumber, sequence } = edge.read()
      const blocks = parseChain(path, segmentNumber)
      expect(blocks.reduce((sum, block) => sum + block.eventCount, 0)).toBe(sequence)
    },
  )

  it('journaler thread: a foreign file in the way of the next segment is a failure', async () => {
    const { writer, link, failures, path } = startJournal({ segmentBytes: 16 * 1024 * 1024 })
    // The preparer is paced, so the next segment cannot be there yet.
    writeFileSync(join(path, '0000000002.segment'), 'foreign')
    for (let round = 0; round < 60 && !link.hasFailed(); round++) {
      while (putFrame(writer, makeFrame(500_000, 1, round))) writer.publish()
      const synced = writer.syncedPosition()
      await until(() => writer.syncedPosition() > synced || link.hasFailed())
    }
    await until(() => failures.length > 0)
    expect(failures[0]?.code).toBe('JOURNAL_DAMAGED')
    await expect(link.stop()).rejects.toBe(failures[0])
  })

  it('journaler thread: goes on in sparse segments when the preparer has died', async () => {
    const { writer, link, reports, path, edge } = startJournal({ segmentBytes: 8 * 1024 * 1024 })
    await link.started
    await (link as unknown as { preparer: Worker }).preparer.terminate()
    await until(() => reports.length > 0)
    expect(reports[0]).toContain('ended unexpectedly')
    while (edge.read().segmentNumber < 3) {
      while (putFrame(writer, makeFrame(400_000, 1, 1))) writer.publish()
      const synced = writer.syncedPosition()
      await until(() => writer.syncedPosition() > synced || link.hasFailed())
    }
    await link.stop()
    expect(parseChain(path, edge.read().segmentNumber).length).toBeGreaterThan(20)
    expect(reports.some((text) => text.includes('is sparse'))).toBe(true)
    // A start after that finds nothing unfinished that it would keep.
    expect(
      openFileStorage(path)
        .list()
        .some((name) => name.includes('sparse')),
    ).toBe(false)
  })

  it.each([0, SEGMENT_BYTES_MIN - 4096, SEGMENT_BYTES_MIN + 1, 2 ** 32])(
    'journaler link: refuses a segment size out of range (%i)',
    (segmentBytes) => {
      const ring = createEventRing(EVENT_RING_BYTES_MIN)
      const options: JournalerThreadOptions = {
        path: temporaryDirectory(),
        ring,
        edge: createSyncedEdge(),
        doorbell: createDoorbell(),
        end: newJournalEnd(JOURNAL_ID),
        preamble: new Uint8Array(0),
        durability: 'disk',
        segmentBytes,
        onFailure: () => undefined,
      }
      expect(() => startJournaler(options)).toThrow('INVALID_OPTION')
    },
  )
})
