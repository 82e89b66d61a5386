/** `tidewheel backup` and `restore` as processes: what they say, killed, and without room. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseArguments } from '../../engine/cli/arguments.js'
import { parseTime } from '../../engine/cli/time-argument.js'
import { TidewheelError } from '../../journal/errors.js'
import { verifyJournal } from '../../journal/verify.js'
import { CLI, fingerprint, runCli } from '../support/cli.js'
import { growTo, openSaved } from '../support/saved-journal.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-backup-cli-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const journal = join(root, 'journal')
let lastSequence = 0
let headHash = ''

beforeAll(async () => {
  const engine = await openSaved(journal)
  await growTo(engine, 4, 3)
  await engine.close()
  const report = await verifyJournal(journal, { threads: 1 })
  lastSequence = report.lastSequence
  headHash = report.headHash
})

describe('time', () => {
  it.each([
    ['2026-01-31T12:00:00Z', 1_769_860_800_000_000],
    ['2026-01-31T12:00:00.000001Z', 1_769_860_800_000_001],
    ['2026-01-31T14:00:00.5+02:00', 1_769_860_800_500_000],
    ['1769860800000001', 1_769_860_800_000_001],
    ['1', 1],
    ['0', undefined],
    ['-1', undefined],
    ['1e15', undefined],
    ['99999999999999999', undefined],
    ['2026-01-31T12:00:00', undefined],
    ['2026-01-31', undefined],
    ['2026-02-30T12:00:00Z', undefined],
    ['2026-01-31T25:00:00Z', undefined],
    ['2026-01-31T12:00:00.0000001Z', undefined],
    ['2026-01-31T12:00:00+25:00', undefined],
    ['1969-12-31T23:59:59Z', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('parseTime: %j is %j', (text, timeUs) => {
    expect(parseTime(text)).toBe(timeUs)
  })

  it('parseArguments: takes both commands, and refuses what is half or double', () => {
    expect(parseArguments(['backup', 'a', 'b'])).toEqual({ kind: 'backup', path: 'a', target: 'b' })
    expect(parseArguments(['restore', 'a', '--to-sequence', '7', 'b'])).toEqual({
      kind: 'restore',
      path: 'a',
      target: 'b',
      options: { toSequence: 7 },
    })
    expect(parseArguments(['restore', 'a', 'b', '--to-time=12'])).toMatchObject({
      options: { toTimeUs: 12 },
    })
    for (const [argv, sentence] of [
      [['backup', 'a'], 'two directories are needed'],
      [['restore', 'a', ''], 'two directories are needed'],
      [['backup', 'a', 'b', 'c'], '"c" is too much'],
      [['backup', 'a', 'b', '--to-sequence', '1'], '--to-sequence'],
      [['restore', 'a', 'b', '--to-sequence', '0'], 'whole number from 1'],
      [['restore', 'a', 'b', '--to-time', 'noon'], 'must be like 2026-01-31T12:00:00.5Z'],
      [['restore', 'a', 'b', '--to-time', '5', '--to-sequence', '5'], 'two points'],
    ] as const) {
      expect(() => parseArguments([...argv])).toThrow(sentence)
    }
  })
})

describe('tidewheel backup and restore', () => {
  it('tidewheel: says what to note, and what is in what it made', async () => {
    const before = fingerprint(journal)
    const backup = join(root, 'backup')
    const made = await runCli(['backup', journal, backup])
    expect([made.code, made.stderr]).toEqual([0, ''])
    expect(made.stdout).toContain(`head hash   ${headHash}`)
    expect(made.stdout).toMatch(/last event {2}sequence \d+, of 20\d\d-.*Z\n/)
    const restored = join(root, 'restored')
    const cut = await runCli(['restore', backup, restored, '--to-sequence', '9'])
    expect([cut.code, cut.stderr]).toEqual([0, ''])
    expect(cut.stdout).toMatch(/Left out: \d+ events, from sequence \d+, of 20\d\d-.*Z, on\.\n/)
    const { lastSequence: reached } = await verifyJournal(restored, { threads: 1 })
    expect(cut.stdout).toContain(`last event  sequence ${reached}, of`)
    const { code, stdout, stderr } = await runCli(['restore', journal, backup])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^tidewheel: INVALID_OPTION: .*is not empty.*\n$/)
    expect(fingerprint(journal)).toEqual(before)
  })

  it('tidewheel backup: killed with -9, what is there is refused, or whole', async () => {
    const before = fingerprint(journal)
    for (const files of [1, 3]) {
      const target = join(root, `killed-${files}`)
      const child = spawn(process.execPath, [CLI, 'backup', journal, target], { stdio: 'ignore' })
      const ended = once(child, 'exit')
      let hasEnded = false
      void ended.then(() => {
        hasEnded = true
      })
      while (!hasEnded && filesIn(target) < files) await setImmediate()
      child.kill('SIGKILL')
      await ended
      const found = await verifyJournal(target, { threads: 1 }).catch((error: unknown) => error)
      if (found instanceof TidewheelError) expect(found.code).toBe('NOT_A_JOURNAL')
      else expect(found).toMatchObject({ ok: true, lastSequence, headHash })
    }
    expect(fingerprint(journal)).toEqual(before)
  })

  it('tidewheel backup: a link that leads nowhere is named', async () => {
    const link = join(root, 'link')
    symlinkSync('nowhere', link)
    const run = await runCli(['backup', journal, link])
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(/^tidewheel: STORAGE_FAILED: .*link is a link that leads nowhere/)
  })

  it('tidewheel: without room or on a read-only file system says so, and leaves nothing', async (test) => {
    const small = join(root, 'small')
    mkdirSync(small)
    const mounting = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small])
    if (mounting.status !== 0) {
      const why = `SKIPPED: the full disk; a tmpfs cannot be mounted here: ${mounting.stderr ?? mounting.error}`
      console.warn(why)
      return test.skip(why)
    }
    try {
      const full = await runCli(['backup', journal, join(small, 'backup')])
      expect([full.code, full.stdout]).toEqual([1, ''])
      expect(full.stderr).toMatch(/^tidewheel: DISK_FULL: a copy of the journal takes \d+ bytes/)
      expect(readdirSync(small)).toEqual([])
      spawnSync('mount', ['-o', 'remount,ro', small])
      const refused = await runCli(['restore', journal, join(small, 'restored')])
      expect(refused.code).toBe(1)
      expect(refused.stderr).toMatch(/^tidewheel: STORAGE_FAILED: nothing can be written.*EROFS/)
    } finally {
      spawnSync('umount', [small])
    }
  })
})

function filesIn(path: string): number {
  try {
    return readdirSync(path).length
  } catch {
    // Not there yet.
    return 0
  }
}
