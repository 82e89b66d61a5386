import { describe, expect, it } from 'vitest'
import type { DeepReadonly } from '../engine/domain.js'
import { bestAsk, bestBid, bestOrder, depth, orderOf } from '../examples/exchange/book-queries.js'
import { NO_ORDER, OrderBook, type Side } from '../examples/exchange/order-book.js'
import { NaiveOrderBook, type TestedOrderBook } from './support/naive-order-book.js'
import { seededRandom } from './support/seeded-random.js'

const implementations: [name: string, create: () => TestedOrderBook][] = [
  ['order book', () => new OrderBook()],
  ['naive order book', () => new NaiveOrderBook()],
]

describe.each(implementations)('%s', (_name, create) => {
  function idsOf(book: TestedOrderBook, side: Side): number[] {
    const ids: number[] = []
    for (let order = book.best(side); order !== NO_ORDER; order = book.next(order)) {
      ids.push(book.idOf(order))
    }
    return ids
  }

  it('is empty at first', () => {
    const book = create()
    expect([book.size, bestBid(book), bestAsk(book)]).toEqual([0, undefined, undefined])
    expect(depth(book, 10)).toEqual({ bids: [], asks: [] })
    expect(book.snapshot()).toEqual({ buy: [], sell: [] })
  })

  it.each([
    ['buy', [3, 6, 2, 4, 1, 5]],
    ['sell', [1, 5, 2, 4, 3, 6]],
  ] as const)('sorts by price, then by age (%s)', (side, expected) => {
    const book = create()
    const prices = [100, 101, 102, 101, 100, 102]
    for (const [index, price] of prices.entries()) book.rest(index + 1, side, price, 10)
    expect(idsOf(book, side)).toEqual(expected)
    expect(idsOf(book, side === 'buy' ? 'sell' : 'buy')).toEqual([])
  })

  it.each([
    ['first in line', 1, [2, 3]],
    ['in the middle', 2, [1, 3]],
    ['last in line', 3, [1, 2]],
  ])('removes an order (%s)', (_place, removed, expected) => {
    const book = create()
    for (const id of [1, 2, 3]) book.rest(id, 'sell', 100, 5)
    book.remove(removed)
    expect(idsOf(book, 'sell')).toEqual(expected)
    book.rest(removed, 'sell', 100, 5)
    expect(idsOf(book, 'sell')).toEqual([...expected, removed])
  })

  it.each([
    ['best', 102],
    ['middle', 101],
    ['worst', 100],
  ])('drops a price with its last order and takes it up again (%s level)', (_place, price) => {
    const book = create()
    for (const each of [100, 101, 102]) book.rest(each, 'buy', each, 1)
    book.remove(price)
    expect(depth(book, 5).bids.map((level) => level.price)).not.toContain(price)
    book.rest(7, 'buy', price, 1)
    expect(depth(book, 5).bids.map((level) => level.price)).toEqual([102, 101, 100])
  })

  it('keeps the place of a reduced order and drops it at zero', () => {
    const book = create()
    book.rest(1, 'buy', 100, 5)
    book.rest(2, 'buy', 100, 5)
    book.reduce(1, 4)
    expect([idsOf(book, 'buy'), orderOf(book, 1)?.quantity]).toEqual([[1, 2], 1])
    book.reduce(1, 1)
    expect([idsOf(book, 'buy'), book.size, orderOf(book, 1)]).toEqual([[2], 1, undefined])
  })

  it('sums quantity and orders of a price in depth, best first, up to the levels asked for', () => {
    const book = create()
    book.rest(1, 'buy', 99, 5)
    book.rest(2, 'buy', 100, 1)
    book.rest(3, 'buy', 99, 2)
    book.rest(4, 'buy', 98, 9)
    book.rest(5, 'sell', 101, 3)
    expect(depth(book, 2)).toEqual({
      bids: [
        { price: 100, quantity: 1, orders: 1 },
        { price: 99, quantity: 7, orders: 2 },
      ],
      asks: [{ price: 101, quantity: 3, orders: 1 }],
    })
    expect(depth(book, 0)).toEqual({ bids: [], asks: [] })
  })

  it('takes ids and prices at the ends of the safe integers', () => {
    const book = create()
    book.rest(Number.MAX_SAFE_INTEGER, 'sell', Number.MAX_SAFE_INTEGER, 1)
    book.rest(Number.MIN_SAFE_INTEGER, 'sell', Number.MAX_SAFE_INTEGER - 1, 1)
    expect(idsOf(book, 'sell')).toEqual([Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])
  })
})

