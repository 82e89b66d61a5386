import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { duration } from '../../engine/cli/human.js'
import { infoCommand } from '../../engine/cli/info-command.js'
import { LineOutput } from '../../engine/cli/line-output.js'
import { type ReplayOptions, verifyCommand } from '../../engine/cli/verify-command.js'
import { checkReplay } from '../../engine/replay-check.js'
import { SLOT_FIELDS } from '../../engine/slab-layout.js'
import {
  SLAB_CHUNK,
  SNAPSHOT_BLOCK_HASH,
  SNAPSHOT_BLOCK_NUMBER,
  SNAPSHOT_FILE_OFFSET,
  SNAPSHOT_FINGERPRINT,
  SNAPSHOT_JOURNAL_ID,
} from '../../journal/snapshot-layout.js'
import { verifyJournal } from '../../journal/verify.js'
import { fingerprint, linesOf, runCli } from '../support/cli.js'
import saved, { Small } from '../support/domains/saved.js'
import { readFolder, writeFolder } from '../support/journal-files.js'
import { growTo, openSaved } from '../support/saved-journal.js'
import { chunkPayloadAt, signSnapshot } from '../support/snapshot-bytes.js'

const SAVED = fileURLToPath(new URL('../support/domains/saved.js', import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'tidewheel-cli-snapshots-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const original = join(root, 'original')
let digest = ''
let older = ''
let newer = ''
let folders = 0

beforeAll(async () => {
  const engine = await openSaved(original)
  await growTo(engine, 2, 5)
  older = (await engine.snapshot()) ?? ''
  await growTo(engine, 3, 6)
  newer = (await engine.snapshot()) ?? ''
  digest = await engine.digest()
  await engine.close()
})

/** The journal again, with files that `change` was given by name. */
function copy(change: (files: Map<string, Uint8Array>) => void = () => undefined): string {
  const path = join(root, String(++folders))
  const files = readFolder(original)
  change(files)
  writeFolder(path, files)
  return path
}

function flip(bytes: Uint8Array | undefined, at: number, bit = 1): void {
  if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ bit
}

/** What a command prints, without the second that a process takes. */
async function printed(
  run: (output: LineOutput) => Promise<number>,
): Promise<{ code: number; stdout: string }> {
  const stream = new PassThrough()
  const code = await run(new LineOutput(stream))
  return { code, stdout: String(stream.read() ?? '') }
}

const info = (path: string, json = false) => printed((output) => infoCommand(path, json, output))
const verify = (path: string, json = false, replay?: ReplayOptions) =>
  printed((output) => verifyCommand(path, json, { threads: 1 }, replay, output))
const replayed = { domain: SAVED, expect: undefined }

describe('snapshots in the tools', () => {
  it('info: lists them, newest first, with state and age, and says which is damaged', async () => {
    const path = copy((files) => flip(files.get(older), 500))
    const before = fingerprint(path)
    const { code, stdout } = await info(path)
    expect(code).toBe(0)
    const [, table = ''] = stdout.split('Snapshots\n')
    const [head, first, second] = linesOf(table)
    expect(head).toMatch(/up to event +size +state of/)
    expect(first).toMatch(/^ +\d+ +[\d.]+ KiB +20\S+Z +\d+ seconds? ago +good$/)
    expect(second).toMatch(
      /^ +\d+ +[\d.]+ KiB +- +- +not used: a chunk does not match its checksum$/,
    )
    const json = JSON.parse((await info(path, true)).stdout)
    expect(json.snapshots).toMatchObject([
      { file: newer, sequence: Number.parseInt(newer, 10), problem: '' },
      { file: older, time: 0, problem: 'a chunk does not match its checksum' },
    ])
    expect(fingerprint(path)).toEqual(before)
  })

  it('verify: all are good, and their state is what the journal gives', async () => {
    const path = copy()
    const before = fingerprint(path)
    const plain = await verify(path)
    expect(plain.code).toBe(0)
    const last = Number.parseInt(newer, 10).toLocaleString('en-US')
    expect(plain.stdout).toMatch(new RegExp(`^ {2}snapshots +2, up to event ${last}$`, 'm'))
    const whole = await runCli(['verify', path, '--replay', '--domain', SAVED, '--expect', digest])
    expect(whole).toMatchObject({ code: 0, stderr: '' })
    expect(whole.stdout).toMatch(/; the state in 2 is the journal's$/m)
    expect(linesOf(whole.stdout).at(-1)).toBe('OK: nothing is wrong.')
    expect(fingerprint(path)).toEqual(before)
  })

  it('verify: a damaged, foreign or renamed one is a warning that names it, exit code 0', async () => {
    const other = readFolder(copy()).get(older) ?? new Uint8Array(0)
    flip(other, SNAPSHOT_JOURNAL_ID)
    signSnapshot(other)
    const path = copy((files) => {
      flip(files.get(newer), 200)
      files.set('0000000000000007.snapshot', files.get(older) ?? new Uint8Array(0))
      files.set('0000000000000003.snapshot', new Uint8Array(5))
      files.set(older, other)
    })
    const before = fingerprint(path)
    const { code, stdout } = await verify(path)
    expect(code).toBe(0)
    const warnings = linesOf(stdout).filter((line) => line.includes('SNAPSHOT_WRONG'))
    expect(warnings).toEqual([
      expect.stringMatching(`^${newer}, offset \\d+: .*does not match its checksum.* a cache`),
      expect.stringMatching(`^${older}, offset 0: .*it belongs to another journal`),
      expect.stringMatching(/^0000000000000007\.snapshot, offset 0: .*renamed/),
      expect.stringMatching(/^0000000000000003\.snapshot, offset 0: .*ends within its header/),
    ])
    expect(linesOf(stdout).at(-1)).toBe('OK: nothing is wrong with the journal.')
    const json = JSON.parse((await verify(path, true)).stdout)
    expect(json).toMatchObject({ ok: true, snapshots: [] })
    expect(fingerprint(path)).toEqual(before)
  })

  it('verify: one of another history is a warning (hash, sequence, place)', async () => {
    for (const [at, bit] of [
      [SNAPSHOT_BLOCK_HASH, 1],
      [SNAPSHOT_BLOCK_NUMBER, 1],
      [SNAPSHOT_FILE_OFFSET + 1, 16],
    ] as const) {
      const path = copy((files) => {
        const bytes = files.get(newer) ?? new Uint8Array(0)
        flip(bytes, at, bit)
        signSnapshot(bytes)
      })
      const { ok, warnings, snapshots } = await verifyJournal(path, { threads: 1 })
      const sentence = expect.stringMatching(/which it ends with, is another one/)
      expect(warnings, `byte ${at}`).toMatchObject([{ file: newer, message: sentence }])
      expect([ok, snapshots.length]).toEqual([true, 1])
    }
  })

  it('verify: a journal that ends before one is a problem, exit code 1', async () => {
    const path = copy((files) => {
      for (const [name, bytes] of files) {
        if (name.endsWith('.segment') && name !== '0000000001.segment') bytes.fill(0, 8192)
      }
    })
    const { code, stdout } = await verify(path)
    expect(code).toBe(1)
    expect(stdout).toMatch(
      new RegExp(`^${newer}, offset 0: SNAPSHOT_BEYOND: .*newer ones are missing`, 'm'),
    )
    expect(stdout).not.toContain(`${older}, offset`)
    expect(linesOf(stdout).at(-1)).toBe('FAILED: 1 problem.')
  })

  it('verify: finds nothing wrong beside an engine that makes snapshots', async () => {
    const path = join(root, 'live')
    const engine = await openSaved(path, { snapshot: { everyBytes: 1e15, keep: 1 } })
    await growTo(engine, 2, 1)
    for (let segment = 3; segment <= 5; segment++) {
      const growing = growTo(engine, segment, segment).then(() => engine.snapshot())
      const { problems, warnings } = await verifyJournal(path, { threads: 1 })
      await growing
      expect([...problems, ...warnings]).toEqual([])
    }
    await engine.close()
  })

  it('verify --replay: a snapshot with another state fails, and the aggregate is named', async () => {
    for (const file of [older, newer]) {
      const path = copy((files) => {
        const bytes = files.get(file) ?? new Uint8Array(0)
        const at = chunkPayloadAt(bytes, SLAB_CHUNK, Small.index) + SLOT_FIELDS
        flip(bytes, at)
        signSnapshot(bytes)
      })
      const run = await verify(path, false, replayed)
      expect(run.code).toBe(1)
      const sentence = `^REPLAY: the journal and ${file} differ, first at Small \\d+: .*"count"`
      expect(run.stdout).toMatch(new RegExp(sentence, 'm'))
    }
  })

  it('verify --replay: one that other code has made is told, and is no problem', async () => {
    const path = copy((files) => {
      const bytes = files.get(older) ?? new Uint8Array(0)
      flip(bytes, SNAPSHOT_FINGERPRINT)
      signSnapshot(bytes)
    })
    const { snapshots } = await verifyJournal(path, { threads: 1 })
    const check = await checkReplay(path, saved, snapshots)
    expect(check).toMatchObject({ digest, difference: undefined, snapshots: [newer] })
    expect(check.skipped).toEqual([
      expect.stringMatching(`^${older} is not compared: other fields`),
    ])
  })

  it('duration: the largest unit of which there are two', () => {
    const of = [0, 1, 119, 120, 7199, 7200, 172_799, 172_800].map(duration)
    expect(of).toEqual([
      '0 seconds',
      '1 second',
      '119 seconds',
      '2 minutes',
      '119 minutes',
      '2 hours',
      '47 hours',
      '2 days',
    ])
  })
})
