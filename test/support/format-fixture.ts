/**
 * A journal of each version of the format, kept for ever as one JSON file, so that later code can
 * show that it still opens it: files compressed and in base64, and what reading them gives.
 *
 *   node dist/test/support/format-fixture.js     makes that of the format that is written now
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import { FORMAT_VERSION } from '../../journal/block-layout.js'
import { projectRoot } from '../../scripts/measurements.js'
import { linesOf, runCli } from './cli.js'
import { growTo, openSaved, runAny } from './saved-journal.js'
import { seededRandom } from './seeded-random.js'

export interface FormatFixture {
  readonly events: number
  /** Of what `tidewheel read` prints: independent of how a digest is made. */
  readonly linesSha256: string
  readonly files: Readonly<Record<string, string>>
}

export function fixturePath(version: number): string {
  return join(projectRoot, 'test', 'fixtures', `format-${version}.json`)
}

export function readFixture(version: number): FormatFixture {
  return JSON.parse(readFileSync(fixturePath(version), 'utf8')) as FormatFixture
}

export function restoreFixture({ files }: FormatFixture, directory: string): void {
  mkdirSync(directory)
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), brotliDecompressSync(Buffer.from(text, 'base64')))
  }
}

export async function linesHash(directory: string): Promise<{ events: number; sha256: string }> {
  const { stdout } = await runCli(['read', directory])
  const sha256 = createHash('sha256').update(stdout).digest('hex')
  return { events: linesOf(stdout).length, sha256 }
}

async function makeFixture(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tidewheel-fixture-'))
  const directory = join(folder, 'journal')
  const engine = await openSaved(directory)
  const random = seededRandom(1)
  await growTo(engine, 2, 1)
  await engine.snapshot()
  for (let i = 0; i < 30; i++) await runAny(engine, random)
  await engine.close()
  const { events, sha256 } = await linesHash(directory)
  const files = Object.fromEntries(
    readdirSync(directory)
      .filter((name) => name !== 'lock')
      .map((name) => [
        name,
        brotliCompressSync(readFileSync(join(directory, name))).toString('base64'),
      ]),
  )
  const fixture: FormatFixture = { events, linesSha256: sha256, files }
  writeFileSync(fixturePath(FORMAT_VERSION), `${JSON.stringify(fixture, null, 2)}\n`)
  rmSync(folder, { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (existsSync(fixturePath(FORMAT_VERSION))) {
    throw new Error(`${fixturePath(FORMAT_VERSION)} is there; it is never made anew`)
  }
  await makeFixture()
}
