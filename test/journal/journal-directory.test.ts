/** Directories that are no journals: refused before a byte is written, and left as they were. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Engine, type TidewheelError } from '../../engine/index.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { refuseForeignDirectory } from '../../journal/journal-directory.js'
import { encodeSegmentHeader } from '../../journal/segment-header.js'
import { SEGMENT_BYTES_MIN } from '../../journal/segment-layout.js'
import probe from '../support/domains/probe.js'
import { sealedJournal } from '../support/journal-builder.js'
import { JOURNAL_ID, temporaryDirectory } from './writing-harness.js'

/** A directory with these files; a journal's are made by the builder. */
function directoryOf(files: Iterable<readonly [string, string | Uint8Array]>): string {
  const path = temporaryDirectory()
  for (const [name, content] of files) writeFileSync(join(path, name), content)
  return path
}

function contentOf(path: string): Map<string, string> {
  const names = readdirSync(path).sort()
  return new Map(names.map((name) => [name, readFileSync(join(path, name), 'latin1')]))
}

function journalFiles(damage: (files: Map<string, Uint8Array>) => void): Map<string, Uint8Array> {
  const { files } = sealedJournal().storage
  damage(files)
  return files
}

const PREPARING = '0000000001.segment.preparing'
const FOREIGN: [string, string, Iterable<readonly [string, string | Uint8Array]>][] = [
  ['a lock file of another program', 'NOT_A_JOURNAL', [['lock', 'precious']]],
  ['files, and a lock file', 'NOT_A_JOURNAL', Object.entries({ lock: '17\n', data: 'x' })],
  ['files, and another lock file', 'NOT_A_JOURNAL', Object.entries({ lock: 'precious', data: '' })],
  ['files', 'NOT_A_JOURNAL', [['data', 'x']]],
  ['a file that is called preparing', 'NOT_A_JOURNAL', [['tea.preparing', 'x']]],
  ['a manifest of something else', 'JOURNAL_DAMAGED', [['manifest', '{ "name": "app" }']]],
  ['a short file that has a segment name', 'NOT_A_JOURNAL', [['0000000001.segment', 'x']]],
  [
    'a long file that has a segment name',
    'JOURNAL_DAMAGED',
    [['0000000001.segment', 'x'.repeat(9000)]],
  ],
  [
    'a journal without its first segment',
    'JOURNAL_DAMAGED',
    journalFiles((files) => files.delete('0000000001.segment')),
  ],
  [
    'a journal that is damaged in the middle',
    'JOURNAL_DAMAGED',
    journalFiles((files) => files.get('0000000001.segment')?.fill(1, 8192 + 100, 8192 + 200)),
  ],
]

describe('journal directory', () => {
  it.each(FOREIGN)(
    'journal directory: an engine leaves it as it was (%s)',
    async (_, code, files) => {
      const path = directoryOf(files)
      const before = contentOf(path)
      expect(await outcomeOf(path)).toBe(code)
      expect(contentOf(path)).toEqual(before)
    },
  )

  it.each([
    ['nothing', []],
    ['a lock file', [['lock', '17\n']]],
    ['a lock file that lost its bytes', [['lock', '\0\0\0']]],
    [
      'what an interrupted creation left',
      [
        ['lock', '17\n'],
        [PREPARING, 'x'],
      ],
    ],
    [
      'a first segment that is not whole',
      [
        [
          '0000000001.segment',
          encodeSegmentHeader({
            journalId: JOURNAL_ID,
            number: 1,
            sizeBytes: SEGMENT_BYTES_MIN,
            salt: 1,
          }),
        ],
      ],
    ],
    ['a journal', sealedJournal().storage.files],
  ] as [string, Iterable<readonly [string, string | Uint8Array]>][])(
    'journal directory: one that can be opened passes, and is only read (%s)',
    (_, files) => {
      const path = directoryOf(files)
      const before = contentOf(path)
      refuseForeignDirectory(openFileStorage(path))
      expect(contentOf(path)).toEqual(before)
    },
  )

  it.each(['lock', 'manifest', '0000000001.segment'])(
    'journal directory: a pipe is refused and not waited for (%s)',
    (name) => {
      const path = temporaryDirectory()
      expect(spawnSync('mkfifo', [join(path, name)]).status).toBe(0)
      expect(openInProcess(path)).toBe('JOURNAL_UNREADABLE')
      expect(readdirSync(path)).toEqual([name])
    },
  )

  it('journal directory: a device is refused, beside a journal that is whole', () => {
    const path = directoryOf(sealedJournal().storage.files)
    symlinkSync('/dev/zero', join(path, '0000000009.segment'))
    const before = readdirSync(path)
    expect(openInProcess(path)).toBe('JOURNAL_UNREADABLE')
    expect(readdirSync(path)).toEqual(before)
  })

  it('journal directory: a directory under the name of the lock is refused', async () => {
    const path = directoryOf(sealedJournal().storage.files)
    mkdirSync(join(path, 'lock'))
    expect(await outcomeOf(path)).toBe('JOURNAL_UNREADABLE')
  })
})

async function outcomeOf(path: string): Promise<string> {
  try {
    await (await Engine.open(path, probe)).close()
    return 'opened'
  } catch (error) {
    return (error as TidewheelError).code
  }
}

/** Code of the error, from a process that can be killed where it waits for ever. */
function openInProcess(path: string): string {
  const code = `
    const { Engine } = await import(process.argv[1])
    const { default: probe } = await import(process.argv[2])
    await Engine.open(process.argv[3], probe).then(() => console.log('opened'), (error) => console.log(error.code))
    process.exit(0)
  `
  const engine = new URL('../../engine/index.js', import.meta.url).href
  const domain = new URL('../support/domains/probe.js', import.meta.url).href
  const { stdout } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', code, engine, domain, path],
    { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' },
  )
  return stdout.trim()
}
