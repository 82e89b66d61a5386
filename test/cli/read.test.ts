import { chmodSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import type { RecordedEvent } from '../../engine/index.js'
import bank, { OpenAccount, Transfer } from '../../examples/bank/bank.js'
import { SEGMENT_BYTES_MIN } from '../../journal/segment-layout.js'
import { fingerprint, linesOf, runCli } from '../support/cli.js'
import showcase, { Show } from '../support/domains/showcase.js'
import { all, EngineBench } from '../support/engine-fixture.js'

const bench = new EngineBench('inline')
afterAll(() => bench.clear())

const START_US = 1_767_225_600_000_000

/** A clock that moves on by 1,001 µs a reading. */
function steadyClock(): () => number {
  let nowUs = START_US
  return () => {
    nowUs += 1001
    return nowUs
  }
}

/** What a line must be, by other means than the code under test. */
function expectedLine(event: RecordedEvent): unknown {
  const time = new Date(Math.floor(event.time / 1000)).toISOString()
  const microseconds = String(event.time % 1000).padStart(3, '0')
  return plain({ ...event, time: time.replace('Z', `${microseconds}Z`) })
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' && !Number.isFinite(value)) return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

const uuidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

function showInput(n: number, blobBytes = 3) {
  return {
    target: `stream ${n % 7} \u001b[31m\u009b \u202e"\\ 日本`,
    flag: n % 2 === 0,
    signed: -n,
    small: n,
    money: n * 1_000_000_007,
    wide: 2n ** 64n - 1n - BigInt(n),
    ratio: n % 3 === 0 ? Number.NEGATIVE_INFINITY : n / 3,
    token: uuidOf(n),
    title: `\u0000\u001b]0;title\u0007\u007f\u0085\u2028 ${n}`,
    blob: new Uint8Array(blobBytes).fill(n),
    note: { deep: [n, 2n ** 63n, new Uint8Array([n]), null, { '\u009b': Infinity }] },
    colour: n % 2 === 0 ? ('red' as const) : ('gr"een\u001b' as const),
    owner: `owner ${n % 5}`,
    unit: 0xffff_ffff - (n % 4),
    lot: 2n ** 64n - 1n - BigInt(n % 6),
    key: uuidOf(n % 3),
  }
}

async function bankJournal(): Promise<string> {
  const path = bench.path()
  const engine = await bench.open(path, { clock: steadyClock() }, bank)
  const open = { owner: 'Alice', initialBalance: 1000 }
  await engine.execute(OpenAccount, { account: 'alice', ...open }, { key: 'a' })
  await engine.execute(OpenAccount, { account: 'bob', ...open, owner: 'Bob' })
  await engine.execute(OpenAccount, { account: 'bob', ...open }, { key: 'rejected' })
  await engine.execute(Transfer, { from: 'alice', to: 'bob', amount: 250 })
  await engine.execute(Transfer, { from: 'alice', to: 'bob', amount: 5000 })
  await bench.close(engine)
  return path
}

describe('tidewheel read', () => {
  it('read: prints these very lines for this journal (golden)', async () => {
    const path = await bankJournal()
    const before = fingerprint(path)
    const { code, stdout, stderr } = await runCli(['read', path])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const lines = linesOf(stdout)
    const times = lines.map((line) => (JSON.parse(line) as { time: string }).time)
    for (const time of times) expect(time).toMatch(/^2026-01-01T00:00:00\.\d{6}Z$/)
    expect(lines.map((line) => line.replace(/"time":"[^"]*"/, '"time":""'))).toEqual([
      '{"sequence":1,"time":"","stream":"Account","id":"alice","version":1,"type":"AccountOpened","data":{"owner":"Alice","initialBalance":1000}}',
      '{"sequence":2,"time":"","stream":"Account","id":"bob","version":1,"type":"AccountOpened","data":{"owner":"Bob","initialBalance":1000}}',
      '{"sequence":3,"time":"","stream":"Account","id":"alice","version":2,"type":"MoneyWithdrawn","data":{"amount":250}}',
      '{"sequence":4,"time":"","stream":"Account","id":"bob","version":2,"type":"MoneyDeposited","data":{"amount":250}}',
    ])
    expect(fingerprint(path)).toEqual(before)
  })

  it('read: chooses by sequence, stream, id and number', async () => {
    const path = await bankJournal()
    const sequences = async (...args: string[]): Promise<number[]> => {
      const { code, stdout, stderr } = await runCli(['read', path, ...args])
      expect([code, stderr]).toEqual([0, ''])
      return linesOf(stdout).map((line) => (JSON.parse(line) as { sequence: number }).sequence)
    }
    expect(await sequences('--from', '3')).toEqual([3, 4])
    expect(await sequences('--from', '2', '--to', '3')).toEqual([2, 3])
    expect(await sequences('--from=5')).toEqual([])
    expect(await sequences('--limit', '1', '--from', '2')).toEqual([2])
    expect(await sequences('--stream', 'Account', '--id', 'bob')).toEqual([2, 4])
    expect(await sequences('--id', 'bob', '--limit', '1', '--from', '3')).toEqual([4])
    expect(await sequences('--id', '__proto__')).toEqual([])
  })

  it('read: gives what the engine gives (every field type, every id type, several segments)', async () => {
    const path = bench.path()
    const engine = await bench.open(path, { segmentBytes: SEGMENT_BYTES_MIN }, showcase)
    for (let n = 1; n <= 24; n++) {
      const receipt = await engine.execute(Show, showInput(n, n % 4 === 0 ? 250_000 : n))
      expect(receipt).toMatchObject({ accepted: true })
      await engine.execute(Show, { ...showInput(n), money: -1 }, { key: `rejected ${n}` })
    }
    const expected = (await all(engine.readAll())).map(expectedLine)
    await bench.close(engine)
    const { code, stdout, stderr } = await runCli(['read', path])
    expect([code, stderr]).toEqual([0, ''])
    expect(linesOf(stdout).map((line) => JSON.parse(line) as unknown)).toEqual(expected)
    expect(expected).toHaveLength(4 * 24)
    const segments = fingerprint(path).filter((line) => line.includes('.segment'))
    expect(segments.length).toBeGreaterThanOrEqual(2)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come out.
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)

    // Ids are given in the first segment, and wanted in the last.
    const late = await runCli(['read', path, '--from', '90', '--stream', 'Wide'])
    expect(linesOf(late.stdout).map((line) => JSON.parse(line) as unknown)).toEqual(
      expected.filter((_, i) => i >= 89 && i % 4 === 2),
    )
    const wide = String(2n ** 64n - 1n)
    const one = await runCli(['read', path, '--stream', 'Wide', '--id', wide])
    expect(linesOf(one.stdout)).toHaveLength(4)
  })

  it('read: ends quietly when nobody reads any more (head)', async () => {
    const path = bench.path()
    const engine = await bench.open(path, {}, showcase)
    for (let n = 1; n <= 20; n++) await engine.execute(Show, showInput(n, 200_000))
    await bench.close(engine)
    const { code, stdout, stderr } = await runCli(['read', path], { readBytesMax: 1000 })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.length).toBeLessThan(20 * 200_000)
  })

  it('read: shows a prefix without gaps while the journal is being written', async () => {
    const path = bench.path()
    const engine = await bench.open(path, {}, bank)
    const open = { owner: 'O', initialBalance: 1_000_000 }
    await engine.execute(OpenAccount, { account: 'a', ...open })
    await engine.execute(OpenAccount, { account: 'b', ...open })
    let isReading = true
    const writing = (async () => {
      for (; isReading; await engine.synced()) {
        for (let i = 0; i < 3; i++) engine.submit(Transfer, { from: 'a', to: 'b', amount: 1 })
      }
    })()
    try {
      for (let round = 0; round < 3; round++) {
        const { length: syncedBefore } = await all(engine.readAll())
        const [read, verify] = await Promise.all([runCli(['read', path]), runCli(['verify', path])])
        expect([read.code, read.stderr]).toEqual([0, ''])
        const lines = linesOf(read.stdout)
        expect(lines.length).toBeGreaterThanOrEqual(syncedBefore)
        for (const [i, line] of lines.entries()) expect(line).toContain(`{"sequence":${i + 1},`)
        expect(verify.stdout).toContain('OK: nothing is wrong.')
        expect(verify.code).toBe(0)
      }
    } finally {
      isReading = false
      await writing
    }
    await bench.close(engine)
  })

  it('read: needs no right to write', async () => {
    const path = await bankJournal()
    const expected = await runCli(['read', path])
    chmodSync(path, 0o555)
    for (const file of ['lock', 'manifest', '0000000001.segment'])
      chmodSync(`${path}/${file}`, 0o444)
    try {
      expect(await runCli(['read', path])).toEqual(expected)
      expect((await runCli(['verify', path])).code).toBe(0)
      expect((await runCli(['info', path])).code).toBe(0)
    } finally {
      chmodSync(path, 0o755)
    }
  })
})
