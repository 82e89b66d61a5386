/** What the arguments of the command line ask for, or a sentence that says what is wrong with them. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { RestoreOptions } from '../../journal/backup.js'
import { type NotedHead, parseHead } from '../../journal/chain-head.js'
import { causeOf } from '../../journal/errors.js'
import type { ReadEventsOptions } from '../../journal/event-reader.js'
import type { VerifyOptions } from '../../journal/verify.js'
import { DRILL_FAULTS, type DrillFault } from '../drill/drill-damage.js'
import type { DrillOptions } from './drill-command.js'
import { printableJson } from './printable.js'
import { parseTime } from './time-argument.js'
import type { ReplayOptions } from './verify-command.js'

export type CommandName =
  | 'read'
  | 'verify'
  | 'info'
  | 'prove'
  | 'backup'
  | 'restore'
  | 'archive'
  | 'drill'

export type Invocation =
  | { readonly kind: 'help'; readonly topic: CommandName | undefined }
  | { readonly kind: 'version' }
  | { readonly kind: 'read'; readonly path: string; readonly options: ReadEventsOptions }
  | {
      readonly kind: 'verify'
      readonly path: string
      readonly json: boolean
      readonly options: VerifyOptions
      /** Undefined: the journal is verified without the application. */
      readonly replay: ReplayOptions | undefined
    }
  | { readonly kind: 'info'; readonly path: string; readonly json: boolean }
  | {
      readonly kind: 'prove'
      readonly path: string
      readonly sequence: number
      /** Undefined: that of the last block. */
      readonly head: NotedHead | undefined
    }
  | { readonly kind: 'check'; readonly file: string; readonly head: NotedHead }
  | { readonly kind: 'backup'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'restore'
      /** Of the backup. */
      readonly path: string
      readonly target: string
      readonly options: RestoreOptions
    }
  | { readonly kind: 'archive'; readonly path: string; readonly before: number }
  | { readonly kind: 'drill'; readonly options: DrillOptions }

/** Wrong arguments: exit code 2. */
export class UsageError extends Error {
  readonly topic: CommandName | undefined

  constructor(message: string, topic?: CommandName) {
    super(message)
    this.topic = topic
  }
}

const COMMANDS: readonly string[] = [
  'read',
  'verify',
  'info',
  'prove',
  'backup',
  'restore',
  'archive',
  'drill',
]
const THREADS_MAX = 256
const KILLS_MAX = 1000
const KILLS_DEFAULT = 3
const SECONDS_DEFAULT = 10
const SECONDS_MAX = 24 * 60 * 60

type Options = NonNullable<ParseArgsConfig['options']>
/** None may be given several values. */
type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

const HELP = { help: { type: 'boolean', short: 'h' } } as const
const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS: Readonly<Record<CommandName, Options>> = {
  read: { ...HELP, from: TEXT, to: TEXT, stream: TEXT, id: TEXT, limit: TEXT },
  verify: {
    ...HELP,
    json: FLAG,
    threads: TEXT,
    replay: FLAG,
    domain: TEXT,
    expect: TEXT,
    head: TEXT,
  },
  info: { ...HELP, json: FLAG },
  prove: { ...HELP, head: TEXT, check: TEXT },
  backup: { ...HELP },
  restore: { ...HELP, 'to-sequence': TEXT, 'to-time': TEXT },
  archive: { ...HELP, before: TEXT },
  drill: {
    ...HELP,
    domain: TEXT,
    commands: TEXT,
    kills: TEXT,
    faults: TEXT,
    seconds: TEXT,
    data: TEXT,
    json: FLAG,
    html: TEXT,
  },
}

