/** What the drill can be asked for. */
import { parseArgs } from 'node:util'

export interface DrillArguments {
  /** A recorded feed; undefined: the seeded generator. */
  readonly feed: string | undefined
  readonly repeat: number
  readonly seed: number
  /** Of load, before and after the kill together. */
  readonly seconds: number
  /** Commands a second that are offered; 0: as many as the engine takes; or RATE_OF_FEED. */
  readonly rate: number
  /** Kept; undefined: a temporary directory that is removed. */
  readonly dataDirectory: string | undefined
  readonly json: boolean
}

export const DRILL_USAGE = `The exchange drill: runs an order flow through the engine, kills it with SIGKILL in the middle,
recovers, goes on, and counts what was lost or applied twice.

  npm start -- [options]

  --feed FILE        orders of a recorded feed (plain or .gz) instead of the seeded generator
  --format bitstamp  what FILE holds (the only format so far)
  --repeat N         the feed N times, with shifted order ids        (default 1)
  --seed N           of the generator                                (default 1)
  --seconds N        of load, in all                                 (default 10)
  --rate N           commands offered a second; 0: as fast as it goes (default 100000;
                     a feed: spread over the seconds)
  --data DIR         journal directory, which is kept; must be new or empty
  --json             the last line is one JSON object
  --help
`

const OPTIONS = {
  feed: { type: 'string' },
  format: { type: 'string' },
  repeat: { type: 'string' },
  seed: { type: 'string' },
  seconds: { type: 'string' },
  rate: { type: 'string' },
  data: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

const RATE_DEFAULT = 100_000
/** A recorded feed is spread over the time that there is. */
export const RATE_OF_FEED = -1

/** The arguments, or a sentence that says what is wrong with them, or 'help'. */
export function readDrillArguments(args: readonly string[]): DrillArguments | string | 'help' {
  let values: ReturnType<typeof parse>
  try {
    values = parse(args)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  if (values.help === true) return 'help'
  if (values.format !== undefined && values.format !== 'bitstamp') {
    return `--format ${values.format} is not known; the only format is bitstamp`
  }
  if (values.feed !== undefined && values.format === undefined) {
    return '--feed needs --format bitstamp, which says what the file holds'
  }
  if (values.feed === undefined && values.repeat !== undefined) return '--repeat needs --feed'
  const repeat = integer(values.repeat, 1, 1, 1_000_000)
  if (repeat === undefined) return '--repeat takes an integer from 1 to 1000000'
  const seed = integer(values.seed, 1, 0, 0xffff_ffff)
  if (seed === undefined) return '--seed takes an integer from 0 to 4294967295'
  const seconds = integer(values.seconds, 10, 2, 3600)
  if (seconds === undefined) return '--seconds takes an integer from 2 to 3600'
  const rate = integer(
    values.rate,
    values.feed === undefined ? RATE_DEFAULT : RATE_OF_FEED,
    0,
    100_000_000,
  )
  if (rate === undefined) return '--rate takes an integer from 0 to 100000000'
  const { feed, data: dataDirectory, json = false } = values
  return { feed, repeat, seed, seconds, rate, dataDirectory, json }
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values
}

function integer(
  text: string | undefined,
  fallback: number,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return fallback
  const value = Number(text)
  return /^\d+$/.test(text) && value >= min && value <= max ? value : undefined
}
