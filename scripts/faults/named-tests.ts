/** Runs the tests that the matrix names, and counts how each has ended. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from '../measurements.js'
import { FAULT_ROWS, type TestReference } from './matrix.js'
import type { TestCount } from './records.js'

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[]
  }[]
}

/** Each test once, in the order of the matrix. */
export function namedTests(): TestReference[] {
  const seen = new Map<string, TestReference>()
  for (const { tests } of FAULT_ROWS) {
    for (const each of tests) seen.set(`${each.file} ${each.name}`, each)
  }
  return [...seen.values()]
}

/** @param wanted files; none: all */
export function runNamedTests(wanted: readonly string[]): TestCount[] {
  const references = namedTests().filter(({ file }) => wanted.length === 0 || wanted.includes(file))
  const folder = mkdtempSync(join(tmpdir(), 'tidewheel-named-'))
  const output = join(folder, 'report.json')
  const files = [...new Set(references.map(({ file }) => compiled(file)))]
  const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs')
  // On a busy machine it is to be slow rather than to fail.
  const patience = ['--testTimeout=600000', '--hookTimeout=600000']
  const words = [
    'run',
    ...patience,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${output}`,
  ]
  spawnSync(process.execPath, [vitest, ...words, ...files], { cwd: projectRoot, stdio: 'inherit' })
  const report = JSON.parse(readFileSync(output, 'utf8')) as VitestReport
  rmSync(folder, { recursive: true })
  return references.map((reference) => count(reference, report))
}

function compiled(file: string): string {
  return join('dist', file.replace(/\.ts$/, '.js'))
}

function count({ file, name }: TestReference, { testResults }: VitestReport): TestCount {
  const ending = `/${compiled(file).replaceAll('\\', '/')}`
  const pattern = patternOf(name)
  const statuses = testResults
    .filter((result) => result.name.replaceAll('\\', '/').endsWith(ending))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ title }) => pattern.test(title))
    .map(({ status }) => status)
  const of = (...wanted: string[]) => statuses.filter((status) => wanted.includes(status)).length
  return {
    file,
    name,
    date: new Date().toISOString(),
    node: process.version,
    passed: of('passed'),
    failed: of('failed'),
    skipped: of('skipped', 'pending', 'todo', 'disabled'),
  }
}

/** Matches the titles that vitest makes of the name, with any values in it. */
export function patternOf(name: string): RegExp {
  const parts = name
    .split(/%[a-z]|\$\w+/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[\\s\\S]*')}`)
}
