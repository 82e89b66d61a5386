/** A disk without room for the next segment: no new commands, everything else goes on. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { stateDigest } from '../engine/state-digest.js'
import { DISK_RESERVE_BYTES } from '../journal/disk-shortage.js'
import { TidewheelError } from '../journal/errors.js'
import { SimulatedDisk } from './support/disk/simulated-disk.js'
import { EngineBench, SEGMENT_BYTES } from './support/engine-fixture.js'
import { type EngineProcess, startProcess } from './support/processes/start.js'
import { seededRandom } from './support/seeded-random.js'
import { LEDGERS } from './support/simulation/ledger.js'
import type { Intent } from './support/simulation/naive-ledger.js'
import {
  createSmallJournal,
  recoverLedger,
  SimulatedEngine,
} from './support/simulation/simulated-engine.js'

const SMALL_SEGMENT_BYTES = 160 * 1024
const NEEDED_BYTES = SMALL_SEGMENT_BYTES + DISK_RESERVE_BYTES
const LEVEL = { durability: 'disk', keyCountMax: 100 } as const

async function openOver(disk: SimulatedDisk): Promise<{ engine: SimulatedEngine; log: string[] }> {
  const log: string[] = []
  const state = recoverLedger(disk, LEDGERS[1], LEVEL)
  const engine = await SimulatedEngine.start(disk, LEDGERS[1], state, {
    ...LEVEL,
    segmentBytes: SMALL_SEGMENT_BYTES,
    clock: () => 1_700_000_000_000_000,
    onReport: (text) => log.push(text),
  })
  return { engine, log }
}

function note(mark: number, size = 1000): Intent {
  return { kind: 'note', account: mark % 7, size, mark }
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    if (error instanceof TidewheelError) return error.code
    throw error
  }
  return undefined
}

/** Everything that its threads would do if they had the time. */
function settle(engine: SimulatedEngine): void {
  engine.flush()
  let isBusy = true
  while (isBusy) {
    isBusy = engine.journaler.prepare()
    isBusy = engine.journaler.step() || isBusy
    isBusy = engine.work() || isBusy
  }
}

describe('disk guard, on a simulated disk', () => {
  const seed = Date.now() & 0xffff
  it(`disk guard: what was taken is answered and kept, reading goes on (seeds from ${seed})`, async () => {
    for (let run = seed; run < seed + 15; run++) {
      const random = seededRandom(run)
      const disk = new SimulatedDisk(random.below(2) === 0)
      createSmallJournal(disk, SMALL_SEGMENT_BYTES)
      const { engine, log } = await openOver(disk)
      let answered = 0
      engine.onReceipt = () => {
        answered++
      }
      let taken = 0
      // The disk fills up while the next segment is prepared, or long before.
      disk.setFreeBytes(NEEDED_BYTES + random.below(8 * SMALL_SEGMENT_BYTES))
      let code: string | undefined
      while (code === undefined) {
        code = codeOf(() => {
          for (let count = random.below(40); count > 0; count--) {
            if (engine.submit(note(taken), undefined) > 0) taken++
          }
        })
        engine.flush()
        if (random.below(2) === 0) settle(engine)
        else engine.journaler.step()
      }
      expect(code, `seed ${run}`).toBe('DISK_FULL')
      // It says how much is free now.
      disk.setFreeBytes(1024 * 1024)
      settle(engine)
      expect(() => engine.submit(note(taken), undefined)).toThrow('1.0 MiB are free')
      const digest = engine.host.digest()
      settle(engine)
      expect([answered, engine.host.failure], `seed ${run}`).toEqual([taken, undefined])
      expect(await digest).toBe(stateDigest(engine.state.runtime))

      const crashed = disk.clone()
      crashed.losePower(() => 0)
      const found = recoverLedger(crashed, LEDGERS[1], LEVEL)
      expect(stateDigest(found.runtime), `seed ${run}`).toBe(await digest)

      disk.setFreeBytes(NEEDED_BYTES + 4 * SMALL_SEGMENT_BYTES)
      settle(engine)
      expect(engine.submit(note(taken), undefined), `seed ${run}`).toBe(taken + 1)
      settle(engine)
      expect(answered).toBe(taken + 1)
      await engine.close()
      expect(log.filter((text) => text.includes('DISK_FULL'))).toHaveLength(1)
    }
  })

  it.each([
    { freeBytes: NEEDED_BYTES - 4096, code: 'DISK_FULL' },
    { freeBytes: NEEDED_BYTES, code: undefined },
  ])('disk guard: from the first command on ($freeBytes bytes are free)', async (given) => {
    const disk = new SimulatedDisk()
    createSmallJournal(disk, SMALL_SEGMENT_BYTES)
    disk.setFreeBytes(given.freeBytes)
    const { engine } = await openOver(disk)
    // The preparer has not had a turn.
    expect(codeOf(() => engine.submit(note(1), undefined))).toBe(given.code)
    await engine.close()
  })

  it('disk guard: without a preparer it STOPs where the disk ends, and nothing answered is lost', async () => {
    const disk = new SimulatedDisk()
    createSmallJournal(disk, SMALL_SEGMENT_BYTES)
    const { engine } = await openOver(disk)
    let answered = 0
    engine.onReceipt = () => {
      answered++
    }
    disk.setFreeBytes(60_000)
    let code: string | undefined
    for (let mark = 0; code === undefined; mark++) {
      code = codeOf(() => engine.submit(note(mark), undefined))
      engine.flush()
      engine.journaler.step()
      engine.work()
      engine.journaler.tellFailure()
    }
    expect(code).toBe('ENGINE_STOPPED')
    expect(engine.host.failure?.message).toContain('ENOSPC')
    engine.die()
    disk.setFreeBytes(Number.MAX_SAFE_INTEGER)
    const { runtime } = recoverLedger(disk, LEDGERS[1], LEVEL)
    expect(runtime.sequence).toBeGreaterThanOrEqual(answered)
    // It went on in what the disk had left.
    expect(answered).toBeGreaterThan(SMALL_SEGMENT_BYTES / 4096)
  })
})

