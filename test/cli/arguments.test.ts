import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseArguments, UsageError } from '../../engine/cli/arguments.js'
import { runCli } from '../support/cli.js'

const directory = mkdtempSync(join(tmpdir(), 'tidewheel-cli-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const HEAD = `7:${'a'.repeat(64)}`

describe('arguments', () => {
  it('parseArguments: takes commands with their options', () => {
    expect(parseArguments(['read', 'd'])).toEqual({ kind: 'read', path: 'd', options: {} })
    expect(
      parseArguments([
        'read',
        '--from',
        '2',
        'd',
        '--to=9',
        '--stream',
        'A',
        '--id',
        '7',
        '--limit',
        '1',
      ]),
    ).toEqual({
      kind: 'read',
      path: 'd',
      options: { from: 2, to: 9, stream: 'A', id: '7', limit: 1 },
    })
    expect(parseArguments(['read', 'd', '--id=-x'])).toMatchObject({ options: { id: '-x' } })
    expect(parseArguments(['read', '--', '--from'])).toMatchObject({ path: '--from' })
    expect(parseArguments(['verify', 'd', '--json', '--threads', '2'])).toEqual({
      kind: 'verify',
      path: 'd',
      json: true,
      options: { threads: 2 },
      replay: undefined,
    })
    expect(parseArguments(['verify', 'd', '--replay', '--domain', 'm'])).toMatchObject({
      replay: { domain: 'm', expect: undefined },
    })
    expect(parseArguments(['drill', '--domain', 'm'])).toEqual({
      kind: 'drill',
      options: {
        domain: 'm',
        commands: undefined,
        kills: 3,
        faults: [],
        seconds: 10,
        dataDirectory: undefined,
        json: false,
        htmlFile: undefined,
      },
    })
    const head = { sequence: 7, hash: 'a'.repeat(64) }
    expect(parseArguments(['verify', 'd', '--head', HEAD])).toMatchObject({ options: { head } })
    const prove = { kind: 'prove', path: 'd', sequence: 3 }
    expect(parseArguments(['prove', 'd', '3'])).toEqual({ ...prove, head: undefined })
    expect(parseArguments(['prove', 'd', '3', '--head', HEAD])).toEqual({ ...prove, head })
    const check = { kind: 'check', file: 'f', head }
    expect(parseArguments(['prove', '--check', 'f', '--head', HEAD])).toEqual(check)
    expect(parseArguments(['drill', '--domain', 'm', '--faults', 'torn,flip'])).toMatchObject({
      options: { faults: ['flip', 'torn'] },
    })
    expect(parseArguments(['info', 'd'])).toEqual({ kind: 'info', path: 'd', json: false })
    expect(parseArguments(['--help'])).toEqual({ kind: 'help', topic: undefined })
    expect(parseArguments(['info', '-h'])).toEqual({ kind: 'help', topic: 'info' })
    const all = { kind: 'archive', path: 'd', before: Number.MAX_SAFE_INTEGER }
    expect(parseArguments(['archive', 'd'])).toEqual(all)
    expect(parseArguments(['archive', 'd', '--before', '7'])).toEqual({ ...all, before: 7 })
    expect(parseArguments(['help', 'read'])).toEqual({ kind: 'help', topic: 'read' })
    expect(parseArguments(['--version'])).toEqual({ kind: 'version' })
  })

  it.each([
    [[], 'no command'],
    [['reed', 'd'], 'the commands are read, verify, info, prove, backup, restore, archive, drill'],
    [['drill'], '--domain MODULE is missing'],
    [['drill', 'd', '--domain', 'm'], '--data'],
    [['drill', '--domain', 'm', '--kills', '0'], 'whole number from 1 to 1000'],
    [['drill', '--domain', 'm', '--faults', 'flip,fire'], 'there is no fault "fire"'],
    [['drill', '--domain', 'm', '--faults', ''], 'there is no fault ""'],
    [['drill', '--domain', 'm', '--seconds', '1.5'], 'whole number from 1'],
    [['verify', 'd', '--replay'], '--replay needs --domain'],
    [['verify', 'd', '--domain', 'm'], 'are for --replay'],
    [['verify', 'd', '--replay', '--domain', 'm', '--expect', 'x'], '64 hexadecimal'],
    [['__proto__'], 'there is no command'],
    [['--json'], 'there is no option'],
    [['read'], 'directory is missing'],
    [['read', ''], 'directory is missing'],
    [['read', 'a', 'b'], 'one directory'],
    [['read', 'a', '--json'], '--json'],
    [['read', 'a', '--from'], '--from'],
    [['read', 'a', '--from', '0'], 'whole number from 1'],
    [['read', 'a', '--from', '1e3'], 'whole number from 1'],
    [['read', 'a', '--from', '9007199254740993'], 'whole number from 1'],
    [['read', 'a', '--limit', '-3'], '--limit=-XYZ'],
    [['read', 'a', '--limit=-3'], 'whole number from 1'],
    [['read', 'a', '--from', '5', '--to', '4'], 'beyond --to 4'],
    [['verify', 'a', '--threads', '0'], 'from 1 to 256'],
    [['verify', 'a', '--threads', '257'], 'from 1 to 256'],
    [['info', 'a', '--json=yes'], '--json'],
    [['archive', 'a', '--before', '0'], 'whole number from 1'],
    [['archive'], 'directory is missing'],
    [['verify', 'a', '--head', '1:ab'], 'SEQUENCE:HASH'],
    [['verify', 'a', '--head', `1:${'A'.repeat(64)}`], 'SEQUENCE:HASH'],
    [['prove', 'a'], 'sequence of the event'],
    [['prove', 'a', '0'], 'SEQUENCE must be a whole number from 1'],
    [['prove', 'a', '1', '2'], 'too much'],
    [['prove'], 'directory is missing'],
    [['prove', '--check', 'f'], '--check needs --head'],
    [['prove', '--check', 'f', 'a', '--head', HEAD], 'too much'],
  ])('parseArguments: refuses %j', (argv, sentence) => {
    expect(() => parseArguments(argv)).toThrow(UsageError)
    expect(() => parseArguments(argv)).toThrow(sentence)
  })

  it('tidewheel: exit code 2 and one safe line for wrong arguments', async () => {
    const { code, stdout, stderr } = await runCli(['read', 'a', '--\u001b[31m'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^tidewheel: .*\\u001b\[31m.* See tidewheel read --help\n$/)
  })

  it('tidewheel: exit code 1 and the reason when there is no journal', async () => {
    const file = join(directory, 'file')
    writeFileSync(file, 'text')
    for (const command of ['read', 'verify', 'info', 'archive']) {
      for (const [path, reason] of [
        [join(directory, 'missing'), 'JOURNAL_UNREADABLE'],
        [file, 'JOURNAL_UNREADABLE'],
        [directory, 'NOT_A_JOURNAL'],
      ] as const) {
        const { code, stdout, stderr } = await runCli([command, path])
        expect([command, path, code, stdout]).toEqual([command, path, 1, ''])
        expect(stderr).toMatch(new RegExp(`^tidewheel: ${reason}: .*\n$`))
        expect(stderr).toContain(path)
      }
    }
  })

  it('tidewheel: --help and --version print and succeed', async () => {
    for (const args of [['--help'], ['read', '--help'], ['verify', '-h'], ['archive', '-h']]) {
      const { code, stdout, stderr } = await runCli(args)
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain('tidewheel')
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
    }
    const { code, stdout } = await runCli(['--version'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+.*\n$/)
  })
})
