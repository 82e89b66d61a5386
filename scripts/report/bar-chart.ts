/**
 * Bars on a logarithmic axis, the best on top: what one reads is by how many powers of ten they
 * differ, so each bar also carries its figure.
 */
import { element, type Markup } from './markup.js'
import { logScale } from './scale.js'

export interface Bar {
  readonly name: string
  readonly value: number
  /** At the end of the bar. */
  readonly label: string
  readonly title: string
  /** tidewheel's own. */
  readonly isOwn: boolean
}

export interface BarChart {
  readonly description: string
  readonly axis: string
  readonly format: (value: number) => string
  readonly bars: readonly Bar[]
}

const WIDTH = 860
const LEFT = 216
const RIGHT = 214
const TOP = 6
const BOTTOM = 58
const BAR_HEIGHT = 22
const BAR_DISTANCE = 31
const PLOT_WIDTH = WIDTH - LEFT - RIGHT

export function barChart({ description, axis, format, bars }: BarChart): Markup {
  // The axis begins below the smallest, so that it has a bar too.
  const smallest = Math.min(...bars.map(({ value }) => value))
  const scale = logScale([...bars.map(({ value }) => value), smallest / 2])
  const plotHeight = bars.length * BAR_DISTANCE
  const height = TOP + plotHeight + BOTTOM
  const place = (value: number) => LEFT + Math.max(0, scale.at(value)) * PLOT_WIDTH
  return element(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${height}`,
      role: 'img',
      'aria-label': description,
      class: 'bar-chart',
    },
    scale.ticks.flatMap((tick) => [
      element('line', {
        x1: place(tick),
        x2: place(tick),
        y1: TOP,
        y2: TOP + plotHeight,
        class: 'grid',
      }),
      element(
        'text',
        { x: place(tick), y: TOP + plotHeight + 20, class: 'tick middle' },
        format(tick),
      ),
    ]),
    bars.map((bar, i) => {
      const top = TOP + i * BAR_DISTANCE + (BAR_DISTANCE - BAR_HEIGHT) / 2
      const middle = top + BAR_HEIGHT / 2 + 5
      return element(
        'g',
        { class: bar.isOwn ? 'bar own' : 'bar' },
        element('title', {}, bar.title),
        element('text', { x: LEFT - 10, y: middle, class: 'end' }, bar.name),
        element('rect', {
          x: LEFT,
          y: top,
          width: place(bar.value) - LEFT,
          height: BAR_HEIGHT,
          rx: 2,
        }),
        element('text', { x: place(bar.value) + 8, y: middle }, bar.label),
      )
    }),
    element('text', { x: LEFT + PLOT_WIDTH / 2, y: height - 8, class: 'axis middle' }, axis),
  )
}
