import { describe, expect, it } from 'vitest'
import { NO_ORDER, OrderBook, oppositeOf } from '../examples/exchange/order-book.js'
import { GeneratedOrderFlow } from '../scripts/feeds/generated-order-flow.js'

function textOf(seed: number, commands: number): string {
  const flow = new GeneratedOrderFlow({ seed, commands })
  let text = ''
  while (flow.next()) {
    text += flow.kind === 'cancel' ? `-${flow.order} ` : `${flow.order}${flow.side}${flow.price} `
  }
  return text
}

describe('generated order flow', () => {
  it('is the same for the same seed and another one for another seed', () => {
    expect(textOf(1, 5_000)).toBe(textOf(1, 5_000))
    expect(textOf(1, 5_000)).not.toBe(textOf(2, 5_000))
  })

  it('ends after the commands asked for', () => {
    const flow = new GeneratedOrderFlow({ seed: 1, commands: 2 })
    expect([flow.next(), flow.next(), flow.next(), flow.next()]).toEqual([true, true, false, false])
  })

  it.each([1, 2, 3])('places every order once and cancels it once, later (seed %i)', (seed) => {
    const flow = new GeneratedOrderFlow({ seed, commands: 300_000 })
    const placed = new Map<number, number>()
    let command = 0
    let longest = 0
    let last = 0
    while (flow.next()) {
      command += 1
      if (flow.kind === 'place') {
        last += 1
        if (flow.order !== last) throw new Error(`order ${flow.order} comes after ${last - 1}`)
        placed.set(flow.order, command)
      } else {
        const since = placed.get(flow.order)
        if (since === undefined) throw new Error(`order ${flow.order} is not there to cancel`)
        longest = Math.max(longest, command - since)
        placed.delete(flow.order)
      }
    }
    // The longest lifetime measured is 19,791 commands; a queue of due orders adds a little.
    expect(longest).toBeGreaterThan(12_000)
    expect(longest).toBeLessThan(21_000)
    expect(placed.size).toBeLessThan(1_000)
  })

  it.each([1, 2, 3])('trades about as often as the recording it follows (seed %i)', (seed) => {
    const flow = new GeneratedOrderFlow({ seed, commands: 200_000 })
    const book = new OrderBook()
    const count = { orders: 0, buys: 0, trades: 0, late: 0 }
    while (flow.next()) {
      const { kind, order, side, price, quantity } = flow
      if (kind === 'cancel') {
        if (book.find(order) === NO_ORDER) count.late += 1
        else book.remove(order)
        continue
      }
      if (!(price > 0 && quantity > 0 && Number.isInteger(price + quantity))) {
        throw new Error(`order ${order}: price ${price}, quantity ${quantity}`)
      }
      count.orders += 1
      count.buys += Number(side === 'buy')
      let left = quantity
      for (;;) {
        const maker = book.best(oppositeOf(side))
        if (maker === NO_ORDER || left === 0) break
        const makerPrice = book.priceOf(maker)
        if (side === 'buy' ? makerPrice > price : makerPrice < price) break
        const traded = Math.min(left, book.quantityOf(maker))
        book.reduce(book.idOf(maker), traded)
        left -= traded
        count.trades += 1
      }
      if (left > 0) book.rest(order, side, price, left)
    }
    const perMille = (part: number) => (1_000 * part) / count.orders
    expect(perMille(count.buys)).toBeGreaterThan(670)
    expect(perMille(count.buys)).toBeLessThan(695)
    // 359 trades from 14,907 orders: 24 per mille.
    expect(perMille(count.trades)).toBeGreaterThan(17)
    expect(perMille(count.trades)).toBeLessThan(34)
    expect(perMille(count.late)).toBeLessThan(34)
  })
})
