import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { domain, Engine, int, type Receipt, u32 } from '../../engine/index.js'
import { buildSnapshot } from '../../engine/snapshot/snapshot-build.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { ReadWindow } from '../../journal/read-window.js'
import { segmentName } from '../../journal/segment-layout.js'
import { snapshotNames } from '../../journal/snapshot-files.js'
import { verifyJournal } from '../../journal/verify.js'
import saved, { Bag, Count, Full } from '../support/domains/saved.js'
import { answerOf, failureOf } from '../support/engine-fixture.js'
import { readFolder } from '../support/journal-files.js'
import { growTo, openSaved, runAny } from '../support/saved-journal.js'
import { seededRandom } from '../support/seeded-random.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-snapshot-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newPath = (): string => join(root, String(++folders))
const window = new ReadWindow(undefined, true)

function build(path: string, sealedSegment: number, keep = 2): string {
  return buildSnapshot(openFileStorage(path), saved, sealedSegment, keep, window)
}

/** Opens, looks, and closes. */
async function digestOf(path: string): Promise<{ digest: string; report: Engine['report'] }> {
  const engine = await openSaved(path)
  const digest = await engine.digest()
  await engine.close()
  return { digest, report: engine.report }
}

describe('snapshot', () => {
  it('state: is what the journal gives, whichever snapshot it began with (random domains)', async () => {
    for (const seed of [1, 2]) {
      const path = newPath()
      const engine = await openSaved(path, { keyCountMax: 300 })
      await growTo(engine, 4, seed)
      const digest = await engine.digest()
      const bag = await engine.query(Bag, 'bplain')
      const full = await engine.query(Full, 'plain3')
      await engine.close()
      const replayed = await digestOf(path)
      expect(replayed.digest, `seed ${seed}`).toBe(digest)
      expect(replayed.report.snapshot).toBeUndefined()
      for (const sealed of [1, 2, 3]) {
        const file = build(path, sealed)
        const { report, digest: restored } = await digestOf(path)
        expect(restored, `seed ${seed}, segment ${sealed}`).toBe(digest)
        expect(report.snapshot?.file).toBe(file)
        expect(report.snapshotsSkipped).toBeUndefined()
        const sequence = report.snapshot?.sequence ?? 0
        expect(report.events + sequence).toBe(replayed.report.events)
        expect(sequence).toBeGreaterThan(0)
      }
      expect(snapshotNames(openFileStorage(path))).toHaveLength(2)
      const again = await openSaved(path)
      expect(await again.query(Bag, 'bplain')).toEqual(bag)
      expect(await again.query(Full, 'plain3')).toEqual(full)
      // Nothing is missing that commands need: the engine goes on, and its journal replays.
      await growTo(again, 5, seed + 100)
      const later = await again.digest()
      await again.close()
      expect((await digestOf(path)).digest).toBe(later)
      for (const name of snapshotNames(openFileStorage(path))) rmSync(join(path, name))
      expect((await digestOf(path)).digest).toBe(later)
    }
  })

  it('file: is the same byte for byte, from the snapshot before or from the first event', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 4, 7)
    await engine.close()
    build(path, 1)
    build(path, 2)
    const stepwise = build(path, 3)
    const expected = readFolder(path).get(stepwise)
    for (const name of snapshotNames(openFileStorage(path))) rmSync(join(path, name))
    expect(build(path, 3)).toBe(stepwise)
    expect(
      Buffer.compare(readFolder(path).get(stepwise) as Uint8Array, expected as Uint8Array),
    ).toBe(0)
  })

  it('keys: the same key gets the same receipt, answered before or behind the snapshot', async () => {
    const path = newPath()
    let engine = await openSaved(path)
    const send = (key: string, small: number): Promise<Receipt> => {
      const unique = '00000000-0000-4000-8000-000000000001'
      return engine.execute(Count, { small, wide: 5n, unique }, { key })
    }
    const before = [await send('accepted', 4), await send('rejected', 13)]
    await growTo(engine, 2, 11)
    const behind = await send('late', 5)
    await engine.close()
    build(path, 1)
    engine = await openSaved(path)
    expect(engine.report.snapshot).toBeDefined()
    const again = [await send('accepted', 4), await send('rejected', 13), await send('late', 5)]
    expect(again.map(answerOf)).toEqual([...before, behind].map(answerOf))
    expect(again.map(({ repeated }) => repeated)).toEqual([true, true, true])
    expect(await send('accepted', 5)).toMatchObject({ accepted: false, code: 'KEY_REUSED' })
    await engine.close()
  })

  it('opening: reads no block before the snapshot; damage there is told to who reads it', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 3, 5)
    const digest = await engine.digest()
    await engine.close()
    build(path, 2)
    const storage = openFileStorage(path)
    const file = storage.open(segmentName(1), 'write')
    file.write(new Uint8Array(4096).fill(7), 8192)
    file.close()
    const opened = await digestOf(path)
    expect(opened.digest).toBe(digest)
    const again = await openSaved(path)
    expect((await failureOf(again.readAll()[Symbol.asyncIterator]().next())).code).toBe(
      'JOURNAL_DAMAGED',
    )
    await again.close()
    expect((await verifyJournal(path)).ok).toBe(false)
    for (const name of snapshotNames(storage)) storage.remove(name)
    expect((await failureOf(openSaved(path))).code).toBe('JOURNAL_DAMAGED')
  })

  it('opening: refuses a journal that ends before a snapshot, and writes nothing', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 3, 5)
    await engine.close()
    const file = build(path, 2)
    const storage = openFileStorage(path)
    for (const name of storage.list()) {
      if (name === 'manifest' || (name.endsWith('.segment') && name > segmentName(1))) {
        storage.remove(name)
      }
    }
    const before = hashes(path)
    const error = await failureOf(openSaved(path))
    expect(error).toMatchObject({ code: 'JOURNAL_DAMAGED', file })
    expect(error.message).toMatch(/this snapshot was made of blocks up to/)
    expect(hashes(path)).toEqual(before)
  })

  it('opening: passes over what it cannot use, with the reason, and takes the one before', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 4, 9)
    const digest = await engine.digest()
    await engine.close()
    const older = build(path, 1, 3)
    const newer = build(path, 2, 3)
    const newest = build(path, 3, 3)
    const storage = openFileStorage(path)
    damage(storage, newest, 300)
    storage.rename(newer, '0000000000009999.snapshot')
    const { report, digest: restored } = await digestOf(path)
    expect(restored).toBe(digest)
    expect(report.snapshot?.file).toBe(older)
    expect(report.snapshotsSkipped).toEqual([
      expect.stringMatching(/^0000000000009999\.snapshot was not used \(it is the one of sequence/),
      expect.stringMatching(/was not used \(a chunk does not match its checksum\)/),
    ])
  })

  it('opening: does not use the snapshot of another journal, or what other code has made', async () => {
    const [path, other] = [newPath(), newPath()]
    for (const folder of [path, other]) {
      const engine = await openSaved(folder)
      await growTo(engine, 2, 3)
      await engine.close()
    }
    const file = build(other, 1)
    const target = openFileStorage(path).open('0000000000000001.snapshot', 'create')
    target.write(readFolder(other).get(file) ?? new Uint8Array(0), 0)
    target.close()
    const { report } = await digestOf(path)
    expect(report.snapshotsSkipped).toEqual([expect.stringMatching(/belongs to another journal/)])

    const storage = openFileStorage(newPath(), { create: true })
    const counting = (step: number) => {
      const counters = domain('counters', import.meta.url)
      const Counter = counters.aggregate('Counter', { id: u32, state: { sum: int } })
      const once = (counter: { sum: number }): undefined => {
        counter.sum += 1
      }
      const twice = (counter: { sum: number }): undefined => {
        counter.sum += 2
      }
      const Added = Counter.event('Added', {}, step === 1 ? once : twice)
      const Add = counters.command('Add', { counter: Counter.id }, (command, tx) => {
        for (let i = 0; i < 4000; i++) tx.emit(Added, command.counter, {})
      })
      return { counters, Counter, Add }
    }
    const first = counting(1)
    const engine = await Engine.open(storage.path, first.counters, { segmentBytes: 1056768 })
    while (engine.journalPosition().segmentNumber < 2) {
      await engine.execute(first.Add, { counter: 1 })
    }
    const { sequence } = engine.journalPosition()
    await engine.close()
    buildSnapshot(storage, first.counters, 1, 2, window)
    const second = counting(2)
    const changed = await Engine.open(storage.path, second.counters)
    expect(changed.report.snapshotsSkipped).toEqual([expect.stringMatching(/other evolve/)])
    expect(await changed.query(second.Counter, 1)).toEqual({ sum: 2 * sequence })
    await changed.close()
  })

  it('building: refuses a journal whose chain is broken, and leaves no file', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 3, 21)
    await engine.close()
    const storage = openFileStorage(path)
    damage(storage, segmentName(2), 8192 + 200)
    expect(() => build(path, 2)).toThrow(/JOURNAL_DAMAGED.*the files cannot be replayed/)
    expect(storage.list().filter((name) => name.includes('snapshot'))).toEqual([])
  })

  it.each(['inline', 'thread'] as const)(
    'engine.snapshot: is made beside a running engine (%s)',
    async (processor) => {
      const path = newPath()
      const engine = await openSaved(path, { processor })
      expect(await engine.snapshot()).toBeUndefined()
      await growTo(engine, 2, 6)
      const building = engine.snapshot()
      await growTo(engine, 3, 8)
      const first = await building
      const second = await engine.snapshot()
      expect(second).not.toBe(first)
      expect(await engine.snapshot()).toBe(second)
      const digest = await engine.digest()
      const broken = engine.snapshot()
      const closed = expect(broken).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
      await engine.close()
      await closed
      const { report, digest: restored } = await digestOf(path)
      expect(restored).toBe(digest)
      expect(report.snapshot?.file).toBe(second)
      const unkept = await openSaved(newPath(), { durability: 'none', processor })
      expect((await failureOf(unkept.snapshot())).code).toBe('NO_JOURNAL')
      await unkept.close()
    },
  )

  it('building: goes on while the engine writes (sealed segments only)', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    const random = seededRandom(4)
    for (const segment of [2, 3]) {
      await growTo(engine, segment, segment)
      const running = runAny(engine, random)
      build(path, segment - 1)
      await running
    }
    const digest = await engine.digest()
    await engine.close()
    expect((await digestOf(path)).digest).toBe(digest)
  })
})

/** Of all files but the lock's. */
function hashes(path: string): string[] {
  const files = [...readFolder(path)].filter(([name]) => name !== 'lock')
  return files.map(([name, bytes]) => `${name} ${createHash('sha256').update(bytes).digest('hex')}`)
}

function damage(storage: ReturnType<typeof openFileStorage>, name: string, offset: number): void {
  const file = storage.open(name, 'write')
  const byte = new Uint8Array(1)
  file.read(byte, offset)
  byte[0] = (byte[0] ?? 0) ^ 0x10
  file.write(byte, offset)
  file.close()
}
