/** Where the raw counts are that docs/faults.md is made from: a file a suite, in a folder of their own. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../measurements.js'
import type { SuiteRecord } from '../soak/suite-result.js'

/** Not a suite of `npm run soak`: its own command, which tests the tests. */
export const PLANTED_BUGS_RECORD = 'planted-bugs'
export const SUITES = [
  'power',
  'simulation',
  'fuzz',
  'damage',
  'system',
  'keys',
  'drill',
  PLANTED_BUGS_RECORD,
] as const
export type SuiteName = (typeof SUITES)[number]

/** How a named test has ended, with all of its cases, in its last recorded run. */
export interface TestCount {
  readonly file: string
  readonly name: string
  readonly date: string
  readonly node: string
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface FaultRecords {
  readonly tests: readonly TestCount[]
  readonly suites: readonly SuiteRecord[]
}

export function recordPath(name: string): string {
  return join(projectRoot, 'docs', 'measurements', 'faults', `${name}.json`)
}

export function readRecords(): FaultRecords {
  return {
    tests: readRecord<readonly TestCount[]>('tests') ?? [],
    suites: SUITES.map((suite) => readRecord<SuiteRecord>(suite)).filter(
      (record) => record !== undefined,
    ),
  }
}

function readRecord<Kind>(name: string): Kind | undefined {
  const path = recordPath(name)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Kind) : undefined
}
