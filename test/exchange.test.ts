import { afterEach, describe, expect, it } from 'vitest'
import { bestAsk, bestBid, bestOrder, orderOf } from '../examples/exchange/book-queries.js'
import { QUANTITY_MAX } from '../examples/exchange/exchange.js'
import type { Side } from '../examples/exchange/order-book.js'
import { EngineExchange, type ExchangeRunner, NaiveRunner } from './support/exchange-runner.js'
import { type ExchangeCommand, NaiveExchange, type TimeInForce } from './support/naive-exchange.js'
import { type SeededRandom, seededRandom } from './support/seeded-random.js'

type Terms = [order: number, side: Side, price: number, quantity: number]

const implementations: [name: string, open: () => Promise<ExchangeRunner>][] = [
  ['exchange', () => EngineExchange.open()],
  ['naive exchange', async () => new NaiveRunner()],
]

const running: ExchangeRunner[] = []
afterEach(async () => {
  for (const exchange of running.splice(0)) await exchange.close()
})

function limit(terms: Terms, timeInForce: TimeInForce = 'goodTillCancelled'): ExchangeCommand {
  const [order, side, price, quantity] = terms
  return { type: 'PlaceLimit', order, side, price, quantity, timeInForce }
}

function market(order: number, side: Side, quantity: number): ExchangeCommand {
  return { type: 'PlaceMarket', order, side, quantity }
}

/** Asks: 1 and 2 at 101 with 10 and 20, 3 at 102 with 30. Bid: 4 at 99 with 40. */
const RESTING: readonly Terms[] = [
  [1, 'sell', 101, 10],
  [2, 'sell', 101, 20],
  [3, 'sell', 102, 30],
  [4, 'buy', 99, 40],
]