/** `argv` is without the names of node and of the script. @throws UsageError */
export function parseArguments(argv: readonly string[]): Invocation {
  const [first, ...rest] = argv
  if (first === undefined) throw new UsageError('no command is given')
  if (first === '--help' || first === '-h' || first === 'help')
    return { kind: 'help', topic: topicOf(rest[0]) }
  if (first === '--version' || first === '-V') return { kind: 'version' }
  const command = topicOf(first)
  if (command === undefined) {
    const what = first.startsWith('-') ? 'option' : 'command'
    throw new UsageError(
      `there is no ${what} ${printableJson(first)}; the commands are ${COMMANDS.join(', ')}`,
    )
  }
  const { values, positionals } = parse(command, rest)
  if (values['help'] === true) return { kind: 'help', topic: command }
  if (command === 'drill') {
    return { kind: command, options: drillOptions(values, positionals) }
  }
  if (command === 'backup') return { kind: command, ...twoDirectories(command, positionals) }
  if (command === 'restore') {
    return {
      kind: command,
      ...twoDirectories(command, positionals),
      options: restoreOptions(values),
    }
  }
  if (command === 'prove') return proveArguments(values, positionals)
  const path = onlyDirectory(command, positionals)
  const json = values['json'] === true
  switch (command) {
    case 'read':
      return { kind: command, path, options: readOptions(values) }
    case 'verify':
      return {
        kind: command,
        path,
        json,
        options: verifyOptions(values),
        replay: replayOptions(values),
      }
    case 'info':
      return { kind: command, path, json }
    case 'archive': {
      const before = integer(command, values, 'before') ?? Number.MAX_SAFE_INTEGER
      return { kind: command, path, before }
    }
  }
}

function topicOf(name: string | undefined): CommandName | undefined {
  return name !== undefined && COMMANDS.includes(name) ? (name as CommandName) : undefined
}

function parse(
  command: CommandName,
  args: string[],
): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args, options: OPTIONS[command], allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(sentenceOf(error), command)
  }
}

/** Node's own words, in one line, without its advice about positional arguments. */
function sentenceOf(error: unknown): string {
  const [text = ''] = causeOf(error).split('. To specify a positional argument')
  return text.replaceAll('\n', ' ').replace(/\.$/, '')
}

function onlyDirectory(command: CommandName, positionals: readonly string[]): string {
  const [path, surplus] = positionals
  if (path === undefined || path === '') {
    throw new UsageError("the journal's directory is missing", command)
  }
  if (surplus === undefined) return path
  throw new UsageError(
    `one directory is read at a time; ${printableJson(surplus)} is too much`,
    command,
  )
}

function twoDirectories(
  command: CommandName,
  positionals: readonly string[],
): { readonly path: string; readonly target: string } {
  const [path = '', target = '', surplus] = positionals
  if (path === '' || target === '') {
    throw new UsageError('two directories are needed: copied from, and copied to', command)
  }
  if (surplus === undefined) return { path, target }
  throw new UsageError(`two directories are enough; ${printableJson(surplus)} is too much`, command)
}

function restoreOptions(values: Values): RestoreOptions {
  const toSequence = integer('restore', values, 'to-sequence')
  const time = values['to-time']
  if (typeof time !== 'string') return toSequence === undefined ? {} : { toSequence }
  if (toSequence !== undefined) {
    throw new UsageError(
      '--to-sequence and --to-time are two points; give the one that is meant',
      'restore',
    )
  }
  const toTimeUs = parseTime(time)
  if (toTimeUs !== undefined) return { toTimeUs }
  throw new UsageError(
    `--to-time must be like 2026-01-31T12:00:00.5Z, with Z or an offset, or microseconds since 1970, got ${printableJson(time)}`,
    'restore',
  )
}

function readOptions(values: Values): ReadEventsOptions {
  const from = integer('read', values, 'from')
  const to = integer('read', values, 'to')
  const limit = integer('read', values, 'limit')
  const { stream, id } = values
  if (from !== undefined && to !== undefined && from > to) {
    throw new UsageError(`--from ${from} is beyond --to ${to}, so there is nothing to read`, 'read')
  }
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(limit === undefined ? {} : { limit }),
    ...(typeof stream === 'string' ? { stream } : {}),
    ...(typeof id === 'string' ? { id } : {}),
  }
}

