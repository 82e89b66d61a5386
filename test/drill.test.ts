import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { AcknowledgementLog, AcknowledgementWriter } from '../engine/drill/acknowledgements.js'
import { fillLimitOf } from '../engine/drill/drill-faults.js'
import { auditJournal } from '../engine/drill/journal-audit.js'
import { LatencyHistogram } from '../engine/drill/latency-histogram.js'
import { randomCommand } from '../engine/drill/random-commands.js'
import { Engine } from '../engine/index.js'
import { createRandom } from '../engine/random.js'
import exchange, { CancelOrder, PlaceLimit } from '../examples/exchange/exchange.js'
import payments from '../examples/payments/payments.js'
import { readDrillArguments } from '../scripts/drill/drill-arguments.js'
import showcase from './support/domains/showcase.js'

const drill = join(dirname(fileURLToPath(import.meta.url)), '..', 'scripts', 'drill', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'tidewheel-drill-test-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface DrillJson {
  commands: number
  acknowledged: number
  events: number
  lost: number
  duplicated: number
  digestMatches: boolean
  commandsPerSecond: number
  latencyUs: { p50: number; p99: number; p999: number }
  recovery: { events: number; seconds: number }
}

function lastLine(output: string): DrillJson {
  return JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as DrillJson
}

describe('drill', () => {
  it('generated flow: nothing lost, nothing twice (killed half-way)', () => {
    const args = [drill, '--seconds', '2', '--rate', '20000', '--json']
    const output = execFileSync(process.execPath, args, { encoding: 'utf8' })
    const result = lastLine(output)
    expect(result).toMatchObject({ lost: 0, duplicated: 0, digestMatches: true })
    expect(result.acknowledged).toBeGreaterThan(1000)
    expect(result.recovery.events).toBeGreaterThan(0)
    expect(result.commands).toBe(result.acknowledged)
  })

  it('recorded flow: runs to its end, broken lines are named and passed over', () => {
    const feed = join(folder, 'feed.log')
    const order = (id: number) =>
      `143043840${id % 10} order_created {"price": "236.47", "amount": "2.00000000", "datetime": "1", "id": ${id}, "order_type": ${id % 2}}`
    const lines = Array.from({ length: 4000 }, (_, i) => order(i + 1))
    lines.splice(2000, 0, 'not a line of a feed')
    writeFileSync(feed, `${lines.join('\n')}\n`)
    const args = [drill, '--feed', feed, '--format', 'bitstamp', '--seconds', '2', '--json']
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(stderr).toContain(`${feed}:2001:`)
    expect(lastLine(stdout)).toMatchObject({ commands: 4000, lost: 0, duplicated: 0 })
    expect(status).toBe(0)
  })

  it('arguments: each wrong one is named, exit code 2', () => {
    const wrong = [
      ['--feed', 'x'],
      ['--rate', '-1'],
      ['--seconds', '1'],
      ['--nonsense'],
      ['--repeat', '2'],
    ]
    for (const args of wrong) {
      expect(typeof readDrillArguments(args)).toBe('string')
      expect(spawnSync(process.execPath, [drill, ...args]).status).toBe(2)
    }
  })

  it('feed: a file that is missing is an error with its name', () => {
    const args = [drill, '--feed', join(folder, 'none.gz'), '--format', 'bitstamp']
    const { stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain('none.gz')
  })
})

describe('full disk', () => {
  it.each([
    ['in the middle of a segment', 1_000_000, 1_000_000 + 64 * 1024],
    ['near the end of a segment', 2_060_000, 2_093_056],
    ['behind a full segment', 2_097_152, 2_093_056],
  ])('limit: every load comes to it (%s)', (_where, endBytes, limitBytes) => {
    expect(fillLimitOf(endBytes, 2 * 1024 * 1024)).toBe(limitBytes)
  })
})

describe('acknowledgements', () => {
  it('channel: what was written is recorded, in whatever pieces it arrives', () => {
    const file = join(folder, 'acknowledgements')
    const fd = openSync(file, 'w')
    const writer = new AcknowledgementWriter(fd)
    for (let command = 1; command <= 20_000; command++) {
      writer.add(command, command % 3 !== 0, Math.floor(command / 2))
      if (command % 777 === 0) writer.flush()
    }
    writer.flush()
    closeSync(fd)
    const bytes = readFileSync(file)
    const log = new AcknowledgementLog()
    for (let i = 0; i < bytes.length; i += 1013) log.receive(bytes.subarray(i, i + 1013))
    expect(log.count).toBe(20_000)
    for (let command = 1; command <= 20_000; command++) {
      expect(log.sequenceOf(command)).toBe(Math.floor(command / 2))
      expect(log.wasAccepted(command)).toBe(command % 3 !== 0)
    }
  })
})

/** Answers to commands 1, 2, 3 …: whether accepted, and the sequence. */
function recorded(answers: [boolean, number][]): AcknowledgementLog {
  const fd = openSync(join(folder, 'answers'), 'w')
  const writer = new AcknowledgementWriter(fd)
  for (const [i, [accepted, sequence]] of answers.entries()) {
    writer.add(i + 1, accepted, sequence)
  }
  writer.flush()
  closeSync(fd)
  const log = new AcknowledgementLog()
  log.receive(readFileSync(join(folder, 'answers')))
  return log
}

describe('audit', () => {
  it('journal: sees what is lost, changed or applied twice', async () => {
    const directory = join(folder, 'audited')
    const engine = await Engine.open(directory, exchange, { segmentBytes: 2 * 1024 * 1024 })
    const place = { book: 'B', side: 'buy', price: 5, quantity: 1 } as const
    const timeInForce = 'goodTillCancelled'
    for (let order = 1; order <= 3; order++) {
      await engine.execute(PlaceLimit, { ...place, order, timeInForce }, { key: `c${order}` })
    }
    await engine.execute(CancelOrder, { book: 'B', order: 99 }, { key: 'c4' })
    await engine.close()
    const right: [boolean, number][] = [
      [true, 1],
      [true, 2],
      [true, 3],
      [false, 3],
    ]
    const audit = (answers: [boolean, number][]) => auditJournal(directory, recorded(answers))
    expect(await audit(right)).toMatchObject({ commands: 4, events: 3, lost: 0, duplicated: 0 })
    expect(await audit([...right, [true, 4]])).toMatchObject({ lost: 1 })
    expect(
      await audit([
        [true, 1],
        [true, 3],
        [true, 3],
        [false, 3],
      ]),
    ).toMatchObject({ lost: 1 })
    expect(
      await audit([
        [true, 1],
        [true, 2],
        [true, 3],
        [true, 3],
      ]),
    ).toMatchObject({ lost: 1 })
  })

  it('journal: sees a command that was applied twice', async () => {
    const directory = join(folder, 'doubled')
    const engine = await Engine.open(directory, exchange, { keyCountMax: 1 })
    const acknowledgements = recorded([
      [true, 1],
      [true, 2],
    ])
    for (const [i, key] of ['c1', 'c2', 'c1'].entries()) {
      const order = { book: 'B', side: 'buy', price: 5, quantity: 1, order: i + 1 } as const
      await engine.execute(PlaceLimit, { ...order, timeInForce: 'goodTillCancelled' }, { key })
    }
    await engine.close()
    expect(await auditJournal(directory, acknowledgements)).toMatchObject({
      commands: 3,
      lost: 0,
      duplicated: 1,
    })
  })
})

describe('latency histogram', () => {
  it('percentile: within 1.6 % above the naive one', () => {
    const seed = 7
    const random = createRandom(Uint32Array.of(seed))
    const histogram = new LatencyHistogram()
    const values: number[] = []
    for (let i = 0; i < 20_000; i++) values.push(Math.floor(2 ** (random() * 31)))
    values.push(0, 127, 128, 255, 256, 2 ** 31 - 1)
    for (const value of values) histogram.record(value)
    const counted = histogram.take()
    expect(histogram.percentile(50)).toBe(0)
    histogram.add(counted)
    values.sort((a, b) => a - b)
    for (const percent of [1, 5, 10, 50, 90, 99, 99.9, 100]) {
      const naive = values[Math.ceil((values.length * percent) / 100) - 1]!
      const got = histogram.percentile(percent)
      expect(got, `seed ${seed}, ${percent} %`).toBeGreaterThanOrEqual(naive)
      expect(got, `seed ${seed}, ${percent} %`).toBeLessThanOrEqual(naive * 1.016 + 1)
    }
  })

  it('percentile: exact below 128 µs', () => {
    const histogram = new LatencyHistogram()
    for (let us = 0; us < 128; us++) histogram.record(us)
    expect(histogram.percentile(100)).toBe(127)
    expect(histogram.percentile(50)).toBe(63)
  })
})

describe('random commands', () => {
  it.each([exchange, payments, showcase])('%#: every value fits its command', async (domain) => {
    const engine = await Engine.open(join(folder, 'unused'), domain, { durability: 'none' })
    const random = createRandom(Uint32Array.of(1, 2, 3, 4))
    const again = createRandom(Uint32Array.of(1, 2, 3, 4))
    const seen = new Set<string>()
    for (let i = 0; i < 5000; i++) {
      const { command, value } = randomCommand(domain, random)
      expect(randomCommand(domain, again)).toEqual({ command, value })
      seen.add(command.name)
      while (engine.submit(command, value) === 0) await engine.room()
    }
    await engine.synced()
    await engine.close()
    expect(seen.size).toBe(domain.commands.length)
  })
})
