/**
 * The numbered lines of a feed file, plain or `.gz`, read as a stream: a feed may be larger than
 * memory. A line that is too long and a file that ends within its compressed data are reported like
 * any broken line, and what is readable is read.
 */
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { createGunzip } from 'node:zlib'

export interface FeedLine {
  /** From 1. */
  readonly line: number
  readonly text: string
}

export interface BrokenLine {
  /** From 1. */
  readonly line: number
  /** What is wrong with it, as a sentence without a full stop. */
  readonly reason: string
}

export type OnBrokenLine = (broken: BrokenLine) => void

export const LINE_LENGTH_MAX = 1024 * 1024

export function readFeedLines(file: string, onBroken: OnBrokenLine): AsyncGenerator<FeedLine> {
  return linesOf(bytesOf(file), onBroken)
}

/** The lines of bytes that come in pieces, cut anywhere. */
export async function* linesOf(
  pieces: AsyncIterable<Buffer> | Iterable<Buffer>,
  onBroken: OnBrokenLine,
): AsyncGenerator<FeedLine> {
  const decoder = new StringDecoder('utf8')
  let line = 1
  let rest = ''
  let isTooLong = false
  try {
    for await (const piece of pieces) {
      const parts = (rest + decoder.write(piece)).split('\n')
      rest = parts.pop() ?? ''
      for (const text of parts) {
        if (isTooLong || text.length > LINE_LENGTH_MAX) onBroken(tooLong(line))
        else yield { line, text: withoutReturn(text) }
        isTooLong = false
        line += 1
      }
      // The rest of an endless line is dropped as it comes, so that it does not fill memory.
      if (rest.length > LINE_LENGTH_MAX) isTooLong = true
      if (isTooLong) rest = ''
    }
  } catch (error) {
    if (!isDecompressionError(error)) throw error
    onBroken({ line, reason: `the compressed data is damaged or cut off here (${error.message})` })
    return
  }
  rest += decoder.end()
  if (isTooLong) onBroken(tooLong(line))
  else if (rest !== '') yield { line, text: withoutReturn(rest) }
}

function bytesOf(file: string): AsyncIterable<Buffer> {
  const stream = createReadStream(file, { highWaterMark: 256 * 1024 })
  if (!file.endsWith('.gz')) return stream
  // The error reaches the reader through the last stream; the callback has nothing to add.
  return pipeline(stream, createGunzip(), () => {})
}

function isDecompressionError(error: unknown): error is Error {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code?.startsWith('Z_') === true
}

function tooLong(line: number): BrokenLine {
  return { line, reason: `is longer than ${LINE_LENGTH_MAX} characters` }
}

function withoutReturn(text: string): string {
  return text.endsWith('\r') ? text.slice(0, -1) : text
}
