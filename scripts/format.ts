/** Figures as text, the same everywhere. */

/** Three digits or more: 0.123, 4.56, 78.9, 1,234,567. */
export function formatNumber(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}

/** 1,500,000 as 1.5 M: for axes. */
export function formatShort(value: number): string {
  const [divisor, suffix] =
    value >= 1e9 ? [1e9, ' G'] : value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, '']
  return `${formatNumber(value / divisor)}${suffix}`
}

/** Microseconds with the unit that fits: 120 µs, 1.5 ms, 2 s. */
export function formatMicroseconds(value: number): string {
  if (value >= 1e6) return `${formatNumber(value / 1e6)} s`
  return value >= 1e3 ? `${formatNumber(value / 1e3)} ms` : `${formatNumber(value)} µs`
}

export function formatSeconds(value: number): string {
  return value >= 1 ? `${formatNumber(value)} s` : formatMicroseconds(value * 1e6)
}
