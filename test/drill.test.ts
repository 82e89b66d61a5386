import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { Engine } from '../engine/index.js'
import exchange, { CancelOrder, PlaceLimit } from '../examples/exchange/exchange.js'
import { AcknowledgementLog, AcknowledgementWriter } from '../scripts/drill/acknowledgements.js'
import { readDrillArguments } from '../scripts/drill/drill-arguments.js'
import { auditJournal } from '../scripts/drill/journal-audit.js'

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
    const acknowledged = (answers: [boolean, number][]) => {
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
    const right: [boolean, number][] = [
      [true, 1],
      [true, 2],
      [true, 3],
      [false, 3],
    ]
    const audit = (answers: [boolean, number][]) => auditJournal(directory, acknowledged(answers))
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
})
