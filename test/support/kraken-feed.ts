/** Lines of a recording of Kraken's `book-1000` channel as commands of the level-book domain. */
import type { CommandType } from '../../engine/domain.js'
import type { LevelUpdate } from './level-book.js'
import { levelsToText, UpdateBook } from './level-book-domain.js'

export interface KrakenUpdate {
  readonly pair: string
  /** The first line of a pair: replaces the whole book. */
  readonly isSnapshot: boolean
  readonly asks: readonly LevelUpdate[]
  readonly bids: readonly LevelUpdate[]
  readonly checksum: number | undefined
}

type Part = {
  readonly as?: LevelUpdate[]
  readonly bs?: LevelUpdate[]
  readonly a?: LevelUpdate[]
  readonly b?: LevelUpdate[]
  readonly c?: string
}

export function parseKrakenLine(line: string): KrakenUpdate {
  const message = JSON.parse(line.slice(line.indexOf(': ') + 2)) as unknown[]
  const pair = message[message.length - 1] as string
  const part: Part = Object.assign({}, ...(message.slice(1, -2) as Part[]))
  return {
    pair,
    isSnapshot: part.as !== undefined,
    asks: part.as ?? part.a ?? [],
    bids: part.bs ?? part.b ?? [],
    checksum: part.c === undefined ? undefined : Number(part.c),
  }
}

type UpdateInput = typeof UpdateBook extends CommandType<infer Input> ? Input : never

export function updateCommand(update: KrakenUpdate): [typeof UpdateBook, UpdateInput] {
  const { pair, isSnapshot, asks, bids } = update
  const levels = { asks: levelsToText(asks), bids: levelsToText(bids) }
  return [UpdateBook, { book: pair, clear: isSnapshot, ...levels }]
}
