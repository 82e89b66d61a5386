/** Archiving as users meet it: beside a running engine, and what a reopened one makes of it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine, Receipt, RecordedEvent } from '../../engine/index.js'
import { buildSnapshot } from '../../engine/snapshot/snapshot-build.js'
import { archiveJournal } from '../../journal/archive.js'
import { archiveName } from '../../journal/archive-layout.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { surveyJournal } from '../../journal/journal-survey.js'
import { ReadWindow } from '../../journal/read-window.js'
import { SEGMENT_BYTES_MIN, segmentName } from '../../journal/segment-layout.js'
import { encodeStreamIndex } from '../../journal/stream-index-build.js'
import { indexName } from '../../journal/stream-index-layout.js'
import { verifyJournal } from '../../journal/verify.js'
import { forms } from '../support/archived-journal.js'
import saved, { Bag, Count, Full } from '../support/domains/saved.js'
import { answerOf, failureOf } from '../support/engine-fixture.js'
import { readFolder } from '../support/journal-files.js'
import { runKeys } from '../support/keys/key-run.js'
import { growTo, openSaved } from '../support/saved-journal.js'
import { seededRandom } from '../support/seeded-random.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-archive-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newPath = (): string => join(root, String(++folders))
const window = new ReadWindow(undefined, true)

function archive(path: string, before = Number.MAX_SAFE_INTEGER): number {
  return archiveJournal(openFileStorage(path), before, window).segments
}

function formsOf(path: string): string {
  return forms(openFileStorage(path))
}

async function collect(events: AsyncIterable<RecordedEvent>): Promise<string> {
  const lines: string[] = []
  for await (const { sequence, type, id, version } of events) {
    lines.push(`${sequence} ${type} ${String(id)} ${version}`)
  }
  return lines.join()
}

/** Reads the journal in every way that an engine has. */
async function everyRead(engine: Engine): Promise<Record<string, string>> {
  const found: Record<string, string> = {
    all: await collect(engine.readAll()),
    late: await collect(engine.readAll({ from: 300 })),
    digest: await engine.digest(),
  }
  for (const id of ['plain3', 'x'.repeat(300) + 1]) found[id] = await collect(engine.read(Full, id))
  for (const id of ['bä', 'bplain']) found[id] = await collect(engine.read(Bag, id))
  const live: string[] = []
  const { sequence: last } = engine.journalPosition()
  for await (const { sequence, type, id, version } of engine.subscribe({ from: 2 })) {
    live.push(`${sequence} ${type} ${String(id)} ${version}`)
    if (sequence === last) break
  }
  found['live'] = live.join()
  return found
}

