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
/** Making a string by concatenation costs more a step. */
const SHORT_READ_CHARACTERS = 8
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
  if (end - start <= SHORT_READ_CHARACTERS) {
    let text = ''
    let i = start
    for (; i < end; i++) {
      const byte = bytes[i] as number
      if (byte >= 0x80) break
      text += String.fromCharCode(byte)
    }
    if (i === end) return text
  }
  return bytes.toString('utf8', start, end)
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