function verifyOptions(values: Values): VerifyOptions {
  const threads = integer('verify', values, 'threads', THREADS_MAX)
  const head = notedHead('verify', values)
  return { ...(threads === undefined ? {} : { threads }), ...(head === undefined ? {} : { head }) }
}

function notedHead(command: CommandName, { head }: Values): NotedHead | undefined {
  if (typeof head !== 'string') return undefined
  const noted = parseHead(head)
  if (noted !== undefined) return noted
  throw new UsageError(
    `--head must be SEQUENCE:HASH, as tidewheel info gives it, got ${printableJson(head)}`,
    command,
  )
}

function proveArguments(values: Values, positionals: readonly string[]): Invocation {
  const head = notedHead('prove', values)
  const { check } = values
  if (typeof check !== 'string') {
    const [directory = '', sequence, ...surplus] = positionals
    const path = onlyDirectory('prove', [directory, ...surplus])
    if (sequence === undefined)
      throw new UsageError('the sequence of the event is missing', 'prove')
    return { kind: 'prove', path, sequence: wholeNumber('prove', 'SEQUENCE', sequence), head }
  }
  const [surplus] = positionals
  if (surplus !== undefined) {
    throw new UsageError(`a proof is checked alone; ${printableJson(surplus)} is too much`, 'prove')
  }
  if (head === undefined) {
    throw new UsageError('--check needs --head SEQUENCE:HASH, the head that was noted', 'prove')
  }
  return { kind: 'check', file: check, head }
}

function replayOptions(values: Values): ReplayOptions | undefined {
  const { domain, expect } = values
  if (values['replay'] !== true) {
    if (domain === undefined && expect === undefined) return undefined
    throw new UsageError('--domain and --expect are for --replay; give that too', 'verify')
  }
  if (typeof domain !== 'string') {
    throw new UsageError('--replay needs --domain MODULE, which exports the domain', 'verify')
  }
  if (expect === undefined) return { domain, expect: undefined }
  if (typeof expect === 'string' && /^[0-9a-f]{64}$/.test(expect)) return { domain, expect }
  throw new UsageError(
    `--expect must be a digest, 64 hexadecimal digits, got ${printableJson(String(expect))}`,
    'verify',
  )
}

function drillOptions(values: Values, positionals: readonly string[]): DrillOptions {
  const [surplus] = positionals
  if (surplus !== undefined) {
    throw new UsageError(
      `${printableJson(surplus)} is too much; the journal's directory is given with --data`,
      'drill',
    )
  }
  const { domain, commands, data, html } = values
  if (typeof domain !== 'string') {
    throw new UsageError('--domain MODULE is missing, which exports the domain', 'drill')
  }
  return {
    domain,
    commands: textOf(commands),
    kills: integer('drill', values, 'kills', KILLS_MAX) ?? KILLS_DEFAULT,
    faults: faultsOf(values['faults']),
    seconds: integer('drill', values, 'seconds', SECONDS_MAX) ?? SECONDS_DEFAULT,
    dataDirectory: textOf(data),
    json: values['json'] === true,
    htmlFile: textOf(html),
  }
}

/** Each once, in the order in which they are tried. */
function faultsOf(value: Values[string]): DrillFault[] {
  if (typeof value !== 'string') return []
  if (value === 'all') return [...DRILL_FAULTS]
  const names = value.split(',')
  const unknown = names.find((name) => !DRILL_FAULTS.some((fault) => fault === name))
  if (unknown !== undefined) {
    throw new UsageError(
      `there is no fault ${printableJson(unknown)}; --faults takes all, or some of ${DRILL_FAULTS.join(',')}`,
      'drill',
    )
  }
  return DRILL_FAULTS.filter((fault) => names.includes(fault))
}

function textOf(value: Values[string]): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function integer(
  command: CommandName,
  values: Values,
  name: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const text = values[name]
  return typeof text === 'string' ? wholeNumber(command, `--${name}`, text, max) : undefined
}

function wholeNumber(
  command: CommandName,
  what: string,
  text: string,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw new UsageError(
    `${what} must be a whole number from 1 to ${max}, got ${printableJson(text)}`,
    command,
  )
}
