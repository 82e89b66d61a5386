import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Row } from '../bench/benchmark.js'
import {
  isLowerBetter,
  projectRoot,
  readRows,
  rowsToPlot,
  withoutSmaller,
} from '../scripts/measurements.js'
import { escapeText } from '../scripts/report/markup.js'
import { reportPage } from '../scripts/report/page.js'
import { isLost, peerGroups } from '../scripts/report/peer-charts.js'
import { linearScale, logScale } from '../scripts/report/scale.js'

function row(name: string, unit: string, value: number, more: Partial<Row> = {}): Row {
  return { name, unit, value, runs: [value], config: { node: 'v20.0.0' }, ...more }
}

function peerRow(peer: string, mode: string, value: number, workload = 'transfers'): Row {
  const unit = workload === 'transfers' ? 'transfers/s' : 'ms'
  const config = { peer, mode, workload, durability: 'disk', node: 'v20.0.0' }
  const name = workload === 'transfers' ? mode : workload
  return row(`peers.${peer}.${name}`, unit, value, { config })
}

/** All kinds of rows that have a plot, with made-up figures. */
function madeUpRows(): Row[] {
  const rows = [row('transfer.throughput', 'durable commands/s', 2e6, { limit: 3e6, ratio: 0.67 })]
  for (const rate of [100_000, 500_000, 1_000_000]) {
    for (const [i, percentile] of ['p50', 'p90', 'p99', 'p999', 'p9999', 'max'].entries()) {
      const name = `transfer.latency@${rate}.${percentile}`
      const config = { node: 'v20.0.0' }
      rows.push(row(name, 'µs', 150 * (i + 1) ** 2, { limit: 100 * (i + 1) ** 2, config }))
    }
    rows.push(row(`transfer.latency@${rate}.answered`, 'durable commands/s', rate * 0.99))
  }
  for (const size of [1024, 1_048_576]) {
    rows.push(row(`transfer.accounts@${size}`, 'durable commands/s', 5e9 / size, { limit: 6e6 }))
    rows.push(row(`open.recover@${size}`, 's', size / 1e6, { limit: size / 2e6 }))
  }
  rows.push(peerRow('tidewheel', 'single', 3000), peerRow('sqlite', 'single', 4000))
  rows.push(peerRow('tidewheel', 'submit', 2e6), peerRow('sqlite', 'batch100', 1e5))
  rows.push(peerRow('tidewheel', 'submit', 90, 'open'), peerRow('sqlite', 'batch100', 1, 'open'))
  return rows
}

