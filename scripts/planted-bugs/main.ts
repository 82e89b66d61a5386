/**
 * `npm run planted-bugs`: tests the tests. In a temporary copy of the compiled code it makes each
 * mistake of planted-bugs.ts in turn, runs the named test, and expects it to fail. Before that, all
 * named tests have to pass without any.
 *
 *   dist ─▶ copy ─▶ one text replaced ─▶ the named test ─▶ failed? good : the suite has a hole
 *
 * Words choose among them by name; `--record` keeps the counts of all for docs/faults.md.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PLANTED_BUGS_RECORD } from '../faults/records.js'
import { recordSuite } from '../soak/suite-result.js'
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.js'

/** Of the project; this file runs from dist/scripts/planted-bugs. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** So that a bug which one seed in a few meets is met each time. */
const SEED = '1'
const EXIT_WRONG = 1

/** How a test ended: failed by its assertions, passed, or not at all. */
type Verdict = 'failed' | 'passed' | 'broken'

function main(): number {
  const startedMs = performance.now()
  const words = process.argv.slice(2)
  const isRecorded = words.includes('--record')
  const wanted = words.filter((word) => word !== '--record').join(' ')
  const bugs = PLANTED_BUGS.filter(({ name }) => name.includes(wanted))
  const lost = bugs.filter((bug) => countOf(bug) !== 1)
  for (const bug of lost) {
    console.error(`${bug.name}: its text is ${countOf(bug)} times in ${bug.file}, not once`)
  }
  if (lost.length > 0) return EXIT_WRONG
  const copy = makeCopy()
  try {
    const tests = [...new Set(bugs.map(({ test }) => test))]
    const sick = tests.filter((test) => run(copy, test) !== 'passed')
    if (sick.length > 0) {
      console.error(`without any planted bug these do not pass: ${sick.join(', ')}`)
      return EXIT_WRONG
    }
    const missed = bugs.filter((bug) => !isCaught(copy, bug))
    const caught = bugs.length - missed.length
    console.log(`${caught} of ${bugs.length} planted bugs are caught`)
    if (isRecorded) {
      const minutes = Math.round((performance.now() - startedMs) / 600) / 100
      const counts = { planted: bugs.length, caught, 'tests that catch them': tests.length }
      recordSuite(PLANTED_BUGS_RECORD, minutes, { isRight: missed.length === 0, counts })
    }
    return missed.length === 0 ? 0 : EXIT_WRONG
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function isCaught(copy: string, bug: PlantedBug): boolean {
  const path = join(copy, 'dist', bug.file)
  const right = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    right.replace(bug.search, () => bug.replace),
  )
  const verdict = run(copy, bug.test)
  writeFileSync(path, right)
  const sentence = verdict === 'failed' ? 'caught' : `NOT CAUGHT (the test ${verdict})`
  console.log(`${bug.name}: ${sentence} by ${bug.test}`)
  return verdict === 'failed'
}

function countOf({ file, search }: PlantedBug): number {
  return readFileSync(join(ROOT, 'dist', file), 'utf8').split(search).length - 1
}

function makeCopy(): string {
  const copy = mkdtempSync(join(tmpdir(), 'tidewheel-planted-'))
  cpSync(join(ROOT, 'dist'), join(copy, 'dist'), { recursive: true })
  for (const name of ['package.json', 'vitest.config.js'])
    cpSync(join(ROOT, name), join(copy, name))
  symlinkSync(resolve(ROOT, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

function run(copy: string, test: string): Verdict {
  const report = join(copy, 'report.json')
  rmSync(report, { force: true })
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  spawnSync(
    process.execPath,
    [vitest, 'run', `dist/${test}`, '--reporter=json', `--outputFile=${report}`],
    { cwd: copy, stdio: 'ignore', env: { ...process.env, SIMULATION_SEED: SEED, CI: '' } },
  )
  let counts: { numFailedTests: number; numPassedTests: number }
  try {
    counts = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return 'broken'
  }
  if (counts.numFailedTests > 0) return 'failed'
  return counts.numPassedTests > 0 ? 'passed' : 'broken'
}

process.exitCode = main()
