/**
 * `npm run faults`: writes docs/faults.md from what was recorded in docs/measurements/faults.
 *
 *   npm run faults              from the records as they are
 *   npm run faults -- --run     runs the named tests first, and records how they ended; of some
 *                               files only, where any are given (test/simulation.test.ts …)
 *
 * The records of the long suites come from `npm run soak -- --suite NAME --record`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../measurements.js'
import type { TestReference } from './matrix.js'
import { namedTests, runNamedTests } from './named-tests.js'
import { faultsPage } from './page.js'
import { readRecords, recordPath, type TestCount } from './records.js'

const EXIT_WRONG = 1
const EXIT_USAGE = 2

function main([first, ...files]: readonly string[]): number {
  if (first !== undefined && first !== '--run') {
    console.error('npm run faults takes --run and files of tests, or nothing')
    return EXIT_USAGE
  }
  const named = new Set(namedTests().map(({ file }) => file))
  const unknown = files.find((file) => !named.has(file))
  if (unknown !== undefined) {
    console.error(
      `no row of the matrix names a test in ${unknown}: give a path like ${[...named][0]}`,
    )
    return EXIT_USAGE
  }
  const isRight = first === undefined || record(files)
  writeFileSync(join(projectRoot, 'docs', 'faults.md'), faultsPage(readRecords()))
  return isRight ? 0 : EXIT_WRONG
}

/** What did not run this time stays as it was recorded, unless the matrix names it no more. */
function record(files: readonly string[]): boolean {
  const fresh = runNamedTests(files)
  const old = readRecords().tests
  const tests = namedTests().flatMap((reference) => {
    const isMeant = (each: TestCount) => isSame(each, reference)
    return fresh.find(isMeant) ?? old.find(isMeant) ?? []
  })
  writeFileSync(recordPath('tests'), `${JSON.stringify(tests, null, 2)}\n`)
  const bad = fresh.filter(({ passed, failed }) => failed > 0 || passed === 0)
  for (const { file, name, failed } of bad) {
    console.error(`${file}: ${name}: ${failed > 0 ? 'failed' : 'did not pass'}`)
  }
  return bad.length === 0
}

function isSame(a: TestReference, b: TestReference): boolean {
  return a.file === b.file && a.name === b.name
}

process.exitCode = main(process.argv.slice(2))