/** Every element closed in order, every attribute quoted, no bare `<` or `&`. */
function expectWellFormed(page: string): void {
  const open: string[] = []
  const markup = page.replace(/<style>[\s\S]*?<\/style>/, '').replace('<!doctype html>', '')
  const pieces = /<(\/?)([a-z][a-z0-9]*)((?: [a-zA-Z0-9-]+="[^"<]*")*)>|([^<]+)|(<)/g
  for (const [whole, slash, name = '', attributes = '', text, stray] of markup.matchAll(pieces)) {
    if (stray !== undefined) throw new Error(`bare < behind ${open.join(' ')}`)
    if (/&(?!(?:amp|lt|gt|quot);)/.test(text ?? attributes)) throw new Error(`bare & in ${whole}`)
    if (text !== undefined || name === 'meta') continue
    if (slash === '') open.push(name)
    else if (open.pop() !== name) throw new Error(`${whole} closes what is not open`)
  }
  expect(open).toEqual([])
}

describe('report', () => {
  it('docs/report.html: is what the committed rows give', () => {
    const committed = readFileSync(join(projectRoot, 'docs', 'report.html'), 'utf8')
    expect(reportPage(readRows()) === committed, 'npm run report was not run').toBe(true)
    expectWellFormed(committed)
  })

  it('page: loads nothing from elsewhere', () => {
    const page = reportPage(madeUpRows())
    expect([...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, url]) => url)).toEqual([
      'measurements/',
    ])
    expect(page).not.toMatch(/<script|<img|<link|@import|url\(|https?:/)
  })

  it('page: is well-formed and has every plot (all kinds of rows)', () => {
    const page = reportPage(madeUpRows())
    expectWellFormed(page)
    expect(page.match(/<svg /g)).toHaveLength(7)
    expect(page).not.toContain('This was not measured.')
    expect(/NaN|undefined|Infinity/.exec(page)?.[0]).toBe(undefined)
  })

  it('page: says what was not measured (no rows, and one row only)', () => {
    for (const rows of [[], [row('transfer.throughput', 'durable commands/s', 1)]]) {
      const page = reportPage(rows)
      expectWellFormed(page)
      expect(page.match(/This was not measured\./g)).toHaveLength(5)
      expect(page).not.toContain('<svg')
    }
  })

  it('page: a skipped row stands with its reason, and in no plot', () => {
    const config = { peer: 'lmdb', workload: 'transfers', mode: 'single', skipped: 'no binary' }
    const skipped = row('peers.lmdb.single', '', 0, { runs: [], config })
    const page = reportPage([...madeUpRows(), skipped])
    expect(page).toContain('<code>peers.lmdb.single</code>: no binary')
    expect(page).not.toContain('lmdb · single')
  })

  it('page: any text and any figure stays text and figure', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<b>&"\'</b>', '</style>'))
    const names = fc.oneof(
      text,
      text.map((end) => `peers.${end}`),
      fc.nat().map((size) => `open.recover@${size}`),
      fc.nat().map((size) => `transfer.accounts@${size}`),
      fc.nat().map((rate) => `transfer.latency@${rate}.p99`),
      fc.nat().map((rate) => `transfer.latency@${rate}.answered`),
    )
    const figure = fc.oneof(
      fc.double({ min: 1e-9, max: 1e15, noNaN: true }),
      fc.nat(),
      fc.constant(0),
    )
    const config = fc.record(
      {
        peer: fc.oneof(text, fc.constant('tidewheel')),
        workload: fc.constantFrom('transfers', 'open', 'read'),
        mode: text,
        how: text,
        durability: fc.constantFrom('disk', 'none'),
      },
      { requiredKeys: [] },
    )
    const anyRow = fc.record({
      name: names,
      unit: text,
      value: figure,
      limit: figure,
      runs: fc.array(figure),
      config,
    })
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 6 }), (rows) => {
        const page = reportPage(rows)
        expectWellFormed(page)
        // Figures as large as these have a place on the page.
        expect(/ (?:x|y|x1|y1|cx|cy|width|height|points)="[^"]*[a-zA-Z]/.exec(page)?.[0]).toBe(
          undefined,
        )
      }),
      { numRuns: 100 },
    )
  })

  it('escapeText: leaves nothing that a browser could take for markup', () => {
    expect(escapeText('<a href="x">&amp;</a>')).toBe(
      '&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;',
    )
  })

  it('scales: ticks rise, and all figures lie on the axis', () => {
    const figures = fc.array(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(figures, fc.constantFrom(linearScale, logScale), (values, scaleOf) => {
        const { at, ticks } = scaleOf(values)
        expect(ticks.length).toBeGreaterThan(1)
        for (const [i, tick] of ticks.entries())
          if (i > 0) expect(tick).toBeGreaterThan(ticks[i - 1]!)
        for (const value of [...values, ...ticks]) {
          expect(at(value)).toBeGreaterThanOrEqual(-1e-9)
          expect(at(value)).toBeLessThanOrEqual(1 + 1e-9)
        }
      }),
    )
  })

  it('line names: do not overlap (many lines that end in the same place, at the bottom)', () => {
    const rows = Array.from({ length: 18 }, (_, i) =>
      row(`transfer.latency@${i + 1}.max`, 'µs', 100),
    )
    const page = reportPage(rows)
    const tops = [...page.matchAll(/class="name[^>]*>.*?<text x="[\d.]+" y="([\d.]+)"/g)]
      .map(([, y]) => Number(y))
      .sort((a, b) => a - b)
    expect(tops).toHaveLength(18)
    for (let i = 1; i < tops.length; i++)
      expect(tops[i]! - tops[i - 1]!).toBeGreaterThanOrEqual(17.9)
    expect(tops[0]).toBeGreaterThan(10)
    // Not below the axis.
    expect(tops.at(-1)).toBeLessThan(390)
  })

  it('peers: a group is lost when a peer is better, more or less as its unit wants', () => {
    const lost = peerGroups(madeUpRows()).map((group) => [group.title, isLost(group)])
    expect(lost).toEqual([
      ['Durable transfers, one at a time', true],
      ['Durable transfers, many at once', false],
      ['Opening a closed store', true],
    ])
    const page = reportPage(madeUpRows())
    expect(page.match(/tidewheel is not the best/g)).toHaveLength(2)
    expect(page.match(/better than tidewheel/g)).toHaveLength(2)
    expect(page.match(/a peer is better/g)).toHaveLength(2)
  })

  it('units: times and sizes are better when small', () => {
    const lower = ['µs', 'ms', 's', 'ns', 'ns/op', 'bytes/transfer', '% of a core']
    for (const unit of lower) expect(isLowerBetter(row('x', unit, 1)), unit).toBe(true)
    const higher = ['transfers/s', 'durable commands/s', 'events/s', 'bytes/s', 'ops/s']
    for (const unit of higher) expect(isLowerBetter(row('x', unit, 1)), unit).toBe(false)
  })

  it('rows: the full size stands for the quick one, of the same Node', () => {
    const of = (size: string, node: string) => row('a', 's', 1, { config: { size, node } })
    const full = of('full', 'v20.1.0')
    const other = of('quick', 'v26.1.0')
    expect(withoutSmaller([of('quick', 'v20.2.0'), full, other])).toEqual([full, other])
  })

  it('plots: one row a name, of the oldest Node (measured with several)', () => {
    const of = (node: string, value: number) => row('a', 's', value, { config: { node } })
    expect(rowsToPlot([of('v26.1.0', 1), of('v20.2.0', 2), of('v24.0.0', 3)])).toEqual([
      of('v20.2.0', 2),
    ])
  })
})
