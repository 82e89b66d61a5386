/** `npm run bench`: runs benchmarks and prints a row for each figure. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.js'
import { environmentOf } from './environment.js'
import { microBenchmark } from './micro.js'
import { transferBenchmark } from './transfer.js'

const BENCHMARKS: readonly Benchmark[] = [transferBenchmark, microBenchmark]

const USAGE = `npm run bench -- [names] [options]

  names          ${BENCHMARKS.map(({ name }) => name).join(', ')} (default: all)
  --quick        a few minutes at most (the default)
  --full         the sizes that are published; takes many minutes
  --smoke        proves that everything works, measures nothing
  --data DIR     where journals are written (default: a temporary directory)
  --json FILE    all rows as JSON
  --seed N       of the workloads (default 1)
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
    help: { type: 'boolean' },
  },
})

async function main(): Promise<void> {
  if (values.help === true) return void process.stdout.write(USAGE)
  const chosen = positionals.length === 0 ? BENCHMARKS : positionals.map(find)
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
  const rows: Row[] = []
  try {
    for (const benchmark of chosen) {
      console.log(`\n${benchmark.name} (${size})`)
      for (const row of await benchmark.run(options)) {
        rows.push({ ...row, config: { ...row.config, size, ...environment } })
        printRow(row)
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
}

function find(name: string): Benchmark {
  const found = BENCHMARKS.find((benchmark) => benchmark.name === name)
  if (found !== undefined) return found
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
