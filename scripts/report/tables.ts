/** Tables of the page: every row, and where it was measured. */
import type { Row } from '../../bench/benchmark.js'
import { configText, machineText } from '../config-text.js'
import { formatNumber } from '../format.js'
import { groupBy, isLowerBetter, measuredRows, skipReason } from '../measurements.js'
import { element, type Markup } from './markup.js'
import { isLost, isOwn, type PeerGroup } from './peer-charts.js'

/** Where figures come from, one line for each machine, Node and size; the rest is joined. */
export function environmentTable(rows: readonly Row[]): Markup {
  const groups = groupBy(rows, ({ config }) =>
    JSON.stringify([
      machineText(config),
      config['kernel'] ?? '',
      config['fileSystem'] ?? '',
      config['node'] ?? '',
      config['size'] ?? '',
    ]),
  )
  const lines = [...groups].map(([key, members]) => {
    const cells = [
      joined(members.map(({ name }) => subjectOf(name))),
      ...(JSON.parse(key) as unknown[]).map(String),
      joined(members.map(({ config }) => config['durability'])),
      joined(members.map(({ config }) => config['seed'])),
      joined(members.map(({ config }) => String(config['date'] ?? '').slice(0, 10))),
    ]
    return element(
      'tr',
      {},
      cells.map((cell) => element('td', {}, cell)),
    )
  })
  const heads = ['rows', 'machine', 'kernel', 'files on', 'Node', 'size', 'durability', 'seed']
  return table([...heads, 'day'], [element('tbody', {}, lines)])
}

/** What is known, each once. */
function joined(values: readonly unknown[]): string {
  const known = values.filter((value) => value !== undefined && value !== '').map(String)
  return [...new Set(known)].sort().join(', ')
}

export function allRowsTable(rows: readonly Row[], groups: readonly PeerGroup[]): Markup {
  const bySubject = groupBy(measuredRows(rows), ({ name }) => subjectOf(name))
  const bodies = [...bySubject].map(([subject, members]) =>
    element(
      'tbody',
      {},
      element('tr', {}, element('th', { colspan: 5, scope: 'rowgroup' }, subject)),
      members.map((row, i) => lineOf(row, members[i - 1], groups)),
    ),
  )
  return table(['row', 'median', 'runs', 'limit, same run', 'ratio'], bodies)
}

function lineOf(row: Row, above: Row | undefined, groups: readonly PeerGroup[]): Markup {
  const { name, unit, value, limit, ratio } = row
  const text = configText(row)
  // What is said once need not be said for each percentile.
  const isSaid = above !== undefined && configText(above) === text
  return element(
    'tr',
    {},
    element(
      'td',
      {},
      element('code', {}, name),
      lossMark(row, groups),
      isSaid ? '' : element('small', {}, text),
    ),
    element('td', { class: 'number' }, formatNumber(value), unitBeside(unit)),
    element('td', { class: 'quiet' }, spreadOf(row)),
    element('td', { class: 'number' }, limit === undefined ? '' : formatNumber(limit)),
    element('td', { class: 'number' }, ratio === undefined ? '' : ratio.toFixed(2)),
  )
}

/** A long unit gets a line of its own, or the table would be too wide. */
function unitBeside(unit: string): Markup | string {
  return unit.length <= 3 ? ` ${unit}` : element('small', {}, unit)
}

function spreadOf({ runs }: Row): string {
  if (runs.length < 2) return ''
  const least = formatNumber(Math.min(...runs))
  return `${runs.length}: ${least} – ${formatNumber(Math.max(...runs))}`
}

/** On a peer's row that is better than ours, and on ours that is worse than a peer's. */
function lossMark(row: Row, groups: readonly PeerGroup[]): Markup[] {
  const group = groups.find(({ rows }) => rows.includes(row))
  if (group === undefined || !isLost(group)) return []
  const own = group.rows.find(isOwn)
  if (own === undefined) return []
  const isBetter = isLowerBetter(row) ? row.value < own.value : row.value > own.value
  if (isOwn(row) && row !== own) return []
  if (!isOwn(row) && !isBetter) return []
  const text = isOwn(row) ? 'a peer is better' : 'better than tidewheel'
  return [{ markup: ' ' }, element('span', { class: 'lost' }, text)]
}

export function skippedList(rows: readonly Row[]): Markup | undefined {
  const reasons = groupBy(
    rows.filter((row) => skipReason(row) !== undefined),
    skipReason,
  )
  if (reasons.size === 0) return undefined
  return element(
    'ul',
    {},
    [...reasons].map(([reason = '', skipped]) =>
      element(
        'li',
        {},
        skipped.flatMap(({ name }, i) => [i === 0 ? '' : ', ', element('code', {}, name)]),
        `: ${reason}`,
      ),
    ),
  )
}

function table(heads: readonly string[], bodies: readonly Markup[]): Markup {
  const numbers = new Set(['median', 'limit, same run', 'ratio'])
  return element(
    'div',
    { class: 'wide' },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          heads.map((head) =>
            element('th', { scope: 'col', class: numbers.has(head) ? 'number' : undefined }, head),
          ),
        ),
      ),
      bodies,
    ),
  )
}

function subjectOf(name: string): string {
  return name.split('.')[0] ?? name
}
