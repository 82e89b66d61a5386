import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { median, type Row, rowOf } from '../bench/benchmark.js'
import { mountedType } from '../bench/environment.js'
import { AnswerLog } from '../bench/open-loop.js'
import { sharesOf } from '../bench/round-profile.js'
import { BENCHMARKS, benchmarksOf } from '../bench/suite.js'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'bench', 'main.js')

/** Parts on their own have no limit beside. */
const WITHOUT_LIMIT = /^micro\./
/** A loop that allocates nothing has no collections, and few machines have hosts that stop them. */
const LIMIT_MAY_BE_ZERO = /^transfer\.gc\.|\.stolen$/

/** On two cores that others use too. */
const SMOKE_MS = 240_000

describe('bench', () => {
  it(
    'smoke: every benchmark runs, checks itself, and gives complete rows',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'tidewheel-bench-test-'))
      try {
        const file = join(folder, 'rows.json')
        execFileSync(process.execPath, [main, '--smoke', '--data', folder, '--json', file])
        const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[]
        for (const { name } of BENCHMARKS) {
          const own = rows.filter((row) => `${row.name.replace('@', '.')}.`.startsWith(`${name}.`))
          expect(own, name).not.toEqual([])
        }
        expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
        for (const { name, value, unit, runs, limit, ratio, config } of rows) {
          expect(value, name).toBeGreaterThanOrEqual(0)
          expect(unit, name).not.toBe('')
          expect(runs.length, name).toBeGreaterThan(0)
          expect(config, name).toHaveProperty('fileSystem')
          if (WITHOUT_LIMIT.test(name)) continue
          expect(limit, name).toBeGreaterThanOrEqual(0)
          expect(ratio, name).toBeGreaterThanOrEqual(0)
          if (LIMIT_MAY_BE_ZERO.test(name)) continue
          expect(limit, name).toBeGreaterThan(0)
          expect(ratio, name).toBeGreaterThan(0)
        }
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
    SMOKE_MS,
  )
})

describe('profile', () => {
  it('--profile: shows where the time of each contender goes, and keeps the profiles', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidewheel-profile-test-'))
    try {
      const options = ['--smoke', '--data', folder, '--profile', join(folder, 'profiles')]
      const output = execFileSync(process.execPath, [main, 'transfer.throughput', ...options])
      expect(output.toString()).toMatch(/transfer-throughput: self time by function/)
      expect(output.toString()).toMatch(/transfer-limit: self time by function/)
      expect(readdirSync(join(folder, 'profiles'))).toHaveLength(2)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('shares: each function has its own samples, whoever called it', () => {
    const frame = (functionName: string, url: string) => ({
      callFrame: { functionName, url, scriptId: '1', lineNumber: 1, columnNumber: 1 },
    })
    const nodes = [
      { id: 1, ...frame('(root)', ''), children: [2, 3] },
      { id: 2, ...frame('outer', 'file:///a.js'), children: [4] },
      { id: 3, ...frame('other', 'file:///a.js'), children: [5] },
      { id: 4, ...frame('inner', 'file:///b.js') },
      { id: 5, ...frame('inner', 'file:///b.js') },
    ]
    const shares = sharesOf({ nodes, startTime: 0, endTime: 1, samples: [4, 2, 5, 4] })
    expect(shares).toEqual([
      { what: 'inner, file:///b.js', share: 0.75 },
      { what: 'outer, file:///a.js', share: 0.25 },
    ])
  })
})

describe('environment', () => {
  it('file system: of the deepest mount on the way, by its own name', () => {
    const mounts = [
      '/dev/vda / ext4 rw 0 0',
      'tmpfs /tmp tmpfs rw 0 0',
      '/dev/vdb /tmp/my\\040disk xfs rw 0 0',
      '/dev/vdc /tmp/my\\040disk btrfs rw 0 0',
      '',
    ].join('\n')
    expect(mountedType(mounts, '/home')).toBe('ext4')
    expect(mountedType(mounts, '/tmp')).toBe('tmpfs')
    expect(mountedType(mounts, '/tmpfiles')).toBe('ext4')
    expect(mountedType(mounts, '/tmp/my disk/data')).toBe('btrfs')
    expect(mountedType('', '/home')).toBeUndefined()
  })
})

describe('rows', () => {
  it('median: the middle, or between the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
  })

  it('ratio: 1 is the limit of the machine, whether more or less is better', () => {
    const common = { name: 'x', unit: 'y', runs: [50, 40, 60], limitRuns: [100], config: {} }
    expect(rowOf({ ...common, better: 'more' }).ratio).toBe(0.5)
    expect(rowOf({ ...common, better: 'less' }).ratio).toBe(2)
    const none = { ...common, runs: [0], better: 'less' } as const
    expect(rowOf(none).ratio).toBe(1)
    expect(rowOf({ ...none, limitRuns: [0] }).ratio).toBe(1)
    expect(rowOf({ ...none, runs: [5], limitRuns: [0] }).ratio).toBe(0)
  })

  it('benchmarks are found by name, and by what several begin with', () => {
    const chosen = (name: string) =>
      benchmarksOf(name).map(({ benchmark, at }) => [benchmark.name, at])
    expect(chosen('transfer.text')).toEqual([['transfer.text', undefined]])
    expect(chosen('transfer').length).toBeGreaterThan(5)
    expect(chosen('').length).toBe(BENCHMARKS.length)
    expect(chosen('transfer.latency@250000')).toEqual([['transfer.latency', 250_000]])
    for (const none of ['trans', 'transfer@5', 'transfer.text@5', 'transfer.latency@', '@5'])
      expect(chosen(none), none).toEqual([])
    for (const none of ['transfer.latency@0', 'transfer.latency@-1', 'transfer.latency@1e3'])
      expect(chosen(none), none).toEqual([])
  })
})

describe('open loop', () => {
  it('latency counts from when a command was due, so that a pause shows in all that waited', () => {
    const log = new AnswerLog()
    // 1,000 a second from 100 ms on: command i is due at 100 + i. After a pause all come at once.
    for (let i = 0; i < 900; i++) log.add(i + 1, 100 + i + 1)
    log.add(1000, 1100)
    const { p50, p99, max } = log.percentiles({ rate: 1000, seconds: 1, warmUpSeconds: 0 }, 100)
    expect(p50).toBeCloseTo(1000, -1)
    expect(p99).toBeCloseTo(90_000, -2)
    expect(max).toBeCloseTo(100_000, -3)
  })

  it('commands of the warm-up are not counted', () => {
    const log = new AnswerLog()
    log.add(500, 10_000)
    for (let i = 500; i < 1000; i++) log.add(i + 1, i + 1)
    const { max } = log.percentiles({ rate: 1000, seconds: 0.5, warmUpSeconds: 0.5 }, 0)
    expect(max).toBeCloseTo(1000, -1)
  })
})