describe.each(implementations)('%s', (_name, open) => {
  async function opened() {
    const exchange = await open()
    running.push(exchange)
    for (const terms of RESTING) expect(await exchange.run(limit(terms))).toHaveLength(1)
    return exchange
  }
  function trade(maker: number, price: number, quantity: number, takerLeft: number) {
    return ['Traded', { maker, taker: 9, takerSide: 'buy', price, quantity, takerLeft }]
  }

  it('PlaceLimit: rests where nothing crosses, one tick below the best ask', async () => {
    const exchange = await opened()
    expect(await exchange.run(limit([9, 'buy', 100, 5]))).toEqual([
      ['OrderRested', { order: 9, side: 'buy', price: 100, quantity: 5 }],
    ])
    expect([bestBid(exchange.book()), bestAsk(exchange.book())]).toEqual([100, 101])
  })

  it('PlaceLimit: trades at the resting prices, oldest first, and rests what is left', async () => {
    const exchange = await opened()
    expect(await exchange.run(limit([9, 'buy', 102, 70]))).toEqual([
      trade(1, 101, 10, 60),
      trade(2, 101, 20, 40),
      trade(3, 102, 30, 10),
      ['OrderRested', { order: 9, side: 'buy', price: 102, quantity: 10 }],
    ])
    expect([bestBid(exchange.book()), bestAsk(exchange.book())]).toEqual([102, undefined])
  })

  it('PlaceLimit: leaves the rest of a partly filled maker first in line', async () => {
    const exchange = await opened()
    expect(await exchange.run(limit([9, 'buy', 101, 4]))).toEqual([trade(1, 101, 4, 0)])
    expect(bestOrder(exchange.book(), 'sell')).toMatchObject({ id: 1, quantity: 6 })
  })

  it('PlaceLimit: gives up what it cannot fill at once (immediate or cancel)', async () => {
    const exchange = await opened()
    expect(await exchange.run(limit([9, 'buy', 101, 35], 'immediateOrCancel'))).toEqual([
      trade(1, 101, 10, 25),
      trade(2, 101, 20, 5),
      ['RemainderCancelled', { order: 9, quantity: 5 }],
    ])
    expect(await exchange.run(limit([9, 'buy', 101, 5], 'immediateOrCancel'))).toEqual([
      ['RemainderCancelled', { order: 9, quantity: 5 }],
    ])
    expect(orderOf(exchange.book(), 9)).toBe(undefined)
  })

  it('PlaceLimit: fills completely or is rejected (fill or kill, both sides of the boundary)', async () => {
    const exchange = await opened()
    expect(await exchange.run(limit([9, 'buy', 101, 31], 'fillOrKill'))).toBe(
      'FILL_OR_KILL_UNFILLABLE',
    )
    expect(await exchange.run(limit([9, 'buy', 101, 30], 'fillOrKill'))).toEqual([
      trade(1, 101, 10, 20),
      trade(2, 101, 20, 0),
    ])
  })

  it('PlaceMarket: trades at any price and gives up what nobody offers', async () => {
    const exchange = await opened()
    expect(await exchange.run(market(9, 'buy', 65))).toEqual([
      trade(1, 101, 10, 55),
      trade(2, 101, 20, 35),
      trade(3, 102, 30, 5),
      ['RemainderCancelled', { order: 9, quantity: 5 }],
    ])
    expect(await exchange.run(market(9, 'buy', 1))).toBe('NO_LIQUIDITY')
    expect(await exchange.run(market(9, 'sell', 40))).toHaveLength(1)
    expect(exchange.book().size).toBe(0)
  })

  it('an order may trade with any other one, also where both have the same owner', async () => {
    const exchange = await opened()
    expect(await exchange.run(limit([9, 'buy', 101, 10]))).toEqual([trade(1, 101, 10, 0)])
  })

  it('CancelOrder: takes the order away and says how much was left', async () => {
    const exchange = await opened()
    await exchange.run(limit([9, 'buy', 101, 4]))
    expect(await exchange.run({ type: 'CancelOrder', order: 1 })).toEqual([
      ['OrderCancelled', { order: 1, quantity: 6 }],
    ])
    expect(await exchange.run({ type: 'CancelOrder', order: 1 })).toBe('UNKNOWN_ORDER')
  })

  it('ReduceOrder: keeps the place in line', async () => {
    const exchange = await opened()
    expect(await exchange.run({ type: 'ReduceOrder', order: 1, by: 9 })).toEqual([
      ['OrderReduced', { order: 1, quantity: 9 }],
    ])
    expect(bestOrder(exchange.book(), 'sell')).toMatchObject({ id: 1, quantity: 1 })
  })

  it.each([
    ['to the same terms does nothing', 101, 10, [], 1],
    ['to less keeps the place', 101, 4, [['OrderReduced', { order: 1, quantity: 6 }]], 1],
    [
      'to more loses the place',
      101,
      11,
      [
        ['OrderReplaced', { order: 1, price: 101, quantity: 11 }],
        ['OrderRested', { order: 1, side: 'sell', price: 101, quantity: 11 }],
      ],
      2,
    ],
    [
      'to a crossing price trades',
      99,
      50,
      [
        ['OrderReplaced', { order: 1, price: 99, quantity: 50 }],
        [
          'Traded',
          { maker: 4, taker: 1, takerSide: 'sell', price: 99, quantity: 40, takerLeft: 10 },
        ],
        ['OrderRested', { order: 1, side: 'sell', price: 99, quantity: 10 }],
      ],
      1,
    ],
    [
      'to a crossing price may fill it',
      99,
      40,
      [
        ['OrderReplaced', { order: 1, price: 99, quantity: 40 }],
        [
          'Traded',
          { maker: 4, taker: 1, takerSide: 'sell', price: 99, quantity: 40, takerLeft: 0 },
        ],
      ],
      2,
    ],
  ])('ReplaceOrder: %s', async (_what, price, quantity, events, firstInLine) => {
    const exchange = await opened()
    expect(await exchange.run({ type: 'ReplaceOrder', order: 1, price, quantity })).toEqual(events)
    expect(bestOrder(exchange.book(), 'sell')?.id).toBe(firstInLine)
  })

  it.each<[code: string, command: ExchangeCommand]>([
    ['DUPLICATE_ORDER', limit([1, 'buy', 100, 1])],
    ['DUPLICATE_ORDER', market(1, 'buy', 1)],
    ['INVALID_QUANTITY', limit([9, 'buy', 100, 0])],
    ['INVALID_QUANTITY', limit([9, 'buy', 100, QUANTITY_MAX + 1])],
    ['INVALID_QUANTITY', market(9, 'buy', -1)],
    ['INVALID_QUANTITY', { type: 'ReduceOrder', order: 1, by: 10 }],
    ['INVALID_QUANTITY', { type: 'ReduceOrder', order: 1, by: 0 }],
    ['INVALID_QUANTITY', { type: 'ReplaceOrder', order: 1, price: 101, quantity: 0 }],
    ['INVALID_PRICE', limit([9, 'sell', 0, 1])],
    ['INVALID_PRICE', { type: 'ReplaceOrder', order: 1, price: -1, quantity: 10 }],
    ['UNKNOWN_ORDER', { type: 'CancelOrder', order: 9 }],
    ['UNKNOWN_ORDER', { type: 'ReduceOrder', order: 9, by: 1 }],
    ['UNKNOWN_ORDER', { type: 'ReplaceOrder', order: 9, price: 1, quantity: 1 }],
    ['FILL_OR_KILL_UNFILLABLE', limit([9, 'buy', 100, 1], 'fillOrKill')],
  ])('rejects with %s and changes nothing (%j)', async (code, command) => {
    const exchange = await opened()
    expect(await exchange.run(command)).toBe(code)
    expect(exchange.book().size).toBe(4)
  })

  it('takes the largest quantity and price', async () => {
    const exchange = await opened()
    const terms: Terms = [9, 'sell', Number.MAX_SAFE_INTEGER, QUANTITY_MAX]
    expect(await exchange.run(limit(terms))).toHaveLength(1)
    expect(await exchange.run(market(10, 'buy', QUANTITY_MAX))).toHaveLength(4)
  })
})

