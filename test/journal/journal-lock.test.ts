import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

  it('lock: is taken whatever the file says (stale, empty, long)', () => {
    for (const content of ['', '1', `${process.pid}\n`, 'x'.repeat(10_000)]) {
      writeFileSync(join(path, 'lock'), content)
      acquireJournalLock(path).release()
      expect(readFileSync(join(path, 'lock'), 'utf8')).toBe(`${process.pid}\n`)
    }
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
