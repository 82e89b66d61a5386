/** Idempotency keys on their way into a command: taken from its options, checked, and written. */
import { TidewheelError } from '../journal/errors.js'
import { KEY_BYTES_MAX } from '../journal/record-layout.js'
import type { CommandOptions } from './command-port.js'

/** A misspelled option would be a command without its key. */
export function keyOf(options: CommandOptions): string | undefined {
  if (typeof options !== 'object' || options === null) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `the options of a command are an object such as { key: 'payment-77' }, got a ${typeof options}`,
    )
  }
  for (const name in options) {
    if (name === 'key') continue
    throw new TidewheelError(
      'INVALID_OPTION',
      `${JSON.stringify(name)} is not an option of a command; the only one is key`,
    )
  }
  return options.key
}

const utf8 = new TextEncoder()

/** Writes a key at `offset`; returns its length in bytes. */
export function writeKey(key: string, bytes: Uint8Array, offset: number): number {
  // Shared memory is not accepted by encodeInto everywhere, so long keys are encoded apart.
  const lengthBytes = typeof key === 'string' ? writeAscii(key, bytes, offset) : NOT_ASCII
  if (lengthBytes !== NOT_ASCII && lengthBytes > 0) return lengthBytes
  // Lone surrogates would all be written as the same character, and so be the same key.
  const isText = typeof key === 'string' && key.isWellFormed()
  const encoded = isText ? utf8.encode(key) : new Uint8Array(0)
  if (encoded.length === 0 || encoded.length > KEY_BYTES_MAX) {
    throw new TidewheelError(
      'INVALID_COMMAND',
      `an idempotency key is well-formed text of 1 to ${KEY_BYTES_MAX} bytes; this one is ${describeKey(key, encoded.length)}`,
    )
  }
  bytes.set(encoded, offset)
  return encoded.length
}

const NOT_ASCII = -1

function writeAscii(text: string, bytes: Uint8Array, offset: number): number {
  const { length } = text
  if (length > KEY_BYTES_MAX) return NOT_ASCII
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return NOT_ASCII
    bytes[offset + i] = unit
  }
  return length
}

function describeKey(key: unknown, lengthBytes: number): string {
  if (typeof key !== 'string') return `a ${typeof key}`
  return key.isWellFormed() ? `${lengthBytes} bytes long` : 'broken: it has a lone surrogate'
}
