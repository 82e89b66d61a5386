/**
 * Events as lines of JSON. What JSON has no form for becomes text, the same way everywhere:
 *
 *   u64, and bigints in `any`     decimal digits, "18446744073709551615"
 *   bytes                         base64
 *   infinite numbers              "Infinity", "-Infinity"
 *   time                          ISO 8601 in UTC with microseconds
 *
 * The value is walked here rather than by JSON.stringify, whose replacer costs several times more
 * and cannot tell apart what a line must.
 */
import { Buffer } from 'node:buffer'
import type { JournalEvent } from '../../journal/event-reader.js'
import { printableJson } from './printable.js'

const US_A_SECOND = 1_000_000
const MS_A_SECOND = 1000
/** Length of `2026-01-31T12:00:00`. */
const SECONDS_END = 19

/** Events of one second follow each other, and formatting a date was a sixth of the time of a read. */
let lastSecond = -1
let lastText = ''

/** Without the line feed. */
export function jsonLine(event: JournalEvent): string {
  const { sequence, time, stream, id, version, type, data } = event
  return (
    `{"sequence":${sequence},"time":"${isoTime(time)}","stream":${printableJson(stream)},` +
    `"id":${json(id)},"version":${version},"type":${printableJson(type)},"data":${json(data)}}`
  )
}

/** `2026-01-31T12:00:00.000001Z`, from microseconds since 1970. */
export function isoTime(timeUs: number): string {
  const second = Math.floor(timeUs / US_A_SECOND)
  if (second !== lastSecond) {
    lastSecond = second
    lastText = new Date(second * MS_A_SECOND).toISOString().slice(0, SECONDS_END)
  }
  return `${lastText}.${String(timeUs - second * US_A_SECOND).padStart(6, '0')}Z`
}

/** Plain data of limited depth: what codecs decode. */
export function json(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return printableJson(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : `"${value}"`
    case 'bigint':
      return `"${value}"`
    case 'boolean':
      return String(value)
    default:
      return typeof value === 'object' && value !== null ? jsonOfObject(value) : 'null'
  }
}

function jsonOfObject(value: object): string {
  if (value instanceof Uint8Array) {
    return `"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')}"`
  }
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`
  const members: string[] = []
  for (const [name, member] of Object.entries(value)) {
    members.push(`${printableJson(name)}:${json(member)}`)
  }
  return `{${members.join(',')}}`
}
