import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFileStorage } from '../../journal/file-storage.js'
import { forms } from '../support/archived-journal.js'
import { runCli } from '../support/cli.js'
import { readFolder } from '../support/journal-files.js'
import { growTo, openSaved } from '../support/saved-journal.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-archive-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const journal = join(root, 'journal')

beforeAll(async () => {
  const engine = await openSaved(journal)
  await growTo(engine, 3, 4)
  await engine.close()
})

describe('tidewheel archive', () => {
  it('archive: compresses the full segments, and says how much', async () => {
    const path = join(root, 'copy')
    cpSync(journal, path, { recursive: true })
    const events = (await runCli(['read', path])).stdout
    const first = await runCli(['archive', path, '--before', '2'])
    expect(first).toMatchObject({ code: 0, stderr: '', stdout: `${path}: no segment to archive\n` })
    const { code, stdout } = await runCli(['archive', path])
    expect(code).toBe(0)
    expect(stdout).toMatch(/: 2 segments archived: 2\.0 MiB before, [\d.]+ KiB now\n$/)
    expect(forms(openFileStorage(path))).toMatch(/^1a 2a 3/)
    expect((await runCli(['read', path])).stdout).toBe(events)
    expect((await runCli(['verify', path])).code).toBe(0)
    expect((await runCli(['info', path])).stdout).toMatch(/number +size +used +archived +index/)
  })

  it('archive: leaves a journal alone that an engine has open, and what is none', async () => {
    const engine = await openSaved(journal)
    const locked = await runCli(['archive', journal])
    expect(locked).toMatchObject({ code: 1, stdout: '' })
    expect(locked.stderr).toMatch(/ENGINE_LOCKED/)
    expect(forms(openFileStorage(journal))).toMatch(/^1 2 3/)
    await engine.close()
    const empty = join(root, 'empty')
    mkdirSync(empty)
    const none = await runCli(['archive', empty])
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(none.stderr).toMatch(/NOT_A_JOURNAL/)
    expect([...readFolder(empty).keys()]).toEqual([])
    expect(await runCli(['archive', journal, '--before', '0'])).toMatchObject({ code: 2 })
  })
})
