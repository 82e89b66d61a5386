/** `npm run bench`: runs benchmarks and prints a row for each figure. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { BenchmarkOptions, Row } from './benchmark.js'
import { environmentOf } from './environment.js'
import { PROFILE_VARIABLE } from './round-profile.js'
import { BENCHMARKS, benchmarksOf, type ChosenBenchmark } from './suite.js'

const USAGE = `npm run bench -- [names] [options]

  names          of benchmarks, or what several begin with, such as transfer (default: all):
                 ${BENCHMARKS.map(({ name, at }) => (at === undefined ? name : `${name}, or with @ and a number of ${at}`)).join('\n                 ')}
  --quick        two minutes at most for all of them (the default)
  --full         the sizes that are published; takes hours
  --smoke        proves that everything works, measures nothing
  --data DIR     where journals are written (default: a temporary directory)
  --json FILE    all rows as JSON
  --seed N       of the workloads (default 1)
  --profile DIR  shows where the time of each round goes, and keeps the profiles there
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean' },
    quick: { type: 'boolean' },
    smoke: { type: 'boolean' },
    data: { type: 'string' },
    json: { type: 'string' },
    seed: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean' },
  },
})

async function main(): Promise<void> {
  if (values.help === true) return void process.stdout.write(USAGE)
  const chosen = positionals.length === 0 ? benchmarksOf('') : positionals.flatMap(find)
  const parent = values.data ?? tmpdir()
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(join(parent, 'tidewheel-bench-'))
  const size = values.full === true ? 'full' : values.smoke === true ? 'smoke' : 'quick'
  const options: BenchmarkOptions = { size, directory, seed: Number(values.seed ?? 1) }
  const environment = environmentOf(directory)
  console.log(
    Object.entries(environment)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  )
  // The contenders are processes of their own, which inherit it.
  if (values.profile !== undefined) process.env[PROFILE_VARIABLE] = resolve(values.profile)
  const rows: Row[] = []
  try {
    for (const { benchmark, at } of chosen) {
      const startedMs = performance.now()
      console.log(`\n${benchmark.name} (${size})`)
      for (const row of await benchmark.run(at === undefined ? options : { ...options, at })) {
        rows.push({ ...row, config: { ...row.config, size, ...environment } })
        printRow(row)
      }
      // After each, so that a failure hours later loses nothing.
      if (values.json !== undefined)
        writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
      console.log(`  in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function find(name: string): readonly ChosenBenchmark[] {
  const found = benchmarksOf(name)
  if (found.length > 0) return found
  console.error(`there is no benchmark ${name}\n\n${USAGE}`)
  process.exit(2)
}

function printRow({ name, unit, value, limit, ratio }: Row): void {
  const beside =
    limit === undefined || ratio === undefined
      ? ''
      : `   limit ${format(limit)}   ratio ${ratio.toFixed(2)}`
  console.log(`  ${name.padEnd(34)} ${format(value).padStart(14)} ${unit}${beside}`)
}

function format(value: number): string {
  const digits = value < 10 ? 3 : value < 1000 ? 1 : 0
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}

await main()