interface Said {
  readonly latest: number
  readonly codes: readonly string[]
  readonly message: string
  readonly producer: string
  readonly balance: number
  readonly sequence: number
}

describe('disk guard, on a small file system', () => {
  const bench = new EngineBench('inline')
  const mounted: string[] = []
  const started: EngineProcess[] = []
  afterEach(async () => {
    for (const { child, ended } of started.splice(0)) {
      child.kill('SIGKILL')
      await ended
    }
    for (const path of mounted.splice(0)) spawnSync('umount', [path])
    await bench.clear()
  })

  function start(task: string, mode: string, path: string): EngineProcess {
    const child = startProcess(task, mode, path)
    started.push(child)
    return child
  }

  async function saidBy(child: EngineProcess, count: number): Promise<Said> {
    await child.hasSaid(count)
    return JSON.parse(child.lines[count - 1] ?? 'null')
  }

  it.each(['inline', 'thread'])(
    'disk guard: DISK_FULL, all answers are there after kill -9, goes on when there is room (%s)',
    async (mode) => {
      const path = bench.path()
      mkdirSync(path)
      const size = `size=${3 * SEGMENT_BYTES + DISK_RESERVE_BYTES + 4096 * 40}`
      const mounting = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', path])
      if (mounting.status !== 0) {
        console.warn(
          `SKIPPED: the full disk; a tmpfs cannot be mounted here: ${mounting.stderr ?? mounting.error}`,
        )
        return
      }
      mounted.push(path)

      const filling = start('fill', mode, path)
      const full = await saidBy(filling, 1)
      expect(full.codes).toEqual(['DISK_FULL undefined'])
      expect(full.message).toMatch(/\d\.\d MiB are free, and \d\.\d MiB are needed/)
      expect(full.producer).toBe('DISK_FULL')
      expect(full.latest).toBeGreaterThan(0)
      expect([full.balance, full.sequence]).toEqual([full.latest, full.latest])
      filling.child.kill('SIGKILL')
      await filling.ended

      // Opening works on the full disk, and everything is there.
      const again = start('fill', mode, path)
      const opened = await saidBy(again, 1)
      expect(opened.codes).toEqual(['DISK_FULL undefined'])
      expect([opened.latest, opened.balance, opened.sequence]).toEqual([
        0,
        full.latest,
        full.latest,
      ])
      spawnSync('mount', ['-o', 'remount,size=64m', path])
      expect(await again.ended).toBe(0)
      expect(again.lines[1]).toBe(`goes on after ${full.latest}`)

      const looking = start('look', mode, path)
      expect(await looking.ended).toBe(0)
      const { balance, sequence } = JSON.parse(looking.lines[0]!)
      expect([balance, sequence]).toEqual([full.latest + 1, full.latest + 1])
    },
  )
})
