/**
 * Limits that a real system sets: a largest file, few file descriptors, no permission, a clock that
 * jumps. Small and read-only file systems are in disk-guard.test.ts and engine/stopping.test.ts.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { Engine } from '../engine/index.js'
import probe, { Count, Counter } from './support/domains/probe.js'
import type { Said } from './support/faults/fault-verdict.js'
import { modelDigests } from './support/faults/ledger-model.js'
import { checkReopened } from './support/faults/reopened.js'
import { type ProcessEnd, runProcess } from './support/faults/run-process.js'
import { prepareJournal, workloadNamed } from './support/faults/workloads.js'
import { seededRandom } from './support/seeded-random.js'

const PROCESS = fileURLToPath(new URL('./support/faults/faulted-process.js', import.meta.url))
const FEW_DESCRIPTORS = fileURLToPath(
  new URL('./support/faults/few-descriptors.js', import.meta.url),
)
const JUMPING_CLOCK = fileURLToPath(new URL('./support/faults/jumping-clock.js', import.meta.url))
const NOBODY_UID = 65_534
const folder = mkdtempSync(join(tmpdir(), 'tidewheel-limits-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0
const NO_PRLIMIT = 'SKIPPED: prlimit is not installed (Debian: util-linux)'

function linesOf({ ended, lines }: ProcessEnd): Said[] {
  expect(ended, lines.join('\n')).toBe(0)
  const said = lines.map((line) => JSON.parse(line) as Said)
  expect(said.filter(([what]) => what === 'untyped')).toEqual([])
  return said
}

function limited(limits: readonly string[], ...words: string[]): Promise<ProcessEnd> {
  return runProcess(['prlimit', ...limits, process.execPath, PROCESS, ...words])
}

describe('limits of the system', () => {
  it('largest file: a block that ends there STOPs, a segment beyond it is refused (ulimit -f)', async (test) => {
    if (!hasPrlimit) {
      console.warn(NO_PRLIMIT)
      test.skip(NO_PRLIMIT)
    }
    const small = await limited(['--fsize=100000:100000'], 'roll', join(folder, 'small'))
    expect(linesOf(small)).toEqual([['begun'], ['refused', 'STORAGE_FAILED']])

    const roll = { ...workloadNamed('roll'), before: 3 }
    const directory = join(folder, 'half')
    await prepareJournal(roll, directory)
    const half = linesOf(await limited(['--fsize=600000:600000'], 'roll', directory))
    // It was prepared as commands 1 to 3, and the process begins with command 1 again: the same keys.
    const failed = half.filter(([what]) => what === 'failed')
    expect(half.filter(([what]) => what === 'answered').length).toBeGreaterThanOrEqual(3)
    expect(failed.length).toBeGreaterThan(0)
    for (const [, , code] of failed) expect(code).toBe('ENGINE_STOPPED')
    expect(half.at(-1)).toEqual(['closed', 'STORAGE_FAILED'])
    await checkReopened(directory, roll, await modelDigests(roll, 40), half)
  })

  it('file descriptors: refused with a code, or everything works (0, 8, 40 are left)', async (test) => {
    if (!hasPrlimit) {
      console.warn(NO_PRLIMIT)
      test.skip(NO_PRLIMIT)
    }
    const append = workloadNamed('append')
    const digests = await modelDigests(append, 12)
    const ends = [0, 8, 40].map(async (count) => {
      const directory = join(folder, `descriptors-${count}`)
      const end = await limited(['--nofile=128:128'], 'append', directory, String(count))
      const said = linesOf(end)
      await checkReopened(directory, append, digests, said)
      const refused = said.find(([what]) => what === 'refused')
      if (refused === undefined) expect(said.at(-1)).toEqual(['closed', null])
      else expect(['JOURNAL_UNREADABLE', 'STORAGE_FAILED']).toContain(refused[1])
      return refused === undefined
    })
    const worked = await Promise.all(ends)
    expect([worked[0], worked.at(-1)]).toEqual([false, true])
  })

  it.for(['inline', 'thread'])(
    'file descriptors of a running engine: what needs some is refused with a code, the engine goes on until its journal needs one, then it STOPs (%s)',
    { timeout: 60_000 },
    async (mode, test) => {
      if (!hasPrlimit || process.platform !== 'linux') {
        console.warn(NO_PRLIMIT)
        test.skip(NO_PRLIMIT)
      }
      const directory = join(folder, `running-${mode}`)
      const counts = ['0', '12', '30', '900']
      const end = await runProcess([process.execPath, FEW_DESCRIPTORS, directory, mode, ...counts])
      const said = linesOf(end)
      const codes = said.filter(([what]) => what === 'left')
      expect(codes.length).toBe(6 * counts.length)
      // A call of an archive that the system refused ends archiving until the journal is opened anew.
      const noArchive = codes.some(
        ([, left, what, code]) => what === 'archive' && left !== 900 && code === 'STORAGE_FAILED',
      )
      for (const [, left, what, code] of codes) {
        if (what === 'archive' && left === 900 && noArchive) expect(code).toBe('STORAGE_FAILED')
        else if (what === 'execute' || left === 900)
          expect([left, what, code]).toEqual([left, what, null])
        else if (code !== null) {
          expect(['THREAD_FAILED', 'STORAGE_FAILED', 'JOURNAL_UNREADABLE']).toContain(code)
        }
      }
      expect(codes.some(([, , , code]) => code === 'THREAD_FAILED')).toBe(true)
      const [, answered, code] = said.at(-1)!
      expect(said.at(-1)).toEqual(['stopped', answered, 'ENGINE_STOPPED'])
      expect(code).toBe('ENGINE_STOPPED')
      const engine = await Engine.open(directory, probe)
      // A segment may have ended at the very first.
      const left = answered === 0 ? undefined : { value: answered }
      expect(await engine.query(Counter, 2)).toEqual(left)
      expect((await engine.query(Counter, 1))?.value).toBeGreaterThanOrEqual(60_000 + counts.length)
      await engine.close()
    },
  )

  it('no permission: refused, with the directory in the sentence (another user)', async (test) => {
    const directory = join(folder, 'closed')
    mkdirSync(directory)
    chmodSync(directory, 0o700)
    const isRoot = process.getuid?.() === 0
    if (!isRoot) chmodSync(directory, 0o500)
    if (process.platform === 'win32') {
      const reason = 'SKIPPED: permissions; this system has others'
      console.warn(reason)
      test.skip(reason)
    }
    chmodSync(folder, 0o755)
    const words = [process.execPath, PROCESS, 'append', join(directory, 'journal')]
    const end = await runProcess(words, isRoot ? NOBODY_UID : undefined)
    chmodSync(directory, 0o700)
    expect(linesOf(end)).toEqual([['begun'], ['refused', 'JOURNAL_UNREADABLE']])
  })
})

describe('clock of the system', () => {
  const seed = Date.now() & 0xffff
  it(`clock: time never goes backwards in the journal (it jumps back and forth; seed ${seed})`, async () => {
    const random = seededRandom(seed)
    const directory = join(folder, 'clock')
    let nowMs = Date.now()
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => nowMs)
    const logger = { info: () => undefined, warn: () => undefined, error: () => undefined }
    try {
      for (let life = 0; life < 2; life++) {
        const engine = await Engine.open(directory, probe, { logger })
        for (let i = 0; i < 25; i++) {
          nowMs += (random.below(2) === 0 ? -1 : 1) * random.below(10 ** random.below(10))
          expect(await engine.execute(Count, { counter: 1, by: 1 })).toMatchObject({
            accepted: true,
          })
        }
        let latest = 0
        for await (const { time } of engine.readAll()) {
          expect(time, `seed ${seed}`).toBeGreaterThanOrEqual(latest)
          latest = time
        }
        expect(latest).toBeGreaterThan(0)
        await engine.close()
      }
    } finally {
      clock.mockRestore()
    }
  })

  it(`clock: time never goes backwards in the journal (the system's own, by faketime; seed ${seed})`, async (test) => {
    const said = spawnSync('faketime', ['-m', '-f', '+0s', 'sh', '-c', 'echo $LD_PRELOAD'])
    if (said.status !== 0) {
      const reason = 'SKIPPED: faketime is not installed'
      console.warn(reason)
      test.skip(reason)
    }
    const directory = join(folder, 'faketime')
    const file = join(folder, 'faketime.offset')
    writeFileSync(file, '+0s\n')
    const clock = [`LD_PRELOAD=${said.stdout.toString().trim()}`, `FAKETIME_TIMESTAMP_FILE=${file}`]
    // Only the time of day jumps, as it does when somebody sets it.
    clock.push('FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1')
    const command = [process.execPath, JUMPING_CLOCK, directory, file, String(seed)]
    const answered = linesOf(await runProcess(['env', ...clock, ...command]))
    expect(answered.pop()).toEqual(['closed'])
    const [times, clocks] = [1, 2].map((place) => answered.map((words) => Number(words[place])))
    expect(clocks, 'the clock has jumped back').not.toEqual([...clocks!].sort((a, b) => a - b))
    expect(times, `seed ${seed}`).toEqual([...times!].sort((a, b) => a - b))
    const engine = await Engine.open(directory, probe)
    const kept: number[] = []
    for await (const { time } of engine.readAll()) kept.push(time)
    await engine.close()
    expect(kept).toEqual(times)
  })
})
