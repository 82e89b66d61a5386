/** `tidewheel info`: what a journal says of itself, as text or as one JSON object. */
import { headText } from '../../journal/chain-head.js'
import {
  type CountedEntry,
  type JournalSurvey,
  surveyJournal,
} from '../../journal/journal-survey.js'
import type { FieldDescription } from '../../journal/schema/field-description.js'
import { count, duration, plural, size, table } from './human.js'
import { isoTime } from './json-lines.js'
import type { LineOutput } from './line-output.js'
import { printable, printableJson } from './printable.js'

/**
 * Prints what can be told of the journal, also of a damaged one.
 * @throws TidewheelError, after that, where reading could not go on
 */
export async function infoCommand(
  path: string,
  json: boolean,
  output: LineOutput,
): Promise<number> {
  const survey = await surveyJournal(path)
  await output.writeAll(json ? [printable(JSON.stringify(jsonOf(survey)))] : describe(path, survey))
  if (survey.problem !== undefined) throw survey.problem
  return 0
}

function jsonOf(survey: JournalSurvey): unknown {
  const { problem, domain, keyWindow, durability, lock, ...rest } = survey
  return {
    ...rest,
    domain: domain ?? null,
    keyWindow: keyWindow ?? null,
    durability: durability ?? null,
    lock: { pid: lock.pid ?? null, isHeld: lock.isHeld ?? null },
    problem: problem?.message ?? null,
  }
}

function describe(path: string, survey: JournalSurvey): string[] {
  const { aggregates, eventTypes, commands } = survey
  const lines = [
    `Journal ${printable(path)}`,
    ...summary(survey),
    '',
    'Segments',
    ...segments(survey),
    ...snapshots(survey),
  ]
  if (survey.domain === undefined) return [...lines, '', 'There is no catalogue of types yet.']
  const named = (entry: CountedEntry, ...cells: string[]): string[] => [
    printable(entry.name),
    count(entry.count),
    ...cells,
  ]
  const streams = aggregates.map((entry) => named(entry, `${entry.idType} ids`))
  const events = eventTypes.map((entry) =>
    named(entry, printable(`of ${entry.aggregate}`), fields(entry.fields ?? [])),
  )
  return [
    ...lines,
    ...section('Streams by aggregate', streams),
    ...section('Events by type', events),
    ...section(
      'Transactions by command',
      commands.map((entry) => named(entry)),
    ),
  ]
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return ['', title, ...(rows.length === 0 ? ['  none'] : table(rows, [1]))]
}

function summary(survey: JournalSurvey): string[] {
  const { events, lastSequence, keyedAccepted, keyedRejected } = survey
  const keyed = keyedAccepted + keyedRejected
  const keys =
    keyed === 0
      ? ''
      : `, ${count(keyed)} with a key (${count(keyedAccepted)} accepted, ${count(keyedRejected)} rejected)`
  const last = events === 0 ? '' : ` (the last has sequence ${count(lastSequence)})`
  return table(
    [
      ['id', survey.journalId === '' ? 'unknown' : survey.journalId],
      ['domain', printable(survey.domain ?? 'not known yet')],
      ['format', String(survey.format)],
      ['durability', survey.durability ?? 'not known yet'],
      ['opened', `${plural(survey.epoch, 'time')} for writing`],
      ['lock', lock(survey)],
      ['events', `${count(events)}${last}`],
      ['transactions', `${count(survey.transactions)}${keys}`],
      ['key window', keyWindow(survey)],
      ['blocks', count(survey.blocks)],
      ['head', headText(survey.head)],
    ],
    [],
  )
}

function keyWindow({ keyWindow: window }: JournalSurvey): string {
  if (window === undefined) return 'not known yet'
  const age = count(window.ageMaxUs / 1000)
  return `the last ${plural(window.countMax, 'key')}, at most ${age} ms old`
}

function lock(survey: JournalSurvey): string {
  const { pid, isHeld } = survey.lock
  const who = pid === undefined ? 'an unknown process' : `process ${pid}`
  if (isHeld === true) return `open now, in ${who}`
  if (pid === undefined) return 'not known'
  return isHeld === false ? `no lock seen; last opened by ${who}` : `last opened by ${who}`
}

function segments(survey: JournalSurvey): string[] {
  if (survey.segments.length === 0) return ['  none']
  const rows = survey.segments.map((segment) => {
    const { events, firstSequence, lastSequence, firstTime, lastTime } = segment
    const isEmpty = events === 0
    return [
      String(segment.number),
      size(segment.sizeBytes),
      size(segment.usedBytes),
      segment.archivedBytes === 0 ? '-' : size(segment.archivedBytes),
      segment.indexBytes === 0 ? '-' : size(segment.indexBytes),
      count(segment.blocks),
      count(events),
      isEmpty ? '-' : `${count(firstSequence)} to ${count(lastSequence)}`,
      isEmpty ? '-' : isoTime(firstTime),
      isEmpty ? '-' : isoTime(lastTime),
    ]
  })
  const head = [
    'number',
    'size',
    'used',
    'archived',
    'index',
    'blocks',
    'events',
    'sequences',
    'first event',
    'last event',
  ]
  return table([head, ...rows], [0, 1, 2, 3, 4, 5, 6, 7])
}

function snapshots(survey: JournalSurvey): string[] {
  if (survey.snapshots.length === 0) return []
  const nowUs = Date.now() * 1000
  const rows = survey.snapshots.map(({ sequence, sizeBytes, time, problem }) => [
    count(sequence),
    size(sizeBytes),
    time === 0 ? '-' : isoTime(time),
    time === 0 ? '-' : `${duration((nowUs - time) / 1e6)} ago`,
    problem === '' ? 'good' : printable(`not used: ${problem}`),
  ])
  const head = ['up to event', 'size', 'state of', '', 'file']
  return ['', 'Snapshots', ...table([head, ...rows], [0, 1])]
}

/** `{ owner: text, kind: oneOf("a", "b"), target: Account }` */
function fields(descriptions: readonly FieldDescription[]): string {
  const parts = descriptions.map(({ name, type, values, aggregate }) => {
    if (values !== undefined) return `${name}: oneOf(${values.map(printableJson).join(', ')})`
    return `${name}: ${aggregate === undefined ? type : `id of ${aggregate}`}`
  })
  return parts.length === 0 ? '{}' : printable(`{ ${parts.join(', ')} }`)
}
