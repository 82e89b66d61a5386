import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { resolveOptions } from '../../engine/engine-options.js'
import {
  domain,
  type Engine,
  type EngineOptions,
  type Logger,
  TidewheelError,
} from '../../engine/index.js'
import { SnapshotPolicy } from '../../engine/snapshot/snapshot-policy.js'
import { Snapshots } from '../../engine/snapshot/snapshots.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { snapshotNames } from '../../journal/snapshot-files.js'
import type { SyncedEdge } from '../../journal/synced-edge.js'
import { TaskPool } from '../../journal/task-pool.js'
import saved from '../support/domains/saved.js'
import { failureOf } from '../support/engine-fixture.js'
import { growTo, openSaved } from '../support/saved-journal.js'
import { seededRandom } from '../support/seeded-random.js'
import { TIDEWHEEL, UserModules } from '../support/user-modules.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-policy-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const modules = new UserModules()
afterAll(() => modules.remove())
let folders = 0
const newPath = (): string => join(root, String(++folders))

/** An edge of which only what the policy looks at is told. */
function edge(segmentNumber: number, fileOffset: number, sequence: number): SyncedEdge {
  return { segmentNumber, fileOffset, sequence, ringPosition: 0, blockNumber: 0 }
}

const EMPTY = { segmentNumber: 0, sequence: 0, bytes: 0 }
const NEVER = Number.POSITIVE_INFINITY

describe('snapshot policy', () => {
  it('due: from exactly so many bytes on, and only when another segment is full', () => {
    const policy = new SnapshotPolicy(
      { everyBytes: 1000, everyEvents: NEVER },
      600,
      EMPTY,
      edge(1, 0, 0),
    )
    expect(policy.isDue(edge(1, 600, 50))).toBe(false)
    expect(policy.isDue(edge(2, 399, 51))).toBe(false)
    expect(policy.isDue(edge(2, 400, 52))).toBe(true)
    policy.attempted(edge(2, 400, 52))
    // 400 bytes lie behind the end of segment 1.
    expect(policy.isDue(edge(2, 600, 60))).toBe(false)
    expect(policy.isDue(edge(3, 399, 70))).toBe(false)
    expect(policy.isDue(edge(3, 400, 71))).toBe(true)
  })

  it('due: from exactly so many events on, counted from the last one in the snapshot', () => {
    const pace = { everyBytes: NEVER, everyEvents: 100 }
    const policy = new SnapshotPolicy(pace, 600, EMPTY, edge(1, 0, 0))
    expect(policy.isDue(edge(1, 500, 200))).toBe(false)
    expect(policy.isDue(edge(2, 10, 210))).toBe(true)
    policy.attempted(edge(2, 10, 210))
    policy.made(205)
    expect(policy.isDue(edge(3, 10, 304))).toBe(false)
    expect(policy.isDue(edge(3, 11, 305))).toBe(true)
    // One that fails counts from where it was begun.
    policy.attempted(edge(3, 11, 305))
    expect(policy.isDue(edge(4, 10, 404))).toBe(false)
    expect(policy.isDue(edge(4, 10, 405))).toBe(true)
  })

  it('due: at once after an opening that had to replay enough', () => {
    const pace = { everyBytes: 1000, everyEvents: NEVER }
    const base = { segmentNumber: 2, sequence: 70, bytes: 1000 }
    expect(new SnapshotPolicy(pace, 600, base, edge(4, 50, 99)).isDue(edge(4, 50, 99))).toBe(true)
    expect(new SnapshotPolicy(pace, 600, base, edge(3, 50, 99)).isDue(edge(3, 50, 99))).toBe(false)
  })

  it('due: as a model says that keeps every byte (seeds)', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed)
      const everyBytes = random.below(4) === 0 ? NEVER : 1 + random.below(3000)
      const everyEvents = random.below(4) === 0 ? NEVER : 1 + random.below(300)
      const segmentBytes = 500 + random.below(500)
      /** Of each event written: the segment, and the bytes. */
      const written: { segment: number; bytes: number; sequence: number }[] = []
      let [segment, offset, sequence] = [1, 0, 0]
      let [covered, coveredSequence] = [0, 0]
      const policy = new SnapshotPolicy(
        { everyBytes, everyEvents },
        segmentBytes,
        EMPTY,
        edge(1, 0, 0),
      )
      for (let step = 0; step < 200; step++) {
        for (let events = random.below(12); events > 0; events--) {
          let bytes = 1 + random.below(60)
          if (offset + bytes > segmentBytes) {
            // The rest of a full segment stays empty, and is read all the same.
            written.push({ segment, bytes: segmentBytes - offset, sequence: 0 })
            segment++
            offset = 0
            bytes = Math.min(bytes, segmentBytes)
          }
          offset += bytes
          written.push({ segment, bytes, sequence: ++sequence })
        }
        const behind = written.filter((piece) => piece.segment > covered)
        const bytes = behind.reduce((sum, piece) => sum + piece.bytes, 0)
        const isEnough = bytes >= everyBytes || sequence - coveredSequence >= everyEvents
        const due = segment - 1 > covered && isEnough
        const now = edge(segment, offset, sequence)
        expect(policy.isDue(now), `seed ${seed}, step ${step}`).toBe(due)
        if (!due && random.below(40) > 0) continue
        policy.attempted(now)
        covered = segment - 1
        coveredSequence = sequence
        if (random.below(2) === 0) continue
        const last = written.findLast((piece) => piece.segment <= covered && piece.sequence > 0)
        coveredSequence = last?.sequence ?? 0
        policy.made(coveredSequence)
      }
    }
  })
})