describe('order book', () => {
  it('refuses to change an order that does not rest', () => {
    expect(() => new OrderBook().remove(1)).toThrow('order 1 does not rest')
    expect(() => new OrderBook().reduce(1, 1)).toThrow('order 1 does not rest')
  })

  const seeds = [1, 2, 3, 4, 5, 6]
  it.each(seeds)(
    'equals the naive book after every change, also once restored (seed %i)',
    (seed) => {
      const random = seededRandom(seed)
      const naive = new NaiveOrderBook()
      let book = new OrderBook()
      const live: number[] = []
      for (let step = 1; step <= 1_500; step++) {
        const id = live[random.below(live.length + 1)] ?? 0
        if (id === 0 || random.below(100) < 45) {
          const side = random.below(2) === 0 ? 'buy' : 'sell'
          const price = 100 + random.below(seed * 7)
          const quantity = 1 + random.below(9)
          book.rest(step, side, price, quantity)
          naive.rest(step, side, price, quantity)
          live.push(step)
        } else if (random.below(2) === 0) {
          const quantity = 1 + random.below(naive.order(id)!.quantity)
          book.reduce(id, quantity)
          naive.reduce(id, quantity)
          if (!naive.order(id)) live.splice(live.indexOf(id), 1)
        } else {
          book.remove(id)
          naive.remove(id)
          live.splice(live.indexOf(id), 1)
        }
        if (step % 100 === 0) book = OrderBook.restore(structuredClone(book.snapshot()))
        expect(book.size).toBe(naive.size)
        expect(book.snapshot()).toEqual(naive.snapshot())
        const present = live.at(-1)
        if (present === undefined) continue
        const [order, expected] = [book.find(present), naive.find(present)]
        expect([order, expected]).not.toContain(NO_ORDER)
        const [next, expectedNext] = [book.next(order), naive.next(expected)]
        expect(next === NO_ORDER ? undefined : book.idOf(next)).toBe(
          expectedNext === NO_ORDER ? undefined : naive.idOf(expectedNext),
        )
      }
      expect(naive.size).toBeGreaterThan(0)
    },
  )

  it.each([
    ['one after the other', 1],
    ['in steps of 2³²', 2 ** 32],
    ['in steps of 128', 128],
    ['at the lower end of the safe integers', -1],
  ])('finds each of many orders while it grows and shrinks (ids %s)', (_ids, step) => {
    const random = seededRandom(7)
    const book = new OrderBook()
    const resting = new Map<number, number>()
    const idOf = (index: number) => (step < 0 ? Number.MIN_SAFE_INTEGER + index : index * step)
    for (let turn = 0; turn < 12_000; turn++) {
      // Grows to some thousand orders, and then shrinks to a few.
      const isGrowing = turn < 6_000
      const id = idOf(random.below(4_000))
      const price = resting.get(id)
      if (price === undefined) {
        expect(book.find(id)).toBe(NO_ORDER)
        if (!isGrowing) continue
        resting.set(id, 1 + random.below(3_000))
        book.rest(id, 'buy', resting.get(id)!, 5)
      } else {
        expect(orderOf(book, id)).toEqual({ id, side: 'buy', price, quantity: 5 })
        if (isGrowing && random.below(4) > 0) continue
        resting.delete(id)
        book.remove(id)
      }
    }
    expect(book.size).toBe(resting.size)
    const prices = depth(book, Number.POSITIVE_INFINITY).bids.map((level) => level.price)
    expect(prices).toEqual([...new Set(resting.values())].sort((a, b) => b - a))
  })

  it('cannot be changed where it is read-only (compile time)', () => {
    const book: DeepReadonly<OrderBook> = new OrderBook()
    // @ts-expect-error A method that changes the book needs a book that may be changed.
    book.rest(1, 'buy', 1, 1)
    expect(bestOrder(book, 'buy')?.id).toBe(1)
  })
})