function randomCommand(random: SeededRandom): ExchangeCommand {
  // Few ids, prices and sizes, so that orders meet, repeat and miss each other all the time.
  const order = random.below(40)
  const side = random.below(2) === 0 ? 'buy' : 'sell'
  const price = random.below(12)
  const quantity = random.below(random.below(10) === 0 ? 200 : 12)
  const timeInForce = (['goodTillCancelled', 'immediateOrCancel', 'fillOrKill'] as const)[
    Math.max(0, random.below(6) - 3)
  ]!
  switch (random.below(10)) {
    case 0:
      return market(order, side, quantity)
    case 1:
      return { type: 'CancelOrder', order }
    case 2:
      return { type: 'ReduceOrder', order, by: quantity }
    case 3:
      return { type: 'ReplaceOrder', order, price, quantity }
    default:
      return limit([order, side, price, quantity], timeInForce)
  }
}

describe('exchange against the naive exchange', () => {
  it.each([11, 12, 13, 14, 15])('comes to the same at every step (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const exchange = await EngineExchange.open({ durability: 'os' })
    running.push(exchange)
    const naive = new NaiveExchange()
    const seen = new Set<string>()
    for (let round = 1; round <= 60; round++) {
      const commands = Array.from({ length: 1 + random.below(100) }, () => randomCommand(random))
      // Issued at once, so that the engine decides many of them in one batch.
      const outcomes = await Promise.all(commands.map((command) => exchange.run(command)))
      for (const [index, command] of commands.entries()) {
        const outcome = outcomes[index]!
        expect(outcome, JSON.stringify({ round, command })).toEqual(naive.run(command))
        for (const each of typeof outcome === 'string' ? [outcome] : outcome) {
          seen.add(typeof each === 'string' ? each : each[0])
        }
      }
      expect(exchange.book().snapshot()).toEqual(naive.book.snapshot())
      if (round % 25 !== 0) continue
      const digest = await exchange.digest()
      await exchange.restart()
      expect(await exchange.digest()).toBe(digest)
    }
    // All six events and all six rejections occurred, so nothing was compared in vain.
    expect(seen.size).toBe(12)
  })
})