describe('archive', () => {
  it('reads, state, snapshots, indexes: are the same (random prefixes, against a plain copy)', async () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const path = newPath()
    let engine = await openSaved(path)
    await growTo(engine, 5, seed % 1000)
    const { sequence } = engine.journalPosition()
    await engine.close()
    const plain = newPath()
    cpSync(path, plain, { recursive: true })
    const untouched = await openSaved(plain)
    const expected = await everyRead(untouched)
    await untouched.close()
    const snapshot = buildSnapshot(openFileStorage(plain), saved, 3, 2, window)
    for (const before of [1 + random.below(sequence), sequence + 1]) {
      archive(path, before)
      engine = await openSaved(path)
      expect(await everyRead(engine), `seed ${seed}, before ${before}`).toEqual(expected)
      // Now by way of the indexes that the reads have asked for.
      const { all: _, ...again } = await everyRead(engine)
      expect(expected, `seed ${seed}, before ${before}`).toMatchObject(again)
      await engine.close()
    }
    expect(formsOf(path)).toBe('1a 2a 3a 4a 5 6')
    for (const number of [1, 4]) {
      const archived = encodeStreamIndex(openFileStorage(path), number, window)
      expect(archived).toEqual(encodeStreamIndex(openFileStorage(plain), number, window))
      const index = readFolder(path).get(indexName(number)) ?? archived.bytes
      expect(Buffer.compare(index, archived.bytes)).toBe(0)
    }
    expect(buildSnapshot(openFileStorage(path), saved, 3, 2, window)).toBe(snapshot)
    const bytesOf = (folder: string): Uint8Array => readFolder(folder).get(snapshot) as Uint8Array
    expect(Buffer.compare(bytesOf(path), bytesOf(plain))).toBe(0)
    engine = await openSaved(path)
    expect(engine.report.snapshot?.file).toBe(snapshot)
    expect(await engine.digest()).toBe(expected['digest'])
    await engine.close()
    expect(await verifyJournal(path)).toMatchObject({ ok: true, segments: 6 })
    const { segments } = await surveyJournal(path)
    const stored = segments.map(({ archivedBytes }) => archivedBytes > 0)
    expect(stored).toEqual([true, true, true, true, false, false])
    expect(segments[0]?.sizeBytes).toBe((await surveyJournal(plain)).segments[0]?.sizeBytes)
  })

  it.each(['inline', 'thread'] as const)(
    'engine.archive: works beside commands, readers and snapshots (%s)',
    async (processor) => {
      const path = newPath()
      const engine = await openSaved(path, { processor })
      expect(await engine.archive()).toEqual({ segments: 0, plainBytes: 0, archivedBytes: 0 })
      // That the first block of the third is durable, only a fourth proves at level 'os'.
      await growTo(engine, 4, 5)
      const slow = engine.readAll()
      const first = await slow.next()
      const { sequence: last } = engine.journalPosition()
      const working = growTo(engine, 5, 6)
      const report = await engine.archive()
      expect(report.segments).toBeGreaterThanOrEqual(2)
      expect(report.archivedBytes).toBeLessThan(report.plainBytes / 2)
      expect(formsOf(path)).toMatch(/^1a 2a 3/)
      // It has read a piece of a file that is gone, and opens the next ones as archives.
      const rest: RecordedEvent[] = []
      for await (const event of slow) rest.push(event)
      expect(rest.length).toBeGreaterThanOrEqual(last - 1)
      expect([first.value, ...rest].map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: rest.length + 1 }, (_, index) => index + 1),
      )
      await working
      expect(await engine.snapshot()).toMatch(/\.snapshot$/)
      const both = await Promise.all([engine.archive(), engine.archive({ before: 1 })])
      expect(both[1].segments).toBe(0)
      const digest = await engine.digest()
      await growTo(engine, 6, 9)
      const broken = engine.archive()
      // Too late or just in time: either is right.
      const closed = broken.then(
        () => undefined,
        (error: unknown) => expect(error).toMatchObject({ code: 'ENGINE_CLOSED' }),
      )
      const later = await engine.digest()
      await engine.close()
      await closed
      expect(later).not.toBe(digest)
      const again = await openSaved(path, { processor })
      expect(await again.digest()).toBe(later)
      expect(openFileStorage(path).list().join()).not.toMatch(/archive\.new/)
      await again.close()
      expect((await failureOf(again.archive())).code).toBe('ENGINE_CLOSED')
    },
  )

  it('engine.archive: refuses what it cannot do, and says why', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 4, 3)
    for (const before of [0, -1, 1.5, '7' as unknown as number]) {
      expect((await failureOf(engine.archive({ before }))).code).toBe('INVALID_OPTION')
    }
    for (const wrong of [null, { befor: 1 }] as never[]) {
      expect((await failureOf(engine.archive(wrong))).code).toBe('INVALID_OPTION')
    }
    const storage = openFileStorage(path)
    const file = storage.open(segmentName(2), 'write')
    file.write(new Uint8Array(64).fill(7), 8192 + 200)
    file.close()
    const error = await failureOf(engine.archive())
    expect(error).toMatchObject({ code: 'JOURNAL_DAMAGED', file: segmentName(2), offset: 8192 })
    expect(formsOf(path)).toMatch(/^1a 2 3/)
    await engine.close()
    const unkept = await openSaved(newPath(), { durability: 'none' })
    expect((await failureOf(unkept.archive())).code).toBe('NO_JOURNAL')
    await unkept.close()
  })

  it('engine.archive: is refused after the system refused a call, until the next opening', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 4, 3)
    const storage = openFileStorage(path)
    // A directory under the name cannot be replaced by a rename.
    mkdirSync(join(path, archiveName(1)))
    const error = await failureOf(engine.archive())
    expect(error.code).toBe('STORAGE_FAILED')
    rmSync(join(path, archiveName(1)), { recursive: true })
    expect((await failureOf(engine.archive())).message).toBe(error.message)
    expect(forms(storage)).toMatch(/^1 2 3/)
    await engine.close()
    const again = await openSaved(path)
    expect((await again.archive()).segments).toBe(3)
    await again.close()
  })

  it('keys: are answered as before, from archive and snapshot, inside of the window', async () => {
    const path = newPath()
    let engine = await openSaved(path, { keyCountMax: 5000 })
    const send = (key: string, small: number): Promise<Receipt> => {
      const unique = '00000000-0000-4000-8000-000000000001'
      return engine.execute(Count, { small, wide: 5n, unique }, { key })
    }
    const first = [await send('accepted', 4), await send('rejected', 13)]
    await growTo(engine, 3, 11)
    const late = await send('late', 5)
    const expectAnswers = async (what: string): Promise<void> => {
      const again = [await send('accepted', 4), await send('rejected', 13), await send('late', 5)]
      expect(again.map(answerOf), what).toEqual([...first, late].map(answerOf))
      expect(
        again.every(({ repeated }) => repeated),
        what,
      ).toBe(true)
      const other = await send('accepted', 5)
      expect(other, what).toMatchObject({ accepted: false, code: 'KEY_REUSED' })
    }
    const reopen = async (): Promise<void> => {
      await engine.close()
      engine = await openSaved(path)
    }
    expect((await engine.archive()).segments).toBeGreaterThan(0)
    await expectAnswers('live')
    await reopen()
    await expectAnswers('replayed from archives')
    expect(await engine.snapshot()).toBeDefined()
    await growTo(engine, 4, 12)
    await engine.archive()
    await reopen()
    expect(engine.report.snapshot).toBeDefined()
    await expectAnswers('from a snapshot, with archives behind it')
    // Outside of the window they are new again, whatever the archives hold.
    await engine.close()
    engine = await openSaved(path, { keyCountMax: 1 })
    expect((await send('accepted', 4)).repeated).toBe(false)
    await engine.close()
  })

  it('keys: many go through a window of bounded memory, and into archive and snapshot', async () => {
    const segmentBytes = SEGMENT_BYTES_MIN
    const path = newPath()
    const options = { directory: path, keys: 40_000, countMax: 4000, segmentBytes }
    const { tableBytes, plainBytes, asked } = await runKeys(options)
    const [half, end, reopened] = tableBytes
    expect(end).toBe(half)
    expect(reopened).toBeLessThanOrEqual(end)
    expect(end).toBeLessThan(4 * 1024 * 1024)
    expect(plainBytes).toBeGreaterThan(segmentBytes)
    expect(asked).toBe(501)
  })

  it('keys: age ends them, also where archives hold them', async () => {
    const path = newPath()
    let nowUs = 1_800_000_000_000_000
    const options = { clock: () => nowUs, keyAgeMsMax: 1000 }
    let engine = await openSaved(path, options)
    const unique = '00000000-0000-4000-8000-000000000001'
    const send = async (): Promise<boolean> => {
      const receipt = await engine.execute(Count, { small: 4, wide: 5n, unique }, { key: 'k' })
      return receipt.repeated
    }
    expect(await send()).toBe(false)
    await growTo(engine, 3, 7)
    expect((await engine.archive()).segments).toBeGreaterThan(0)
    await engine.close()
    nowUs += 1_000_000
    engine = await openSaved(path, options)
    expect(await send()).toBe(true)
    nowUs += 1
    expect(await send()).toBe(false)
    await engine.close()
  })
})
