import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { figuresPage, withFigures } from '../scripts/figures.js'
import { readRows } from '../scripts/measurements.js'

// Compiled tests lie in dist/test.
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'tidewheel-readme-'))

/** The code blocks whose first line names a file, as written. */
function codeBlocks(): Map<string, string> {
  const blocks = new Map<string, string>()
  for (const [, code = ''] of readme.matchAll(/```ts\n([\s\S]*?)```/g)) {
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1]
    if (name !== undefined) blocks.set(name, code)
  }
  return blocks
}

/** An empty folder of a newcomer, with the package installed. */
function install(): void {
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  symlinkSync(root, join(folder, 'node_modules', 'tidewheel'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [name, code] of codeBlocks()) writeFileSync(join(folder, name), code)
}

function typeErrors(): string[] {
  const program = ts.createProgram(
    [...codeBlocks().keys()].map((name) => join(folder, name)),
    {
      strict: true,
      noImplicitReturns: true,
      exactOptionalPropertyTypes: true,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      typeRoots: [join(root, 'node_modules', '@types')],
      types: ['node'],
      skipLibCheck: true,
      noEmit: true,
    },
  )
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

function transpile(): void {
  for (const [name, code] of codeBlocks()) {
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    })
    writeFileSync(join(folder, name.replace('.ts', '.js')), outputText)
  }
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('README', () => {
  it('example: has the two files that it speaks of', () => {
    expect([...codeBlocks().keys()]).toEqual(['bank.ts', 'app.ts'])
  })

  it('example: type-checks as a user would compile it', () => {
    install()
    expect(typeErrors()).toEqual([])
  })

  it('example: runs in an empty folder, and again on the journal it left', () => {
    transpile()
    const run = () => execFileSync(process.execPath, ['app.js'], { cwd: folder, encoding: 'utf8' })
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
    expect(words(codeBlocks().get('bank.ts') ?? '')).toBe(words(example))
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
