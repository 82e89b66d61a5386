/** Whether bytes are zero: the tail of a segment must be, and it can be 64 MiB long. */

/** Compared as a whole by memcmp, which is ten times faster than a loop. */
const ZEROS = Buffer.alloc(64 * 1024)
/** Below this a loop is as fast. */
const FINE_PIECE_BYTES = 256

export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.byteLength) {
    const lengthBytes = Math.min(ZEROS.byteLength, to - at)
    if (ZEROS.compare(bytes, at, at + lengthBytes, 0, lengthBytes) !== 0) return false
  }
  return true
}

/** The offset after the last non-zero byte in the range, or `from` when all are zero. */
export function endOfNonZero(bytes: Uint8Array, from: number, to: number): number {
  let end = endByPieces(bytes, from, to, ZEROS.byteLength)
  end = endByPieces(bytes, from, end, FINE_PIECE_BYTES)
  while (end > from && bytes[end - 1] === 0) end--
  return end
}

/** Takes zero pieces off the end. */
function endByPieces(bytes: Uint8Array, from: number, to: number, pieceBytes: number): number {
  let end = to
  while (end > from) {
    const start = Math.max(from, end - pieceBytes)
    if (!isZero(bytes, start, end)) break
    end = start
  }
  return end
}
