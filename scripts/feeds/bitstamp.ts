/**
 * Reads a recording of Bitstamp's order-by-order feed: `<local time, ms> <event> <JSON>` a line.
 * Prices become cents and amounts satoshi, exactly. A broken line is reported and skipped; the
 * reader goes on.
 *
 * An order placed is `order_created`; one cancelled is `order_deleted` with something left. All
 * else are consequences that the exchange reports: `order_changed` and `order_deleted` with nothing
 * left (fills), `trade`, and `order_book` (its own view of the best 20 prices a side).
 */
import type { Side } from '../../examples/exchange/order-book.js'
import { parseDecimal } from './decimal.js'
import { type OnBrokenLine, readFeedLines } from './feed-lines.js'

export const PRICE_DECIMALS = 2
export const AMOUNT_DECIMALS = 8

interface RowPlace {
  /** From 1. */
  readonly line: number
  /** When the recorder received it, in milliseconds since 1970. */
  readonly timeMs: number
}

export interface BitstampOrder extends RowPlace {
  readonly kind: 'order_created' | 'order_changed' | 'order_deleted'
  readonly order: number
  readonly side: Side
  readonly priceCents: number
  /** What is left of the order. */
  readonly amountSatoshi: number
}

export interface BitstampTrade extends RowPlace {
  readonly kind: 'trade'
  readonly trade: number
  readonly priceCents: number
  readonly amountSatoshi: number
}

export type BitstampLevel = readonly [priceCents: number, amountSatoshi: number]

export interface BitstampSnapshot extends RowPlace {
  readonly kind: 'order_book'
  /** Best first, as are the asks. */
  readonly bids: readonly BitstampLevel[]
  readonly asks: readonly BitstampLevel[]
}

export type BitstampRow = BitstampOrder | BitstampTrade | BitstampSnapshot

export async function* readBitstampRows(
  file: string,
  onBroken: OnBrokenLine,
): AsyncGenerator<BitstampRow> {
  for await (const { line, text } of readFeedLines(file, onBroken)) {
    if (text === '') continue
    const row = parseBitstampLine(text, line)
    if (typeof row === 'string') onBroken({ line, reason: row })
    else yield row
  }
}

/** The row, or what is wrong with the line. */
export function parseBitstampLine(text: string, line: number): BitstampRow | string {
  const match = /^(\d{1,15}) ([a-z_]+) (\{.*\})$/.exec(text)
  if (match === null) return 'is not of the form "<milliseconds> <event> <JSON object>"'
  const [, time, kind, json] = match as unknown as [string, string, string, string]
  const timeMs = Number(time)
  const data = parseJson(json)
  if (data === undefined) return 'its JSON cannot be parsed'
  switch (kind) {
    case 'order_created':
    case 'order_changed':
    case 'order_deleted':
      return orderOf(kind, { line, timeMs }, data)
    case 'trade':
      return tradeOf({ line, timeMs }, data)
    case 'order_book':
      return snapshotOf({ line, timeMs }, data)
    default:
      return `has the unknown event "${kind.slice(0, 40)}"`
  }
}

type Json = Readonly<Record<string, unknown>>

function orderOf(kind: BitstampOrder['kind'], place: RowPlace, data: Json): BitstampOrder | string {
  const { id, order_type: type, price, amount } = data
  if (!isId(id)) return 'its id is not a positive integer'
  if (type !== 0 && type !== 1) return 'its order_type is neither 0 (buy) nor 1 (sell)'
  const level = levelOf([price, amount])
  if (typeof level === 'string') return level
  const [priceCents, amountSatoshi] = level
  const side = type === 0 ? 'buy' : 'sell'
  return { kind, ...place, order: id, side, priceCents, amountSatoshi }
}

/** Trades alone come as JSON floats, with float noise: rounding gives back what was meant. */
function tradeOf(place: RowPlace, data: Json): BitstampTrade | string {
  const { id, price, amount } = data
  if (!isId(id)) return 'its id is not a positive integer'
  if (typeof price !== 'number' || typeof amount !== 'number') {
    return 'its price or its amount is not a number'
  }
  const priceCents = Math.round(price * 10 ** PRICE_DECIMALS)
  const amountSatoshi = Math.round(amount * 10 ** AMOUNT_DECIMALS)
  if (!isCount(priceCents)) return 'its price is out of range'
  if (!isCount(amountSatoshi)) return 'its amount is out of range'
  return { kind: 'trade', ...place, trade: id, priceCents, amountSatoshi }
}

function snapshotOf(place: RowPlace, data: Json): BitstampSnapshot | string {
  const { bids: bidLevels, asks: askLevels } = data
  const bids = levelsOf(bidLevels)
  if (typeof bids === 'string') return `its bids: ${bids}`
  const asks = levelsOf(askLevels)
  if (typeof asks === 'string') return `its asks: ${asks}`
  return { kind: 'order_book', ...place, bids, asks }
}

function levelsOf(value: unknown): BitstampLevel[] | string {
  if (!Array.isArray(value)) return 'are not a list'
  const levels: BitstampLevel[] = []
  for (const each of value) {
    const level = levelOf(each)
    if (typeof level === 'string') return level
    levels.push(level)
  }
  return levels
}

function levelOf(value: unknown): BitstampLevel | string {
  if (!Array.isArray(value) || value.length !== 2) return 'a level is not [price, amount]'
  const [price, amount]: unknown[] = value
  if (typeof price !== 'string' || typeof amount !== 'string') {
    return 'its price or its amount is not a decimal string'
  }
  const priceCents = parseDecimal(price, PRICE_DECIMALS)
  if (priceCents === undefined || priceCents < 0) {
    return `its price "${price.slice(0, 40)}" is not a decimal with at most ${PRICE_DECIMALS} places`
  }
  const amountSatoshi = parseDecimal(amount, AMOUNT_DECIMALS)
  if (amountSatoshi === undefined || amountSatoshi < 0) {
    return `its amount "${amount.slice(0, 40)}" is not a decimal with at most ${AMOUNT_DECIMALS} places`
  }
  return [priceCents, amountSatoshi]
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
