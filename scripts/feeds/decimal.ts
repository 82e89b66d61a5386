/** Decimal strings as exact integers: feeds write "236.47", books count 23,647 cents. */

/**
 * The value of `text` times 10 to the power of `decimals`, or undefined where it is not a plain
 * decimal number, has more decimals than that, or does not fit a safe integer. No float is involved.
 */
export function parseDecimal(text: string, decimals: number): number | undefined {
  let value = 0
  let digits = 0
  let point = -1
  const start = text.charCodeAt(0) === 0x2d ? 1 : 0
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 0x2e && point < 0) {
      point = index
      continue
    }
    if (code < 0x30 || code > 0x39) return undefined
    digits += 1
    value = value * 10 + (code - 0x30)
    if (value > Number.MAX_SAFE_INTEGER) return undefined
  }
  const written = point < 0 ? 0 : text.length - point - 1
  if (digits === 0 || written > decimals) return undefined
  value *= 10 ** (decimals - written)
  if (value > Number.MAX_SAFE_INTEGER) return undefined
  return start === 1 && value !== 0 ? -value : value
}
