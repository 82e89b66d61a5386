/**
 * Why a command was rejected, in the bytes of receipts and KEYED_OUTCOME records: a code for
 * programs, and details as msgpack. Encoded once per code, since a domain has few.
 */
import { causeOf, TidewheelError } from '../journal/errors.js'
import { packPlain } from '../journal/schema/plain-data.js'
import { REJECTION_CODE_BYTES_MAX, REJECTION_DETAIL_BYTES_MAX } from './receipt-layout.js'

const CODES_CACHED_MAX = 1024
const MESSAGE_CHARACTERS_MAX = 500
const NOTHING = new Uint8Array(0)
const utf8 = new TextEncoder()

export class Rejection {
  code: Uint8Array = NOTHING
  detail: Uint8Array = NOTHING
  private readonly codes = new Map<string, Uint8Array>()

  /** What the domain said; a code or a detail that cannot be kept is a failure of the handler. */
  set(code: unknown, detail: unknown): void {
    const encoded = typeof code === 'string' ? this.encode(code) : NOTHING
    if (encoded.length === 0 || encoded.length > REJECTION_CODE_BYTES_MAX) {
      this.setFailure(
        new RangeError(`a rejection's code is a text of 1 to ${REJECTION_CODE_BYTES_MAX} bytes`),
      )
      return
    }
    const packed = detail === undefined ? NOTHING : packDetail(detail)
    if (typeof packed === 'string' || packed.length > REJECTION_DETAIL_BYTES_MAX) {
      const limit = `plain data of at most ${REJECTION_DETAIL_BYTES_MAX} bytes, packed`
      const problem = typeof packed === 'string' ? packed : limit
      this.setFailure(new RangeError(`a rejection's detail must be ${problem}`))
      return
    }
    this.code = encoded
    // What packPlain returns is valid until it is called again.
    this.detail = packed.slice()
  }

  /** A handler threw. The message is the detail; the stack is not: it would be kept for ever. */
  setFailure(error: unknown): void {
    const message = messageOf(error)
    this.code = this.encode('HANDLER_FAILED')
    this.detail = (
      packPlain(message.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed()) as Uint8Array
    ).slice()
  }

  private encode(code: string): Uint8Array {
    let encoded = this.codes.get(code)
    if (encoded === undefined) {
      encoded = utf8.encode(code)
      if (this.codes.size === CODES_CACHED_MAX) this.codes.clear()
      this.codes.set(code, encoded)
    }
    return encoded
  }
}

/** An accessor of the domain's may throw; nothing of a detail may break the engine. */
function packDetail(detail: unknown): Uint8Array | string {
  try {
    return packPlain(detail)
  } catch (error) {
    return `plain data; reading it threw: ${causeOf(error)}`
  }
}

/** What a handler threw, with the code of an error of ours. Never throws, whatever it is given. */
function messageOf(error: unknown): string {
  try {
    if (error instanceof TidewheelError) return String(error.message)
  } catch {
    // A proxy whose prototype cannot be asked for.
  }
  return causeOf(error)
}
