/**
 * `npm run faults`: writes docs/faults.md from what was recorded in docs/measurements/faults.
 *
 *   npm run faults              from the records as they are
 *   npm run faults -- --run     runs the named tests first, and records how they ended
 *
 * The records of the long suites come from `npm run soak -- --suite NAME --record`.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../measurements.js'
import { runNamedTests } from './named-tests.js'
import { faultsPage } from './page.js'
import { readRecords, recordPath } from './records.js'

const EXIT_WRONG = 1
const EXIT_USAGE = 2

function main(args: readonly string[]): number {
  if (args.some((word) => word !== '--run')) {
    console.error('npm run faults takes --run, or nothing')
    return EXIT_USAGE
  }
  if (args.includes('--run')) {
    const record = runNamedTests()
    writeFileSync(recordPath('tests'), `${JSON.stringify(record, null, 2)}\n`)
    const bad = record.tests.filter(({ passed, failed }) => failed > 0 || passed === 0)
    for (const { file, name, failed } of bad) {
      console.error(`${file}: ${name}: ${failed > 0 ? 'failed' : 'did not run'}`)
    }
    if (bad.length > 0) return EXIT_WRONG
  }
  writeFileSync(join(projectRoot, 'docs', 'faults.md'), faultsPage(readRecords()))
  return 0
}

process.exitCode = main(process.argv.slice(2))
