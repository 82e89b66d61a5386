import { beforeAll, describe, expect, it } from 'vitest'
import { bestAsk, bestBid } from '../examples/exchange/book-queries.js'
import { NO_ORDER, OrderBook, type ReadonlyOrderBook } from '../examples/exchange/order-book.js'
import {
  type BitstampOrder,
  type BitstampRow,
  type BitstampSnapshot,
  readBitstampRows,
} from '../scripts/feeds/bitstamp.js'
import type { BrokenLine } from '../scripts/feeds/feed-lines.js'
import { findData } from './support/data-folder.js'
import { EngineExchange } from './support/exchange-runner.js'
import type { ExchangeEvent, ExchangeOutcome } from './support/naive-exchange.js'

const feed = findData('bitstamp-l3-2015-05-01/events-part1.log.gz')

const HOUR_MS = 3_600_000
/** Both clocks and the order of arrival differ by this much at most for trades to be the same. */
const SAME_TRADE_WITHIN_MS = 5_000

interface Trade {
  readonly timeMs: number
  readonly priceCents: number
  readonly amountSatoshi: number
}

/** A snapshot that arrives this soon after a change may have been taken before it. */
const IN_FLIGHT_MS = 5

/** How many of `of` were reached, in all and after the noisy first hour. */
interface Score {
  reached: number
  of: number
  reachedLater: number
  ofLater: number
}

class Scores {
  readonly #laterFromMs: number
  readonly score: Score = { reached: 0, of: 0, reachedLater: 0, ofLater: 0 }

  constructor(laterFromMs: number) {
    this.#laterFromMs = laterFromMs
  }

  add(timeMs: number, isReached: boolean): void {
    this.score.of += 1
    this.score.reached += Number(isReached)
    if (timeMs < this.#laterFromMs) return
    this.score.ofLater += 1
    this.score.reachedLater += Number(isReached)
  }
}

/**
 * Compares the best prices of a book with every snapshot that the exchange published. Snapshots and
 * orders come over different channels, so a snapshot received just after a change may show the book
 * before it: that is counted apart.
 */
class BestPrices {
  readonly bids: Scores
  readonly asks: Scores
  readonly bidsInFlight: Scores
  readonly asksInFlight: Scores
  /** What was best before each of the latest changes. */
  #replaced: { timeMs: number; bid: number | undefined; ask: number | undefined }[] = []

  constructor(laterFromMs: number) {
    this.bids = new Scores(laterFromMs)
    this.asks = new Scores(laterFromMs)
    this.bidsInFlight = new Scores(laterFromMs)
    this.asksInFlight = new Scores(laterFromMs)
  }

  beforeChange(book: ReadonlyOrderBook, timeMs: number): void {
    this.#replaced = this.#replaced.filter((each) => timeMs - each.timeMs <= IN_FLIGHT_MS)
    this.#replaced.push({ timeMs, bid: bestBid(book), ask: bestAsk(book) })
  }

