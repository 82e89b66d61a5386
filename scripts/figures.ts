/**
 * `npm run figures`: writes the README's table of figures from the raw rows in docs/measurements, so
 * that no published figure is typed by hand. The rows come from `npm run bench -- … --json FILE`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from '../bench/benchmark.js'

const BEGIN = '<!-- figures: npm run figures -->'
const END = '<!-- /figures -->'

// Compiled, this lies in dist/scripts.
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The README with its table made from these rows. */
export function withFigures(readme: string, rows: readonly Row[]): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`)
  return `${readme.slice(0, begin)}${BEGIN}\n${tableOf(rows)}${readme.slice(end)}`
}

export function readRows(): Row[] {
  const file = join(projectRoot, 'docs', 'measurements', 'transfer.json')
  return JSON.parse(readFileSync(file, 'utf8')) as Row[]
}

function tableOf(rows: readonly Row[]): string {
  const config = rows[0]?.config ?? {}
  const lines = [
    '| | median | runs | hand-written loop, same run | ratio |',
    '|---|---|---|---|---|',
    ...rows.map(lineOf),
    '',
    `${config['accounts']} accounts, uniformly random transfers of two events, level \`${config['durability']}\`, one producer, inline; ${config['cores']} cores (${config['processor']}), ${config['memoryGiB']} GiB, Node ${config['node']}, ${config['fileSystem']}, size \`${config['size']}\`, ${String(config['date']).slice(0, 10)}. Latency is open loop, from the time a transfer was due. Repeat it: \`npm run bench -- transfer\`; raw rows: [docs/measurements](docs/measurements).`,
    '',
  ]
  return lines.join('\n')
}

function lineOf({ name, unit, value, runs, limit, ratio }: Row): string {
  const beside = limit === undefined ? '' : format(limit)
  const share = ratio === undefined ? '' : ratio.toFixed(2)
  return `| \`${name}\` | ${format(value)} ${unit} | ${runs.map(format).join(', ')} | ${beside} | ${share} |`
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(projectRoot, 'README.md')
  writeFileSync(file, withFigures(readFileSync(file, 'utf8'), readRows()))
}
