import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Row } from '../bench/benchmark.js'
import { figuresPage, withFigures } from '../scripts/figures.js'
import { goalResults } from '../scripts/goals.js'
import { readRows } from '../scripts/measurements.js'
import { codeBlocksOf, Newcomer, nameOf, root } from './support/newcomer.js'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The code blocks whose first line names a file. */
const codeByName = new Map(
  codeBlocksOf(readme).flatMap((code): [string, string][] => {
    const name = nameOf(code)
    return name === undefined ? [] : [[name, code]]
  }),
)
const newcomer = new Newcomer(codeByName)

afterAll(() => newcomer.remove())

describe('README', () => {
  it('example: has the two files that it speaks of', () => {
    expect([...codeByName.keys()]).toEqual(['bank.ts', 'app.ts'])
  })

  it('example: type-checks as a user would compile it', () => {
    expect(newcomer.typeErrors()).toEqual([])
  })

  it('example: runs in an empty folder, and again on the journal it left', () => {
    const run = () =>
      execFileSync(process.execPath, ['app.js'], { cwd: newcomer.folder, encoding: 'utf8' })
    const first = run()
    expect(first).toContain('4 2500 [')
    expect(first).toContain("type: 'MoneyDeposited'")
    expect(first.trimEnd().split('\n').at(-1)).toBe('4 bob 2500')
    // The keys make opening the accounts repeatable; the transfer has none, and happens again.
    expect(run().trimEnd().split('\n').at(-1)).toBe('6 bob 2500')
  })

  it('example: the bank in examples/ is the same domain', () => {
    const words = (code: string) =>
      code
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
        .replace(/import[^\n]*\n/, '')
        .replaceAll(/[\s,]+/g, '')
    const example = readFileSync(join(root, 'examples', 'bank', 'bank.ts'), 'utf8')
    expect(words(codeByName.get('bank.ts') ?? '')).toBe(words(example))
  })

  it('commands: are scripts of the package', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const [, script = ''] of readme.matchAll(/npm (?:run )?(start|test|check|bench)\b/g)) {
      expect(scripts).toHaveProperty(script)
    }
  })

  it('figures: are those of the raw rows', () => {
    expect(withFigures(readme, readRows())).toBe(readme)
    expect(readme).toContain('`transfer.throughput`')
    const page = readFileSync(join(root, 'docs', 'figures.md'), 'utf8')
    expect(figuresPage(readRows())).toBe(page)
  })

  it('goals: met, or not, at their borders; a row that is missing is said to be', () => {
    const row = (name: string, value: number, ratio?: number): Row => {
      const config = { node: 'v20.1.0' }
      return {
        name,
        unit: 'ms',
        value,
        ...(ratio === undefined ? {} : { ratio }),
        runs: [],
        config,
      }
    }
    const rows = [
      row('transfer.throughput', 6e6, 0.699),
      row('transfer.scattered', 4e6 - 1, 0.7),
      row('transfer.gc.pause', 2),
      row('transfer.gc.young', 10.5),
    ]
    const met = new Map(
      goalResults(rows).map(({ goal, ...all }) => [goal.name, [all.isValueMet, all.isRatioMet]]),
    )
    expect(met.get('transfer.throughput')).toEqual([true, false])
    expect(met.get('transfer.scattered')).toEqual([false, true])
    expect(met.get('transfer.gc.pause')).toEqual([true, undefined])
    expect(met.get('transfer.gc.young')).toEqual([false, undefined])
    expect(met.get('replay.events')).toEqual([undefined, undefined])
    expect(figuresPage(rows)).toContain('| `replay.events` | not measured | ≥ 25,000,000 |')
  })

  it('figures: what was measured with a newer Node too has a column of its own', () => {
    const row = (name: string, node: string, value: number): Row => {
      const config = { node, accounts: 1, durability: 'disk', size: 'quick' }
      return {
        name,
        unit: 'durable commands/s',
        value,
        limit: 10,
        ratio: value / 10,
        runs: [],
        config,
      }
    }
    const rows = [
      row('transfer.throughput', 'v20.1.0', 5),
      row('transfer.text', 'v20.1.0', 2),
      row('transfer.throughput', 'v24.2.0', 7),
    ]
    const text = withFigures(readme, rows)
    expect(text).toContain('| ratio | Node 24 | ratio |')
    expect(text).toContain(
      '| `transfer.throughput` | 5 durable commands/s | 10 | 0.50 | 7 | 0.70 |',
    )
    expect(text).toContain('| `transfer.text` | 2 durable commands/s | 10 | 0.20 |  |  |')
  })
})