describe('snapshots of an engine', () => {
  const log: string[] = []
  const note = (text: string): void => {
    // On a busy machine the next segment may come late, which says nothing of snapshots.
    if (!text.includes('was not prepared in time')) log.push(text)
  }
  const logger: Logger = { info: note, warn: note, error: note }
  const mentions = (text: string): number => log.filter((line) => line.includes(text)).length

  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
    log.length = 0
  })

  /** From here on, an engine looks whether one is due when the test says so. */
  const LOOK = 500
  /** Other timers go on: closing interrupts the journaler again and again, until it has heard it. */
  const stopTimers = (): void => {
    const real = { setInterval, clearInterval }
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const fake = { setInterval, clearInterval }
    const stopped = new Set<unknown>()
    vi.stubGlobal('setInterval', (work: () => void, ms: number) => {
      if (ms !== LOOK) return real.setInterval(work, ms)
      const timer = fake.setInterval(work, ms)
      stopped.add(timer)
      return timer
    })
    vi.stubGlobal('clearInterval', (timer: NodeJS.Timeout | undefined) => {
      if (stopped.has(timer)) fake.clearInterval(timer)
      else real.clearInterval(timer)
    })
  }

  it.each(['inline', 'thread'] as const)(
    'policy: makes them beside a running engine, and keeps as many as are wanted (%s)',
    async (processor) => {
      stopTimers()
      const path = newPath()
      const options: EngineOptions = { processor, logger, snapshot: { everyBytes: 1, keep: 1 } }
      const engine = await openSaved(path, options)
      vi.advanceTimersByTime(LOOK)
      expect(log).toEqual([])
      for (let segment = 2; segment <= 4; segment++) {
        await growTo(engine, segment, segment)
        vi.advanceTimersByTime(10 * LOOK)
        await vi.waitFor(() => expect(mentions('was made in')).toBe(segment - 1), 5000)
      }
      const names = snapshotNames(openFileStorage(path))
      expect(names).toHaveLength(1)
      const digest = await engine.digest()
      await engine.close()
      const again = await openSaved(path, { processor, logger })
      expect(again.report.snapshot?.file).toBe(names[0])
      expect(await again.digest()).toBe(digest)
      await again.close()
      expect(mentions('could not')).toBe(0)
    },
  )

  it('policy: nothing is made unasked when it is never due', async () => {
    stopTimers()
    const path = newPath()
    const engine = await openSaved(path, { logger, snapshot: { everyBytes: NEVER, keep: 1 } })
    await growTo(engine, 3, 3)
    vi.advanceTimersByTime(10 * LOOK)
    const first = await engine.snapshot()
    expect(snapshotNames(openFileStorage(path))).toEqual([first])
    await growTo(engine, 4, 4)
    const second = await engine.snapshot()
    expect(second).not.toBe(first)
    expect(snapshotNames(openFileStorage(path))).toEqual([second])
    await engine.close()
    expect(log).toEqual([])
  })

  it('close: one that is being made is broken off without a word, and the next opening is due', async () => {
    stopTimers()
    const path = newPath()
    const options: EngineOptions = { logger, snapshot: { everyEvents: 1 } }
    const engine = await openSaved(path, options)
    await growTo(engine, 3, 3)
    const digest = await engine.digest()
    vi.advanceTimersByTime(LOOK)
    await engine.close()
    vi.advanceTimersByTime(10 * LOOK)
    expect(log).toEqual([])
    const again = await openSaved(path, options)
    expect(await again.digest()).toBe(digest)
    vi.advanceTimersByTime(LOOK)
    await vi.waitFor(() => expect(mentions('was made in')).toBe(1), 5000)
    await again.close()
    expect(readdirSync(path).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  it('failed build: told once, tried again only after as much journal; the engine runs on', async () => {
    stopTimers()
    const path = newPath()
    const nowhere = domain('saved', 'file:///nowhere/to/be/found.mjs')
    let now = edge(1, 8192, 0)
    const report = (await emptyReport(path)) as Engine['report']
    const snapshots = new Snapshots(
      { path, domain: nowhere, report, position: () => now, stopReason: () => undefined },
      resolveOptions({ logger, segmentBytes: 2 ** 21, snapshot: { everyEvents: 100 } }),
    )
    let attempts = 0
    for (const [segment, sequence, isTried] of [
      [1, 500, false],
      [2, 500, true],
      [2, 599, false],
      [3, 599, false],
      [3, 600, true],
      [4, 650, false],
      [9, 700, true],
    ] as const) {
      now = edge(segment, 8192, sequence)
      if (isTried) attempts++
      // Looked at often, also while one is being made: there is one attempt.
      vi.advanceTimersByTime(20 * LOOK)
      await vi.waitFor(() => expect(mentions('could not be made')).toBe(attempts), 5000)
      vi.advanceTimersByTime(20 * LOOK)
      expect(mentions('could not be made')).toBe(attempts)
    }
    // While one is being made, however much has come meanwhile, there is no second.
    const build = vi.spyOn(TaskPool.prototype, 'run')
    for (const segment of [12, 15]) {
      now = edge(segment, 8192, segment * 1000)
      vi.advanceTimersByTime(LOOK)
    }
    expect(build).toHaveBeenCalledTimes(1)
    await vi.waitFor(() => expect(mentions('could not be made')).toBe(attempts + 1), 5000)
    vi.advanceTimersByTime(LOOK)
    expect(build).toHaveBeenCalledTimes(2)
    build.mockRestore()
    expect(log[0]).toMatch(/a snapshot was due and could not be made: .*nowhere/)
    await expect(snapshots.request()).rejects.toThrow(/nowhere/)
    await snapshots.close()
  })

  it('module that opens an engine when it is loaded: opens no second one, and says why', async () => {
    const path = newPath()
    const file = modules.write(
      'one-file.mjs',
      `import { domain, Engine, int, u32 } from '${TIDEWHEEL}'
       const app = domain('app', import.meta.url)
       const Note = app.aggregate('Note', { id: u32, state: { sum: int } })
       const Added = Note.event('Added', { by: int }, (note, event) => { note.sum += event.by })
       const Add = app.command('Add', { note: Note.id }, (command, tx) => {
         for (let i = 0; i < 4000; i++) tx.emit(Added, command.note, { by: 1 })
       })
       export const engine = await Engine.open(${JSON.stringify(path)}, app, { segmentBytes: 1056768 })
       export const add = () => engine.execute(Add, { note: 1 })
       export default app`,
    )
    const app = (await import(pathToFileURL(file).href)) as { engine: Engine; add(): Promise<void> }
    while (app.engine.journalPosition().segmentNumber < 2) await app.add()
    expect(await failureOf(app.engine.snapshot())).toMatchObject({ code: 'INVALID_DOMAIN' })
    await app.add()
    await app.engine.close()
  })

  it('stopped engine: nothing more is made, the directory may be another engine’s', async () => {
    stopTimers()
    const path = newPath()
    const stopped = new TidewheelError('ENGINE_STOPPED', 'the disk is gone')
    let reason: TidewheelError | undefined
    const snapshots = new Snapshots(
      {
        path,
        domain: saved,
        report: await emptyReport(path),
        position: () => edge(5, 8192, 500),
        stopReason: () => reason,
      },
      resolveOptions({ logger, snapshot: { everyEvents: 1 } }),
    )
    reason = stopped
    vi.advanceTimersByTime(20 * LOOK)
    expect(await failureOf(snapshots.request())).toBe(stopped)
    expect(vi.getTimerCount()).toBe(0)
    expect(log).toEqual([])
    await snapshots.close()
  })

  async function emptyReport(path: string): Promise<Engine['report']> {
    const engine = await openSaved(path)
    await engine.close()
    return engine.report
  }
})

describe('priority', () => {
  it.runIf(process.platform === 'linux')(
    'priority: the thread that makes snapshots lowers its own, and no other',
    async () => {
      const before = getPriority(process.pid)
      const task = new URL('../../journal/low-priority.js', import.meta.url).href
      const code = `import(${JSON.stringify(task)}).then(({ lowerThreadPriority }) => {
        lowerThreadPriority()
        const thread = Number(require('node:fs').readlinkSync('/proc/thread-self').split('/')[2])
        require('node:worker_threads').parentPort.postMessage(require('node:os').getPriority(thread))
      })`
      const [lowered] = (await once(new Worker(code, { eval: true }), 'message')) as [number]
      expect(lowered).toBeGreaterThan(before)
      expect(getPriority(process.pid)).toBe(before)
    },
  )
})

describe('snapshot options', () => {
  it.each<[unknown, RegExp]>([
    [5, /option snapshot is 5; give an object/],
    [null, /option snapshot is null/],
    [false, /option snapshot is false.*Infinity \} makes none unasked/],
    [{ everyByte: 1 }, /"everyByte" is not an option of snapshot; these are everyBytes, /],
    [{ everyBytes: 0 }, /option snapshot\.everyBytes is 0; give an integer from 1, or Infinity/],
    [{ everyEvents: 1.5 }, /option snapshot\.everyEvents is 1\.5/],
    [{ everyEvents: '9' }, /option snapshot\.everyEvents is "9"/],
    [{ keep: 0 }, /option snapshot\.keep is 0; give an integer from 1/],
  ])('%j is refused', (snapshot, message) => {
    expect(() => resolveOptions({ snapshot } as EngineOptions)).toThrow(message)
  })

  it('defaults: by bytes, two kept; what is given is taken', () => {
    const defaults = { everyBytes: 4 * 1024 ** 3, everyEvents: NEVER, keep: 2 }
    expect(resolveOptions({}).snapshot).toEqual(defaults)
    const given = { everyBytes: 1, everyEvents: 2, keep: 3 }
    expect(resolveOptions({ snapshot: given }).snapshot).toEqual(given)
  })
})
