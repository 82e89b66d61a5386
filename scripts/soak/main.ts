/**
 * `npm run soak`: the long run of the suites whose small runs are in `npm test`. It prints what it
 * covered, and stops at the first promise that was not kept.
 *
 *   simulation   a seeded engine over a disk that loses, tears and refuses
 *   power        every subset of what is not synced, at every sync of a canonical run
 *   fuzz         changed bytes for every decoder of what may come from a stranger
 *   damage       every bit and every length of a small journal
 *   keys         ten million idempotency keys, archived and asked for again
 *   drill        the drill of users, with every fault, on the reference domains
 *   system       every system call on canonical workloads: killed there, EIO, ENOSPC
 */
import { parseArgs } from 'node:util'
import { Coverage } from '../../test/support/simulation/coverage.js'
import { tryEverySubset } from '../../test/support/simulation/every-subset.js'
import { SimulationFailure, simulate } from '../../test/support/simulation/simulation.js'
import { soakDamage } from './damage-suite.js'
import { soakDrill } from './drill-suite.js'
import { soakFuzz } from './fuzz-suite.js'
import { soakKeys } from './keys-suite.js'
import { recordSuite, type SuiteResult } from './suite-result.js'
import { soakSystem } from './system-suite.js'

const GENERATIONS_DEFAULT = 30

/** Those that try everything once come first. */
const SUITES: readonly string[] = [
  ...['power', 'damage', 'keys', 'system'],
  ...['simulation', 'fuzz', 'drill'],
]

const USAGE = `The long run of the suites, one after the other: until the time is over, or something fails.

  npm run soak -- [options]

  --suite NAME     one of them: power, damage, keys, system, which try everything once;
                   simulation, fuzz, drill, which go on as long as they may   (default: all)
  --minutes N      how long each may go on                   (default 10)
  --seed N         this seed of the simulation only, and the hash of all that happened
  --from N         the first of the seeds                    (default: by the clock)
  --record         keeps what was covered, in docs/measurements/faults, for npm run faults
  --generations N  how often each seed opens the journal     (default ${GENERATIONS_DEFAULT})
  --help
`

const OPTIONS = {
  suite: { type: 'string' },
  minutes: { type: 'string' },
  seed: { type: 'string' },
  from: { type: 'string' },
  generations: { type: 'string' },
  record: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

const PROGRESS_MS = 60_000
const SEED_MAX = 2 ** 32
const EXIT_WRONG = 1
const EXIT_USAGE = 2

interface SoakArguments {
  readonly suites: readonly string[]
  readonly minutes: number
  readonly seed: number | undefined
  readonly from: number
  readonly generations: number
  readonly isRecorded: boolean
}

async function main(): Promise<number> {
  const options = readArguments()
  if (options === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  if (typeof options === 'string') {
    console.error(`${options}; npm run soak -- --help says more`)
    return EXIT_USAGE
  }
  try {
    if (options.seed !== undefined) {
      await repeat(options.seed, options.generations)
      return 0
    }
    for (const suite of options.suites) {
      const startedMs = performance.now()
      const result = await runSuite(suite, options)
      const minutes = Math.round((performance.now() - startedMs) / 600) / 100
      console.log(`${suite}: ${result.isRight ? 'nothing was lost' : 'WRONG'}, ${minutes} minutes`)
      if (options.isRecorded) recordSuite(suite, minutes, result)
      if (!result.isRight) return EXIT_WRONG
    }
    return 0
  } catch (error) {
    if (!(error instanceof SimulationFailure)) throw error
    console.error(error.message)
    return EXIT_WRONG
  }
}

function runSuite(suite: string, options: SoakArguments): Promise<SuiteResult> | SuiteResult {
  const { minutes, from } = options
  if (suite === 'fuzz') return soakFuzz(minutes, from)
  if (suite === 'drill') return soakDrill(minutes)
  if (suite === 'power') return soakPower()
  if (suite === 'damage') return soakDamage()
  if (suite === 'keys') return soakKeys()
  if (suite === 'system') return soakSystem(minutes)
  return soak(options)
}

async function soakPower(): Promise<SuiteResult> {
  const coverage = await tryEverySubset()
  console.log(`power loss, every subset:\n${coverage}`)
  return { isRight: true, counts: coverage.toJSON() }
}

/** Twice, so that it shows whether the seed decides everything. */
async function repeat(seed: number, generations: number): Promise<void> {
  const first = await simulate(seed, generations)
  const second = await simulate(seed, generations)
  console.log(`${first.coverage}\n  trace: ${first.trace}`)
  if (first.trace !== second.trace) throw new Error(`seed ${seed} gave two traces: ${second.trace}`)
}

async function soak({ minutes, from, generations }: SoakArguments): Promise<SuiteResult> {
  const coverage = new Coverage()
  const startedMs = performance.now()
  const endMs = startedMs + minutes * 60_000
  let toldMs = startedMs
  let seed = from
  try {
    for (; performance.now() < endMs; seed++) {
      const result = await simulate(seed % SEED_MAX, generations)
      coverage.merge(result.coverage)
      if (performance.now() - toldMs < PROGRESS_MS) continue
      toldMs = performance.now()
      console.log(`${Math.round((toldMs - startedMs) / 60_000)} min: ${seed - from + 1} seeds`)
    }
  } finally {
    console.log(`seeds ${from} to ${seed - 1} of the simulation, without fault:\n${coverage}`)
  }
  return { isRight: true, counts: { seeds: seed - from, ...coverage.toJSON() } }
}

function readArguments(): SoakArguments | string | 'help' {
  let values: ReturnType<typeof parse>
  try {
    values = parse()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  if (values.help === true) return 'help'
  const { suite } = values
  if (suite !== undefined && !SUITES.includes(suite))
    return `--suite is one of ${SUITES.join(', ')}`
  const suites = suite === undefined ? SUITES : [suite]
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  const from = Number(values.from ?? Date.now() % SEED_MAX)
  const generations = Number(values.generations ?? GENERATIONS_DEFAULT)
  const minutes = Number(values.minutes ?? 10)
  for (const [name, value] of Object.entries({ seed: seed ?? 0, from, generations })) {
    if (!Number.isInteger(value) || value < 0 || value >= SEED_MAX) {
      return `--${name} is not an integer from 0 to ${SEED_MAX - 1}`
    }
  }
  if (!(minutes > 0)) return '--minutes is not a number above 0'
  return { suites, minutes, seed, from, generations, isRecorded: values.record === true }
}

function parse() {
  return parseArgs({ options: OPTIONS }).values
}

process.exitCode = await main()
