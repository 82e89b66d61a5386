/** `npm run bench:peers`: installs the peers apart, measures, and prints a row for each figure. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BenchmarkOptions, Row } from '../benchmark.js'
import { environmentOf } from '../environment.js'
import { installPackages } from './packages.js'
import type { Peer } from './peer.js'
import { runPeers } from './peers.js'
import { PEERS } from './registry.js'

const USAGE = `npm run bench:peers -- [peers] [options]

  peers          ${PEERS.map(({ name }) => name).join(', ')} (default: all)
  --quick        under two minutes (the default)
  --full         the sizes that are published; takes many minutes
  --smoke        proves that everything works, measures nothing
  --no-install   uses what is in bench/peers/node_modules
  --data DIR     where the stores lie (default: a temporary directory)
  --json FILE    all rows as JSON
  --seed N       of the workload (default 1)
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean' },
    quick: { type: 'boolean' },
    smoke: { type: 'boolean' },
    'no-install': { type: 'boolean' },
    data: { type: 'string' },
    json: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean' },
  },
})

async function main(): Promise<void> {
  if (values.help === true) return void process.stdout.write(USAGE)
  const peers = positionals.length === 0 ? PEERS : positionals.map(find)
  const isToInstall =
    values['no-install'] !== true && peers.some(({ packages }) => packages.length > 0)
  const notInstalled = isToInstall ? installPackages() : undefined
  const parent = values.data ?? tmpdir()
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(join(parent, 'tidewheel-peers-'))
  // A server that runs as another user must get through to its own folder in it.
  chmodSync(directory, 0o755)
  const size = values.full === true ? 'full' : values.smoke === true ? 'smoke' : 'quick'
  const options: BenchmarkOptions = { size, directory, seed: Number(values.seed ?? 1) }
  const environment = environmentOf(directory)
  for (const [name, value] of Object.entries(environment)) console.log(`${name}: ${value}`)
  console.log(`\npeers (${size})`)
  try {
    const { rows, failures } = await runPeers(peers, options, notInstalled)
    for (const row of rows) printRow(row)
    for (const failure of failures) console.error(failure)
    if (failures.length > 0) process.exitCode = 1
    const complete = rows.map((row) => ({
      ...row,
      config: { ...row.config, size, ...environment },
    }))
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify(complete, null, 2)}\n`)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function find(name: string): Peer {
  const found = PEERS.find((peer) => peer.name === name)
  if (found !== undefined) return found
  console.error(`there is no peer ${name}\n\n${USAGE}`)
  process.exit(2)
}

function printRow({ name, unit, value, config }: Row): void {
  const { skipped, durability } = config
  const figure =
    skipped === undefined
      ? `${value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : 0 }).padStart(14)} ${unit}   ${durability}`
      : `skipped: ${skipped}`
  console.log(`  ${name.padEnd(30)} ${figure}`)
}

await main()
