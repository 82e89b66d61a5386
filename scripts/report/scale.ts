/** Axes: from figures to places on the page, with ticks at round figures. */

export interface Scale {
  /** 0 at the beginning of the axis, 1 at its end. */
  at(value: number): number
  readonly ticks: readonly number[]
}

/** An axis needs a length, also when everything on it is zero. */
const LENGTH_MIN = 1e-9

/** From zero to a round figure that is not less than the largest. */
export function linearScale(values: readonly number[]): Scale {
  const largest = Math.max(...values, LENGTH_MIN)
  const step = roundStep(largest / 5)
  const end = Math.ceil(largest / step) * step
  const count = Math.round(end / step)
  return {
    at: (value) => value / end,
    ticks: Array.from({ length: count + 1 }, (_, i) => i * step),
  }
}

/** The next of 1, 2, 5 · 10ⁿ. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * 0.999) ?? 10
  return factor * power
}

/** Whole decades around the figures; ticks also at 2 and 5 where there are few decades. */
export function logScale(values: readonly number[]): Scale {
  const logs = values.filter((value) => value > 0).map(Math.log10)
  const first = Math.floor(Math.min(...logs) + 1e-9)
  const last = Math.max(first + 1, Math.ceil(Math.max(...logs) - 1e-9))
  const factors = last - first <= 2 ? [1, 2, 5] : [1]
  const ticks: number[] = []
  for (let power = first; power <= last; power++) {
    for (const factor of factors) {
      if (power < last || factor === 1) ticks.push(factor * 10 ** power)
    }
  }
  return { at: (value) => (Math.log10(value) - first) / (last - first), ticks }
}
