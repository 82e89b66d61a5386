import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { figuresPage, withFigures } from '../scripts/figures.js'
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
})
