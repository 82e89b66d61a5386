/**
 * Text as UTF-8. Only well-formed Unicode is text: a lone surrogate has no UTF-8 form and would
 * come back as another character.
 *
 * Positions are relative to the view; `bytesOver(view)` gives the Buffer to pass. Short ASCII is
 * done in JavaScript, since a call into the runtime costs more than a few characters do. Nothing
 * here hands shared memory to an API that refuses it.
 */
import { Buffer, isUtf8 } from 'node:buffer'

export const TEXT_BYTES_MAX = 256 * 1024

/** Measured: up to these lengths a loop beats the call, which costs as much as 24 steps. */
const SHORT_CHARACTERS = 24
const SURROGATE = /\p{Surrogate}/u

/** The same memory as `view`, with the text methods of Buffer. */
export function bytesOver(view: DataView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}

/** Length in UTF-8, or -1 when the value is no text: not a string, or not well-formed. */
export function textBytes(value: unknown): number {
  if (typeof value !== 'string') return -1
  const characters = value.length
  if (characters <= SHORT_CHARACTERS) {
    let i = 0
    while (i < characters && value.charCodeAt(i) < 0x80) i++
    if (i === characters) return characters
  }
  const lengthBytes = Buffer.byteLength(value)
  if (lengthBytes !== characters && SURROGATE.test(value)) return -1
  return lengthBytes
}

/** Writes text whose length `textBytes` gave; never more bytes than that. */
export function writeText(bytes: Buffer, start: number, value: string, lengthBytes: number): void {
  if (lengthBytes === value.length && lengthBytes <= SHORT_CHARACTERS) {
    for (let i = 0; i < lengthBytes; i++) bytes[start + i] = value.charCodeAt(i)
  } else {
    bytes.write(value, start, lengthBytes, 'utf8')
  }
}

export function readText(bytes: Buffer, start: number, end: number): string {
  const lengthBytes = end - start
  if (lengthBytes > SHORT_CHARACTERS) return bytes.toString('utf8', start, end)
  const place = placeOf(bytes, start, end)
  const recent = recentTexts[place] as string
  if (isRecent(recent, bytes, start, end)) return recent
  const text = bytes.toString('utf8', start, end)
  if (text.length === lengthBytes) recentTexts[place] = text
  return text
}

/**
 * Short ASCII texts that were read lately: names of instruments, currencies and states come again
 * and again, and comparing one costs half of what making it does. One that never comes again costs a
 * fifth more (docs/decisions/0020).
 */
const RECENT_TEXTS = 1024
const recentTexts: string[] = new Array(RECENT_TEXTS).fill('')

/** The ends of texts differ most. */
function placeOf(bytes: Buffer, start: number, end: number): number {
  let mixed = end - start
  for (let i = Math.max(start, end - 4); i < end; i++) mixed = (mixed << 8) ^ (bytes[i] as number)
  mixed = Math.imul(mixed, 0x9e37_79b1)
  return mixed >>> 22
}

/** All of `text` is ASCII, so equal numbers mean equal characters. */
function isRecent(text: string, bytes: Buffer, start: number, end: number): boolean {
  let i = end - start
  if (text.length !== i) return false
  while (i > 0 && text.charCodeAt(i - 1) === bytes[start + i - 1]) i--
  return i === 0
}

/** Whether these bytes are well-formed UTF-8. */
export function isText(bytes: Buffer, start: number, end: number): boolean {
  if (end - start <= SHORT_CHARACTERS) {
    let i = start
    while (i < end && (bytes[i] as number) < 0x80) i++
    if (i === end) return true
  }
  return isUtf8(bytes.subarray(start, end))
}
