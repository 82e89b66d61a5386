/**
 * The rules of the exchange written a second time, as plainly as possible and without the engine:
 * the oracle of examples/exchange/exchange.ts. Each command gives its events or its rejection.
 */
import type { Side } from '../../examples/exchange/order-book.js'
import { NaiveOrderBook } from './naive-order-book.js'

export type TimeInForce = 'goodTillCancelled' | 'immediateOrCancel' | 'fillOrKill'

/** The values of the exchange's commands, under the names of the commands. */
export type ExchangeCommand =
  | {
      readonly type: 'PlaceLimit'
      readonly order: number
      readonly side: Side
      readonly price: number
      readonly quantity: number
      readonly timeInForce: TimeInForce
    }
  | {
      readonly type: 'PlaceMarket'
      readonly order: number
      readonly side: Side
      readonly quantity: number
    }
  | { readonly type: 'CancelOrder'; readonly order: number }
  | { readonly type: 'ReduceOrder'; readonly order: number; readonly by: number }
  | {
      readonly type: 'ReplaceOrder'
      readonly order: number
      readonly price: number
      readonly quantity: number
    }

export type EventData = Readonly<Record<string, unknown>>
export type ExchangeEvent = readonly [type: string, data: EventData]

/** What a command came to: a code, or the events in the order emitted. */
export type ExchangeOutcome = string | readonly ExchangeEvent[]

export class NaiveExchange {
  readonly book = new NaiveOrderBook()

  run(command: ExchangeCommand): ExchangeOutcome {
    switch (command.type) {
      case 'PlaceLimit':
        return this.#placeLimit(command)
      case 'PlaceMarket':
        return this.#placeMarket(command)
      case 'CancelOrder':
        return this.#cancel(command.order)
      case 'ReduceOrder':
        return this.#reduce(command.order, command.by)
      case 'ReplaceOrder':
        return this.#replace(command)
    }
  }

  #placeLimit(command: ExchangeCommand & { type: 'PlaceLimit' }): ExchangeOutcome {
    const { order, side, price, quantity, timeInForce } = command
    if (quantity < 1 || quantity > 1_099_511_627_776) return 'INVALID_QUANTITY'
    if (price < 1) return 'INVALID_PRICE'
    if (this.book.order(order)) return 'DUPLICATE_ORDER'
    const within = this.#makers(side, price).reduce((sum, maker) => sum + maker.quantity, 0)
    if (timeInForce === 'fillOrKill' && within < quantity) return 'FILL_OR_KILL_UNFILLABLE'
    const events = this.#trade(order, side, price, quantity)
    const left = quantity - tradedIn(events)
    if (left > 0 && timeInForce === 'goodTillCancelled') {
      this.book.rest(order, side, price, left)
      events.push(['OrderRested', { order, side, price, quantity: left }])
    } else if (left > 0) {
      events.push(['RemainderCancelled', { order, quantity: left }])
    }
    return events
  }

  #placeMarket(command: ExchangeCommand & { type: 'PlaceMarket' }): ExchangeOutcome {
    const { order, side, quantity } = command
    if (quantity < 1 || quantity > 1_099_511_627_776) return 'INVALID_QUANTITY'
    if (this.book.order(order)) return 'DUPLICATE_ORDER'
    if (this.#makers(side, undefined).length === 0) return 'NO_LIQUIDITY'
    const events = this.#trade(order, side, undefined, quantity)
    const left = quantity - tradedIn(events)
    if (left > 0) events.push(['RemainderCancelled', { order, quantity: left }])
    return events
  }

  #cancel(order: number): ExchangeOutcome {
    const resting = this.book.order(order)
    if (!resting) return 'UNKNOWN_ORDER'
    this.book.remove(order)
    return [['OrderCancelled', { order, quantity: resting.quantity }]]
  }

  #reduce(order: number, by: number): ExchangeOutcome {
    const resting = this.book.order(order)
    if (!resting) return 'UNKNOWN_ORDER'
    if (by < 1 || by >= resting.quantity) return 'INVALID_QUANTITY'
    this.book.reduce(order, by)
    return [['OrderReduced', { order, quantity: by }]]
  }

  #replace(command: ExchangeCommand & { type: 'ReplaceOrder' }): ExchangeOutcome {
    const { order, price, quantity } = command
    const resting = this.book.order(order)
    if (!resting) return 'UNKNOWN_ORDER'
    if (quantity < 1 || quantity > 1_099_511_627_776) return 'INVALID_QUANTITY'
    if (price < 1) return 'INVALID_PRICE'
    if (price === resting.price && quantity === resting.quantity) return []
    if (price === resting.price && quantity < resting.quantity) {
      return this.#reduce(order, resting.quantity - quantity)
    }
    const { side } = resting
    this.book.remove(order)
    const events = this.#trade(order, side, price, quantity)
    const left = quantity - tradedIn(events)
    if (left > 0) {
      this.book.rest(order, side, price, left)
      events.push(['OrderRested', { order, side, price, quantity: left }])
    }
    return [['OrderReplaced', { order, price, quantity }], ...events]
  }

  #makers(takerSide: Side, limit: number | undefined) {
    const makers = this.book.line(takerSide === 'buy' ? 'sell' : 'buy')
    if (limit === undefined) return makers
    return makers.filter(({ price }) => (takerSide === 'buy' ? price <= limit : price >= limit))
  }

  #trade(taker: number, takerSide: Side, limit: number | undefined, wanted: number) {
    const events: ExchangeEvent[] = []
    let takerLeft = wanted
    for (const { id, price, quantity: available } of this.#makers(takerSide, limit)) {
      if (takerLeft === 0) break
      const quantity = Math.min(takerLeft, available)
      takerLeft -= quantity
      this.book.reduce(id, quantity)
      events.push(['Traded', { maker: id, taker, takerSide, price, quantity, takerLeft }])
    }
    return events
  }
}

function tradedIn(events: readonly ExchangeEvent[]): number {
  return events.reduce((sum, [, { quantity }]) => sum + Number(quantity), 0)
}
