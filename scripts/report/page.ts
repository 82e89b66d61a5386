/** The whole page: one file, nothing loaded from elsewhere, the same for the same rows. */
import type { Row } from '../../bench/benchmark.js'
import { formatMicroseconds, formatNumber, formatShort } from '../format.js'
import { answeredByRate, latencySeries, measuredRows, rowsToPlot } from '../measurements.js'
import { element, type Markup, markupOf } from './markup.js'
import { isLost, isOwn, peerChart, peerGroups } from './peer-charts.js'
import { STYLE } from './style.js'
import { allRowsTable, environmentTable, skippedList } from './tables.js'
import { accountsChart, latencyCharts, offeredChart, recoveryChart } from './transfer-charts.js'

export function reportPage(rows: readonly Row[]): string {
  const head = element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('title', {}, 'tidewheel: measurements'),
    // Nothing in it comes from outside, and escaped it would be no style.
    { markup: `<style>${STYLE}</style>` },
  )
  const body = element(
    'body',
    {},
    introduction(rows),
    latencySections(rows),
    section(
      'Throughput over offered load',
      'Open loop: commands are due on a schedule. Where the line leaves the dashed one, the engine no longer keeps up.',
      offeredChart(rows),
    ),
    section(
      'Throughput over the number of accounts',
      'Uniformly random accounts: the more there are, the more state is not in a cache when a command needs it.',
      accountsChart(rows),
    ),
    section(
      'Recovery time over journal size',
      'From opening to the first command, without a snapshot: all events are read, checked and applied.',
      recoveryChart(rows),
    ),
    peersSection(rows),
    conditions(rows),
    allRows(rows),
  )
  return `<!doctype html>\n${markupOf(element('html', { lang: 'en' }, head, body))}\n`
}

function introduction(rows: readonly Row[]): Markup[] {
  const durability = new Set(measuredRows(rows).map(({ config }) => config['durability']))
  return [
    element('h1', {}, 'tidewheel: measurements'),
    element(
      'p',
      {},
      'A durable, in-memory, event-sourced engine for Node.js. This page is generated from the raw rows in ',
      element('a', { href: 'measurements/' }, 'docs/measurements'),
      ' by ',
      element('code', {}, 'npm run report'),
      '. The rows come from ',
      element('code', {}, 'npm run bench -- --full --json FILE'),
      ' and ',
      element('code', {}, 'npm run bench:peers -- --full --json FILE'),
      '. Figures are medians; an engine figure stands beside its limit, which is the same work as a hand-written loop without an engine, run in turn with it.',
    ),
    ...headline(rows),
    element(
      'p',
      { class: 'note' },
      durability.has('disk')
        ? 'Durability disk: a command is answered after its events were synced to disk. Rows with another level say so.'
        : 'No row with durability disk is among them.',
    ),
  ]
}

/** The few figures one came for; only those that were measured. */
function headline(rows: readonly Row[]): Markup[] {
  const plotted = rowsToPlot(rows)
  const figures: Markup[] = []
  const add = (title: string, value: string, beside: string) =>
    figures.push(
      element(
        'div',
        {},
        element('dt', {}, title),
        element('dd', {}, value, ' ', element('small', {}, beside)),
      ),
    )
  const throughput = plotted.find(({ name }) => name === 'transfer.throughput')
  if (throughput !== undefined) {
    const { value, ratio } = throughput
    const beside = ratio === undefined ? '' : `${ratio.toFixed(2)} of a hand-written loop`
    add('Durable transfers', `${formatShort(value)}/s`, beside)
  }
  const answered = answeredByRate(rows)
  // The highest rate that was kept up with: beyond it, latency says only how long it ran.
  const latency = latencySeries(rows).findLast(
    ({ subject, ratePerSecond }) =>
      subject === 'transfer' &&
      (answered.get(ratePerSecond) ?? ratePerSecond) > ratePerSecond * 0.98,
  )
  for (const percentile of ['p50', 'p99'] as const) {
    const row = latency?.rows.get(percentile)
    if (latency === undefined || row === undefined) continue
    const title = percentile === 'p50' ? 'Median latency' : '99 % answered within'
    add(title, formatMicroseconds(row.value), `at ${formatShort(latency.ratePerSecond)}/s offered`)
  }
  const replay = plotted.find(({ name }) => name === 'replay.events')
  if (replay !== undefined) add('Replay', `${formatShort(replay.value)}/s`, 'events')
  return figures.length === 0 ? [] : [element('dl', { class: 'headline' }, figures)]
}