  compare(book: ReadonlyOrderBook, { timeMs, bids, asks }: BitstampSnapshot): void {
    const inFlight = this.#replaced.filter((each) => timeMs - each.timeMs <= IN_FLIGHT_MS)
    const [bid, ask] = [bids[0]?.[0], asks[0]?.[0]]
    const [isBid, isAsk] = [bestBid(book) === bid, bestAsk(book) === ask]
    this.bids.add(timeMs, isBid)
    this.asks.add(timeMs, isAsk)
    this.bidsInFlight.add(timeMs, isBid || inFlight.some((each) => each.bid === bid))
    this.asksInFlight.add(timeMs, isAsk || inFlight.some((each) => each.ask === ask))
  }
}

/** Keeps the book that the exchange reports, consequences included, without matching anything. */
function keepBook(
  book: OrderBook,
  { kind, order, side, priceCents, amountSatoshi }: BitstampOrder,
) {
  const resting = book.find(order)
  if (kind === 'order_deleted') {
    if (resting !== NO_ORDER) book.remove(order)
  } else if (resting === NO_ORDER) {
    // A change, too, may be the first that is heard of an order: it is older than the recording.
    book.rest(order, side, priceCents, amountSatoshi)
  } else {
    book.reduce(order, book.quantityOf(resting) - amountSatoshi)
  }
}

/** Gives orders and cancels, and nothing else, to the exchange. */
async function trade(exchange: EngineExchange, row: BitstampOrder): Promise<ExchangeOutcome> {
  const { kind, order, side, priceCents: price, amountSatoshi: quantity } = row
  if (kind === 'order_deleted' && quantity > 0) return exchange.run({ type: 'CancelOrder', order })
  if (kind !== 'order_created') return []
  const timeInForce = 'goodTillCancelled'
  return exchange.run({ type: 'PlaceLimit', order, side, price, quantity, timeInForce })
}

function tradesIn(outcome: readonly ExchangeEvent[], timeMs: number): Trade[] {
  return outcome
    .filter(([type]) => type === 'Traded')
    .map(([, { price, quantity }]) => {
      return { timeMs, priceCents: Number(price), amountSatoshi: Number(quantity) }
    })
}

function scoreTrades(expected: readonly Trade[], found: readonly Trade[], laterFromMs: number) {
  const scores = new Scores(laterFromMs)
  const unused = new Set(found)
  for (const { timeMs, priceCents, amountSatoshi } of expected) {
    let same: Trade | undefined
    for (const each of unused) {
      if (each.timeMs - timeMs > SAME_TRADE_WITHIN_MS) break
      if (
        timeMs - each.timeMs <= SAME_TRADE_WITHIN_MS &&
        each.priceCents === priceCents &&
        each.amountSatoshi === amountSatoshi
      ) {
        same = each
        break
      }
    }
    if (same !== undefined) unused.delete(same)
    scores.add(timeMs, same !== undefined)
  }
  return scores.score
}

describe.skipIf(feed === undefined)('exchange against a recorded feed', () => {
  const rows: BitstampRow[] = []
  const broken: BrokenLine[] = []
  let laterFromMs = 0

  beforeAll(async () => {
    for await (const row of readBitstampRows(feed!, (each) => broken.push(each))) rows.push(row)
    laterFromMs = (rows[0]?.timeMs ?? 0) + HOUR_MS
  })

  it('reads every line', () => {
    const counts: Record<string, number> = {}
    for (const { kind } of rows) counts[kind] = (counts[kind] ?? 0) + 1
    expect(broken).toEqual([])
    expect(counts).toEqual({
      order_created: 14_907,
      order_changed: 386,
      order_deleted: 14_919,
      trade: 359,
      order_book: 3_029,
    })
  })

  it('book: has the best prices of the exchange when it is told the consequences', () => {
    const book = new OrderBook()
    const best = new BestPrices(laterFromMs)
    for (const row of rows) {
      if (row.kind === 'order_book') best.compare(book, row)
      else if (row.kind !== 'trade') {
        best.beforeChange(book, row.timeMs)
        keepBook(book, row)
      }
    }
    const { bids, asks, bidsInFlight, asksInFlight } = best
    console.info('bitstamp, book: best bid', bids.score, 'best ask', asks.score)
    console.info('bitstamp, book, in flight:', bidsInFlight.score, asksInFlight.score)
    expect(bids.score).toMatchObject({ of: 3_029, ofLater: 1_974 })
    expect(bids.score.reached).toBeGreaterThanOrEqual(2_978)
    expect(bids.score.reachedLater).toBeGreaterThanOrEqual(1_974)
    // Of the two late misses one was taken 2 ms before a cancel arrived; in the other one the
    // exchange shows an ask at 236.89 that it reports at 236.88 everywhere else.
    expect(asks.score.reached).toBeGreaterThanOrEqual(3_025)
    expect(asks.score.reachedLater).toBeGreaterThanOrEqual(1_972)
    expect(bidsInFlight.score.reached).toBeGreaterThanOrEqual(2_978)
    expect(asksInFlight.score.reached).toBeGreaterThanOrEqual(3_026)
    expect(asksInFlight.score.reachedLater).toBeGreaterThanOrEqual(1_973)
  })

  it('matching: finds the trades of the exchange from orders and cancels alone', async () => {
    const exchange = await EngineExchange.open()
    const best = new BestPrices(laterFromMs)
    const expected: Trade[] = []
    const found: Trade[] = []
    const rejections: Record<string, number> = {}
    let running: Promise<void>[] = []
    const runOne = async (row: BitstampOrder) => {
      const outcome = await trade(exchange, row)
      if (typeof outcome === 'string') rejections[outcome] = (rejections[outcome] ?? 0) + 1
      else found.push(...tradesIn(outcome, row.timeMs))
    }
    for (const row of rows) {
      if (row.kind === 'trade') expected.push(row)
      else if (row.kind !== 'order_book') running.push(runOne(row))
      else {
        await Promise.all(running)
        running = []
        best.compare(exchange.book(), row)
      }
    }
    await Promise.all(running)
    await exchange.close()
    const trades = scoreTrades(expected, found, laterFromMs)
    console.info('bitstamp, matching: trades', trades, 'of own', found.length, rejections)
    console.info('bitstamp, matching: best bid', best.bids.score, 'best ask', best.asks.score)
    // Cancels of orders that were placed before the recording began, or that were filled here only.
    expect(Object.keys(rejections)).toEqual(['UNKNOWN_ORDER'])
    expect(trades).toMatchObject({ of: 359, ofLater: 180 })
    expect(trades.reached).toBeGreaterThanOrEqual(236)
    expect(trades.reachedLater).toBeGreaterThanOrEqual(145)
  })
})
