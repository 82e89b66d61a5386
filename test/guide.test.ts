import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, it } from 'vitest'
import { SIMPLE_TYPES } from '../journal/schema/field-types.js'
import { codeBlocksOf, Newcomer, nameOf, root } from './support/newcomer.js'

const guide = readFileSync(join(root, 'docs', 'guide.md'), 'utf8')

const codeBlocks = codeBlocksOf(guide)
const codeByName = new Map(codeBlocks.map((code) => [nameOf(code) ?? 'unnamed', code]))
const newcomer = new Newcomer(codeByName)

/** What a program says that it prints, a line each: `// → 1 true`. */
function printedBy(name: string): string[] {
  const code = codeByName.get(name) ?? ''
  return [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line = '']) => line)
}

function run(args: readonly string[]): string {
  return execFileSync(process.execPath, args, { cwd: newcomer.folder, encoding: 'utf8' })
}

/** Names in a union of texts, such as `type ErrorCode = 'A' | 'B'`. */
function unionOf(file: string, name: string): string[] {
  const source = readFileSync(join(root, file), 'utf8')
  const [, body = ''] = new RegExp(`type ${name} =([\\s\\S]*?)\\n\\n`).exec(source) ?? []
  return [...body.matchAll(/\| '(\w+)'/g)].map(([, member = '']) => member)
}

afterAll(() => newcomer.remove())

describe('guide', () => {
  it('samples: each names its file, no two the same', () => {
    expect(codeByName.has('unnamed')).toBe(false)
    expect(codeByName.size).toBe(codeBlocks.length)
  })

  it('samples: type-check as a user would compile them', () => {
    expect(newcomer.typeErrors()).toEqual([])
  })

  // In the order of the page: each goes on with the journal that the one before has left.
  it.each(['commands.ts', 'producer.ts', 'thread.ts', 'reading.ts', 'noting.ts'])(
    'samples: %s prints what it says',
    (name) => {
      expect(printedBy(name)).not.toEqual([])
      expect(
        run([name.replace('.ts', '.js')])
          .trimEnd()
          .split('\n'),
      ).toEqual(printedBy(name))
    },
  )

  it('samples: service.ts ends in order when it is interrupted', async () => {
    const child = spawn(process.execPath, ['service.js'], {
      cwd: newcomer.folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (line === 'running') child.kill('SIGINT')
    })
    const [code] = await once(child, 'close')
    expect({ code, lines }).toEqual({ code: 0, lines: printedBy('service.ts') })
  })

  it('command line: every command succeeds on the journal of the samples', () => {
    const cli = join(root, 'dist', 'engine', 'cli', 'main.js')
    const commands = [...guide.matchAll(/^npx tidewheel (.*)$/gm)].map(([, line = '']) => line)
    expect(commands.length).toBeGreaterThan(3)
    const outputs = commands.map((line) => run([cli, ...line.split(' ')]))
    expect(outputs[0]?.trimEnd().split('\n')).toHaveLength(3)
    for (const output of outputs) expect(output).not.toBe('')
  })

  it.each([
    ['error code', unionOf('journal/errors.ts', 'ErrorCode')],
    ['rejection code', unionOf('engine/receipt.ts', 'EngineRejection')],
    ['field type', [...SIMPLE_TYPES.keys()]],
    ['option', optionNames()],
  ])('tables: have every %s', (_, names) => {
    expect(names.length).toBeGreaterThan(5)
    const described = [...guide.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = '']) => cell)
    for (const name of names) {
      expect(described.some((cell) => cell.includes(`\`${name}\``)) && name).toBe(name)
    }
  })
})

function optionNames(): string[] {
  const source = readFileSync(join(root, 'engine', 'engine-options.ts'), 'utf8')
  const [, body = ''] = /interface EngineOptions \{([\s\S]*?)\n\}/.exec(source) ?? []
  return [...body.matchAll(/readonly (\w+)\?:/g)].map(([, name = '']) => name)
}
