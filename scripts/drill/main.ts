/** `npm start`: runs the exchange drill and prints what came of it. */
import { withDrillDirectory } from '../../engine/drill/drill-directory.js'
import {
  type DrillResult,
  isRight,
  type Kill,
  type LiveLine,
  runDrill,
} from '../../engine/drill/drill-run.js'
import { causeOf } from '../../journal/errors.js'
import { SEGMENT_BYTES_DEFAULT } from '../../journal/segment-layout.js'
import { readBitstampFeed } from '../feeds/recorded-order-flow.js'
import {
  DRILL_USAGE,
  type DrillArguments,
  RATE_OF_FEED,
  readDrillArguments,
} from './drill-arguments.js'
import type { ExchangeFlowOptions } from './exchange-flow.js'

const EXIT_WRONG = 1
const EXIT_USAGE = 2

async function main(): Promise<number> {
  const options = readDrillArguments(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(DRILL_USAGE)
    return 0
  }
  if (typeof options === 'string') {
    console.error(`${options}; npm start -- --help says more`)
    return EXIT_USAGE
  }
  return withDrillDirectory(options.dataDirectory, async (directory) => {
    const result = await drill(options, directory)
    clearLine()
    printTable(result)
    if (options.json) console.log(jsonOf(result))
    return isRight(result) ? 0 : EXIT_WRONG
  })
}

/** Half of the time for each life; a recorded feed then runs to its end. */
async function drill(options: DrillArguments, directory: string): Promise<DrillResult> {
  const commands = await describeInput(options, directory)
  const { feed, repeat, seed, seconds, rate } = options
  const halfMs = (seconds * 1000) / 2
  const isSpread = rate === RATE_OF_FEED
  const flow: ExchangeFlowOptions = { feed, repeat, seed }
  return runDrill(
    {
      directory,
      flow: { moduleUrl: new URL('./exchange-flow.js', import.meta.url).href, options: flow },
      segmentBytes: SEGMENT_BYTES_DEFAULT,
      rate: isSpread ? Math.max(1, Math.ceil((commands ?? 0) / seconds)) : rate,
      killAfterMs: [halfMs],
      endAfterMs: feed === undefined ? halfMs : undefined,
      faults: [],
    },
    { onLine: printLine, onNote: printNote },
  )
}

/** Says what is about to run. Returns the number of commands of a recorded feed. */
async function describeInput(
  options: DrillArguments,
  directory: string,
): Promise<number | undefined> {
  const kept = options.dataDirectory === undefined ? '' : `, journal in ${directory}`
  if (options.feed === undefined) {
    console.log(`order flow: generated, seed ${options.seed}${kept}`)
    return undefined
  }
  const feed = await readBitstampFeed(options.feed)
  const commands = feed.commands * options.repeat
  if (commands === 0) throw new Error(`${options.feed} holds no orders in the bitstamp format`)
  console.log(`order flow: ${options.feed}, ${count(commands)} commands${kept}`)
  return commands
}

function printNote(text: string): void {
  clearLine()
  console.log(text)
}

function printLine(line: LiveLine): void {
  const text =
    `${line.life === 1 ? 'before the kill' : 'after recovery '}  ` +
    `${count(line.commandsPerSecond).padStart(11)} commands/s  ` +
    `p50 ${measured(line.p50).padStart(8)}  p99 ${measured(line.p99).padStart(8)}  ` +
    `journal ${line.journalMBPerSecond.toFixed(1).padStart(6)} MB/s  ` +
    `${count(line.acknowledged).padStart(11)} acknowledged`
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`)
  else console.log(text)
}

function clearLine(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
}

function printTable(result: DrillResult): void {
  const { latencyUs } = result
  const { recovery, acknowledged } = result.kills[0] as Kill
  const perSecond = recovery.seconds === 0 ? 0 : recovery.events / recovery.seconds
  const rows: [string, string][] = [
    ['commands in the journal', count(result.commands)],
    ['acknowledged', `${count(result.acknowledged)} (${count(acknowledged)} before the kill)`],
    ['events', count(result.events)],
    ['rate under load', `${count(result.commandsPerSecond)} commands/s`],
    [
      'latency p50 / p99 / p99.9 *',
      [latencyUs.p50, latencyUs.p99, latencyUs.p999].map(micros).join(' / '),
    ],
    [
      'recovery after the kill',
      `${recovery.seconds.toFixed(3)} s, ${count(recovery.events)} events, ${count(Math.round(perSecond))} events/s`,
    ],
    [
      'state digest',
      `${result.digest.slice(0, 16)}… ${result.digestMatches ? 'the same after replay' : 'DIFFERS AFTER REPLAY'}`,
    ],
    ['acknowledged and lost', count(result.lost)],
    ['applied twice', count(result.duplicated)],
    ['result', isRight(result) ? 'PASS' : 'FAIL'],
  ]
  console.log()
  for (const [name, value] of rows) console.log(`  ${name.padEnd(28)}${value}`)
  console.log(
    '\n  * from the time a command was due to its receipt; without the first second of each life\n',
  )
}

/** Nothing is measured in the first second of a life. */
function measured(us: number): string {
  return us === 0 ? '–' : micros(us)
}

function jsonOf(result: DrillResult): string {
  const { commands, acknowledged, events, lost, duplicated, digestMatches } = result
  const { commandsPerSecond, latencyUs, kills } = result
  return JSON.stringify({
    commands,
    acknowledged,
    events,
    lost,
    duplicated,
    digestMatches,
    commandsPerSecond,
    latencyUs,
    recovery: kills[0]?.recovery,
  })
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function micros(us: number): string {
  return us >= 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${us} µs`
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(causeOf(error))
  return EXIT_WRONG
})
