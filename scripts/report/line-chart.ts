/** Lines over two axes, each named at its end, so that no legend has to be matched by colour. */
import { element, type Markup } from './markup.js'
import type { Scale } from './scale.js'

export interface Point {
  readonly x: number
  readonly y: number
  /** Shown by the browser when the mouse rests on it. */
  readonly title: string
}

export interface Series {
  readonly name: string
  /** The number of its colour, 1 to 6. */
  readonly colour: number
  /** What the machine could do, as opposed to what was done. */
  readonly isLimit?: boolean
  /** In the order of x. */
  readonly points: readonly Point[]
}

export interface Axis {
  readonly title: string
  readonly scale: Scale
  readonly format: (value: number) => string
}

export interface LineChart {
  /** For those who cannot see it. */
  readonly description: string
  readonly x: Axis
  readonly y: Axis
  readonly series: readonly Series[]
}

const WIDTH = 860
const HEIGHT = 440
const LEFT = 84
const RIGHT = 190
const TOP = 16
const BOTTOM = 62
const PLOT_WIDTH = WIDTH - LEFT - RIGHT
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM
/** Between the names at the ends of lines, so that they do not overlap. */
const NAME_HEIGHT = 18

export function lineChart(chart: LineChart): Markup {
  return element(
    'svg',
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': chart.description,
      class: 'line-chart',
    },
    verticalAxis(chart.y),
    horizontalAxis(chart.x),
    chart.series.map((series) => line(chart, series)),
    names(chart),
  )
}

function verticalAxis({ title, scale, format }: Axis): Markup[] {
  const middle = TOP + PLOT_HEIGHT / 2
  return [
    ...scale.ticks.flatMap((tick) => {
      const y = placeY(scale, tick)
      return [
        element('line', { x1: LEFT, x2: LEFT + PLOT_WIDTH, y1: y, y2: y, class: 'grid' }),
        element('text', { x: LEFT - 10, y: y + 5, class: 'tick end' }, format(tick)),
      ]
    }),
    element(
      'text',
      { x: 16, y: middle, class: 'axis middle', transform: `rotate(-90 16 ${middle})` },
      title,
    ),
  ]
}

function horizontalAxis({ title, scale, format }: Axis): Markup[] {
  const bottom = TOP + PLOT_HEIGHT
  return [
    ...scale.ticks.flatMap((tick) => {
      const x = placeX(scale, tick)
      return [
        element('line', { x1: x, x2: x, y1: TOP, y2: bottom, class: 'grid' }),
        element('text', { x, y: bottom + 22, class: 'tick middle' }, format(tick)),
      ]
    }),
    element('text', { x: LEFT + PLOT_WIDTH / 2, y: HEIGHT - 10, class: 'axis middle' }, title),
  ]
}

function line({ x, y }: LineChart, series: Series): Markup {
  const places = series.points.map((point) => ({
    left: placeX(x.scale, point.x),
    top: placeY(y.scale, point.y),
    title: point.title,
  }))
  return element(
    'g',
    { class: `series colour-${series.colour}${series.isLimit === true ? ' limit' : ''}` },
    element('polyline', { points: places.map(({ left, top }) => pair(left, top)).join(' ') }),
    places.map(({ left, top, title }) =>
      element('circle', { cx: left, cy: top, r: 4.5 }, element('title', {}, title)),
    ),
  )
}

/** Pushed apart where lines end close to each other; a thin line leads to the end of its own. */
function names({ x, y, series }: LineChart): Markup[] {
  const placed = series
    .flatMap(({ name, colour, points }) => {
      const last = points.at(-1)
      return last === undefined ? [] : [{ name, colour, last, top: placeY(y.scale, last.y) }]
    })
    .sort((a, b) => a.top - b.top)
  let free = TOP + NAME_HEIGHT / 2
  const tops = placed.map(({ top }) => {
    const place = Math.max(top, free)
    free = place + NAME_HEIGHT
    return place
  })
  const excess = Math.max(0, free - NAME_HEIGHT - (TOP + PLOT_HEIGHT))
  return placed.map(({ name, colour, last, top }, i) => {
    const nameTop = (tops[i] ?? top) - excess
    const end = placeX(x.scale, last.x)
    const nameLeft = LEFT + PLOT_WIDTH + 22
    return element(
      'g',
      { class: `name colour-${colour}` },
      element('line', { x1: end + 6, y1: top, x2: nameLeft - 4, y2: nameTop, class: 'leader' }),
      element('text', { x: nameLeft, y: nameTop + 5 }, name),
    )
  })
}

function placeX(scale: Scale, value: number): number {
  return LEFT + scale.at(value) * PLOT_WIDTH
}

function placeY(scale: Scale, value: number): number {
  return TOP + (1 - scale.at(value)) * PLOT_HEIGHT
}

function pair(left: number, top: number): string {
  return `${left.toFixed(1)},${top.toFixed(1)}`
}
