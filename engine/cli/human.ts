/** Figures and tables as people read them. */

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `1,234,567` */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `12.5 MiB` */
export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** `40 seconds`, `5 minutes`, `3 hours`, `12 days`: the largest unit of which there are two, or seconds. */
export function duration(seconds: number): string {
  const [unit = 'second', length = 1] = DURATIONS.find(([, length]) => seconds >= 2 * length) ?? []
  return plural(Math.max(0, Math.floor(seconds / length)), unit)
}

const DURATIONS: readonly (readonly [string, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

/** `1 block`, `2 blocks` */
export function plural(value: number, singular: string, many = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : many}`
}

/**
 * Rows of cells as lines, in columns as wide as their widest cell; columns named in `right` are
 * aligned at their right side.
 */
export function table(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  }
  return rows.map((row) => {
    const cells = row.map((cell, i) => {
      const width = widths[i] ?? 0
      return right.includes(i) ? cell.padStart(width) : cell.padEnd(width)
    })
    return `  ${cells.join('  ')}`.trimEnd()
  })
}
