/** Instants as people and programs write them on the command line. */

const US_A_MS = 1000
const MICROSECOND_DIGITS = 6
/** Without a zone an instant would depend on where the command is run. */
const ISO_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)$/

/** Microseconds since 1970, at least 1; undefined for what is no such instant. */
export function parseTime(text: string): number | undefined {
  const timeUs = /^\d{1,16}$/.test(text) ? Number(text) : parseIso(text)
  return Number.isSafeInteger(timeUs) && timeUs >= 1 ? timeUs : undefined
}

/** NaN for what is none, or a date that no calendar has. */
function parseIso(text: string): number {
  const [, seconds, fraction = '', zone] = ISO_TIME.exec(text) ?? []
  if (seconds === undefined || zone === undefined) return Number.NaN
  // A 31st of February would become a day in March.
  const isReal = new Date(`${seconds}Z`).toJSON()?.startsWith(seconds) === true
  if (!isReal) return Number.NaN
  const ms = Date.parse(`${seconds}${zone}`)
  return ms * US_A_MS + Number(fraction.padEnd(MICROSECOND_DIGITS, '0'))
}
