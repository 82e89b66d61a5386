/** What the long run of a suite came to, and the file that keeps it for docs/faults.md. */
import { writeFileSync } from 'node:fs'
import { arch, cpus, platform } from 'node:os'
import { recordPath } from '../faults/records.js'

export interface SuiteResult {
  /** Nothing was lost, and nothing behaved otherwise than it must. */
  readonly isRight: boolean
  /** What was covered, by name. */
  readonly counts: Readonly<Record<string, number>>
  /** Why nothing could be tried here. */
  readonly skipped?: string
}

/** What the last run of a suite has covered, raw. */
export interface SuiteRecord extends SuiteResult {
  readonly suite: string
  readonly minutes: number
  readonly date: string
  readonly node: string
  readonly machine: string
}

export function recordSuite(suite: string, minutes: number, result: SuiteResult): void {
  const machine = `${platform()} ${arch()}, ${cpus().length} cores`
  const date = new Date().toISOString()
  const record = { suite, minutes, date, node: process.version, machine, ...result }
  writeFileSync(recordPath(suite), `${JSON.stringify(record satisfies SuiteRecord, null, 2)}\n`)
}
