import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { acquireJournalLock } from '../../journal/journal-lock.js'

const LOCK_MODULE = new URL('../../journal/journal-lock.js', import.meta.url).href
/** Takes the lock, says so on stdout, and stays until it is killed or its stdin ends. */
const HOLDER = `
  const { acquireJournalLock } = await import(process.argv[1])
  try {
    acquireJournalLock(process.argv[2])
    console.log('held')
    process.stdin.resume().on('end', () => process.exit(0))
  } catch (error) {
    console.log(error.code + ' ' + error.message)
  }
`

let path = ''
const children: ChildProcess[] = []

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'tidewheel-lock-'))
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  chmodSync(path, 0o755)
  rmSync(path, { recursive: true, force: true })
})

/** Takes the lock again and again; whoever has it alone can make a directory and remove it. */
const RACER = `
  const { acquireJournalLock } = await import(process.argv[1])
  const { mkdirSync, rmdirSync } = await import('node:fs')
  let held = 0
  let problem = ''
  const deadlineMs = performance.now() + 20_000
  for (let round = 0; held < 200 && problem === '' && performance.now() < deadlineMs; round++) {
    let lock
    try {
      lock = acquireJournalLock(process.argv[2])
    } catch (error) {
      if (error.code !== 'ENGINE_LOCKED') problem = error.message
      continue
    }
    held++
    try {
      mkdirSync(process.argv[2] + '/alone')
      rmdirSync(process.argv[2] + '/alone')
    } catch (error) {
      problem = error.message
    }
    if (round % 3 === 0) lock.release()
    else lock.abandon()
  }
  console.log(JSON.stringify({ held, problem }))
`

async function race(): Promise<{ held: number; problem: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', RACER, LOCK_MODULE, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [output] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return JSON.parse(output.toString()) as { held: number; problem: string }
}

async function startHolder(options: { uid?: number } = {}): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, LOCK_MODULE, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...options,
  })
  children.push(child)
  const [output] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  return [child, output.toString()]
}

describe('journal lock', () => {
  it('lock: refuses a second holder in the same process, until it is released', () => {
    const lock = acquireJournalLock(path)
    expect(() => acquireJournalLock(path)).toThrow(/ENGINE_LOCKED.*open in this process/)
    lock.release()
    lock.release()
    acquireJournalLock(path).release()
  })

  it('lock: a refused attempt takes nothing from the holder', () => {
    const lock = acquireJournalLock(path)
    for (let attempt = 0; attempt < 3; attempt++) {
      expect(() => acquireJournalLock(path)).toThrow(/ENGINE_LOCKED/)
    }
    expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(`${process.pid}\n`)
    lock.release()
  })

  it('lock: names the process that holds it', async () => {
    const [child, output] = await startHolder()
    expect(output).toBe('held\n')
    expect(() => acquireJournalLock(path)).toThrow(new RegExp(`ENGINE_LOCKED.*pid ${child.pid}`))
  })

  it('lock: keeps another process out', async () => {
    const lock = acquireJournalLock(path)
    const [, output] = await startHolder()
    expect(output).toMatch(new RegExp(`^ENGINE_LOCKED.*pid ${process.pid};`))
    lock.release()
  })

  it('lock: is free as soon as its holder is killed', async () => {
    const [child] = await startHolder()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = acquireJournalLock(path)
    expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(`${process.pid}\n`)
    lock.release()
  })

  it('lock: is taken whatever an engine left (stale, empty, cut off, zeros of a power loss)', () => {
    for (const content of ['', '\n', '1', `${process.pid}\n`, '\0\0\0\0\0', '\0'.repeat(20)]) {
      writeFileSync(join(path, 'lock'), content)
      acquireJournalLock(path).release()
      expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(`${process.pid}\n`)
    }
  })

  it.each(['precious', '12 34\n', '1\n2\n', 'x'.repeat(10_000), '1'.repeat(33)])(
    'lock: leaves a file alone that no engine wrote (%#)',
    (content) => {
      writeFileSync(join(path, 'lock'), content)
      expect(() => acquireJournalLock(path)).toThrow(/JOURNAL_UNREADABLE.*not written by an engine/)
      expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(content)
    },
  )

  it('lock: abandoned, it leaves no file that was not there', () => {
    const lock = acquireJournalLock(path)
    expect(() => acquireJournalLock(path)).toThrow(/ENGINE_LOCKED/)
    lock.abandon()
    expect(readdirSync(path)).toEqual([])
    acquireJournalLock(path).release()
    expect(readdirSync(path)).toEqual(['lock'])
    const again = acquireJournalLock(path)
    again.abandon()
    again.abandon()
    expect(readdirSync(path)).toEqual(['lock'])
  })

  it.each([true, false])(
    'lock: is not that of a file that was removed meanwhile (made again %s)',
    (isMadeAgain) => {
      const file = join(path, 'lock')
      let attempts = 0
      const lock = acquireJournalLock(path, (descriptor) => {
        if (++attempts === 1) {
          rmSync(file)
          if (isMadeAgain) writeFileSync(file, '17\n')
        }
        return tryLock(descriptor)
      })
      expect(attempts).toBe(2)
      expect(readFileSync(file, 'utf8')).toBe(`${process.pid}\n`)
      expect(() => acquireJournalLock(path)).toThrow(/ENGINE_LOCKED/)
      lock.release()
    },
  )

  it('lock: two never hold it (many processes that abandon and release it, in turn)', async () => {
    const racers = await Promise.all(Array.from({ length: 4 }, () => race()))
    expect(racers.map(({ problem }) => problem)).toEqual(['', '', '', ''])
    for (const { held } of racers) expect(held).toBeGreaterThan(0)
  })

  it('lock: says what is wrong (no directory, a file, a directory named lock)', () => {
    const wrong = /JOURNAL_UNREADABLE.*cannot be locked.*check that the directory exists/
    expect(() => acquireJournalLock(join(path, 'missing'))).toThrow(wrong)
    writeFileSync(join(path, 'file'), '')
    expect(() => acquireJournalLock(join(path, 'file'))).toThrow(wrong)
    mkdirSync(join(path, 'lock'))
    expect(() => acquireJournalLock(path)).toThrow(wrong)
  })

  it('lock: does not follow a link to another file', () => {
    const other = join(path, 'other')
    writeFileSync(other, 'precious')
    symlinkSync(other, join(path, 'lock'))
    expect(() => acquireJournalLock(path)).toThrow(/JOURNAL_UNREADABLE/)
    expect(readFileSync(other, 'utf8')).toBe('precious')
  })

  it('lock: says what is wrong (no permission to write)', async () => {
    chmodSync(path, 0o555)
    const isRoot = process.getuid?.() === 0
    const [, output] = await startHolder(isRoot ? { uid: 65534 } : {})
    expect(output).toMatch(/^JOURNAL_UNREADABLE.*EACCES.*may create and write files/)
  })
})