function latencySections(rows: readonly Row[]): Markup[] {
  const charts = latencyCharts(rows)
  const note =
    'Open loop: latency counts from the time a command was due to its receipt, whether the engine kept up or not. The last point is the worst of all commands.'
  if (charts.length === 0) return section('Latency', note, undefined)
  return charts.flatMap(({ subject, chart }) => section(`Latency: ${subject}`, note, chart))
}

function peersSection(rows: readonly Row[]): Markup[] {
  const groups = peerGroups(rows)
  const note =
    'The same transfers, in the same run, each store in its best configuration; what is stored was checked against a model afterwards, and again after opening the store again. A store without state has its balances in memory beside it.'
  if (groups.length === 0) return section('Beside other stores', note, undefined)
  const lost = groups.filter(isLost).map(({ title }) => title)
  const losses =
    lost.length === 0 ? [] : [element('p', {}, `Others are better in: ${lost.join('; ')}.`)]
  const accounts = groups[0]?.rows[0]?.config['accounts']
  return [
    element('h2', {}, 'Beside other stores'),
    element(
      'p',
      { class: 'note' },
      note,
      typeof accounts === 'number' ? ` ${formatNumber(accounts)} accounts.` : '',
    ),
    ...losses,
    ...groups.flatMap((group) => [
      element(
        'h3',
        {},
        group.title,
        isLost(group) ? [' ', element('span', { class: 'lost' }, 'tidewheel is not the best')] : '',
      ),
      element('p', { class: 'note' }, group.note),
      element('div', { class: 'wide' }, peerChart(group)),
    ]),
    versions(rows),
  ]
}

function versions(rows: readonly Row[]): Markup {
  const known = new Map(
    rowsToPlot(rows)
      .filter((row) => row.name.startsWith('peers.') && !isOwn(row))
      .map(({ config }) => [String(config['peer']), String(config['version'] ?? '')]),
  )
  const text = [...known].map(([peer, version]) => `${peer}: ${version}`).join('; ')
  return element('p', { class: 'note' }, `Versions: ${text}.`)
}

function conditions(rows: readonly Row[]): Markup[] {
  const skipped = skippedList(rows)
  return [
    element('h2', {}, 'How it was measured'),
    environmentTable(rows),
    element('h3', {}, 'What is excluded'),
    element(
      'ul',
      {},
      [
        'Starting the process, opening the engine or store, and opening the accounts: the clock starts afterwards, and after a warm-up.',
        'Any network: caller and engine are in one process. PostgreSQL is asked over a local socket.',
        'The checks after each run: balances, counts, and the same after opening again.',
        'Power cuts: a row says what was synced when, not that a disk keeps what it said it had synced.',
      ].map((text) => element('li', {}, text)),
    ),
    ...(skipped === undefined ? [] : [element('h3', {}, 'Not measured, and why'), skipped]),
  ]
}

function allRows(rows: readonly Row[]): Markup[] {
  return [
    element('h2', {}, 'All rows'),
    element(
      'p',
      { class: 'note' },
      'Ratio: figure to limit, for times limit to figure, so that 1 is what the machine can do.',
    ),
    allRowsTable(rows, peerGroups(rows)),
  ]
}

function section(title: string, note: string, chart: Markup | undefined): Markup[] {
  return [
    element('h2', {}, title),
    chart === undefined
      ? element('p', { class: 'missing' }, 'This was not measured.')
      : element('p', { class: 'note' }, note),
    ...(chart === undefined ? [] : [element('div', { class: 'wide' }, chart)]),
  ]
}
