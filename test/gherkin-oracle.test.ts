import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Side } from '../examples/exchange/order-book.js'
import { parseDecimal } from '../scripts/feeds/decimal.js'
import { findData } from './support/data-folder.js'
import { EngineExchange } from './support/exchange-runner.js'
import { parseFeature, type Step } from './support/gherkin.js'
import type { ExchangeEvent } from './support/naive-exchange.js'

const feature = findData('gherkin-matching-scenarios/OrderBook.LimitOrder.Matching.feature')
const scenarios = feature === undefined ? [] : parseFeature(readFileSync(feature, 'utf8'))

/** The scenarios write prices with one decimal. */
const PRICE_DECIMALS = 1

class ScenarioWorld {
  readonly #exchange: EngineExchange
  readonly #brokers: string[] = ['']
  #trades: ExchangeEvent[] = []

  constructor(exchange: EngineExchange) {
    this.#exchange = exchange
  }

  async perform({ text, table }: Step): Promise<void> {
    const rows = table.slice(1)
    if (text === 'the following orders are submitted:') await this.#submit(rows)
    else if (text === 'no trades are generated') expect(this.#tradeRows()).toEqual([])
    else if (text === 'the following trades are generated:') {
      expect(this.#tradeRows()).toEqual(rows.map(tradeRow))
    } else if (text === 'market order book looks like:') {
      expect(this.#bookRows()).toEqual(rows.map(bookRow))
    } else throw new Error(`unknown step: ${text}`)
  }

  async #submit(rows: Step['table']): Promise<void> {
    this.#trades = []
    for (const [broker = '', side = '', quantity, price = ''] of rows) {
      const order = this.#brokers.push(broker) - 1
      const outcome = await this.#exchange.run({
        type: 'PlaceLimit',
        order,
        side: side.toLowerCase() as Side,
        price: parseDecimal(price, PRICE_DECIMALS)!,
        quantity: Number(quantity),
        timeInForce: 'goodTillCancelled',
      })
      if (typeof outcome === 'string') throw new Error(`order of ${broker} rejected: ${outcome}`)
      this.#trades.push(...outcome.filter(([type]) => type === 'Traded'))
    }
  }

  #tradeRows() {
    return this.#trades.map(([, { maker, taker, takerSide, quantity, price }]) => {
      const [buyer, seller] = takerSide === 'buy' ? [taker, maker] : [maker, taker]
      return [this.#brokers[Number(buyer)], this.#brokers[Number(seller)], quantity, price]
    })
  }

  /** Both sides next to each other, as the scenarios print them; the shorter one ends in blanks. */
  #bookRows() {
    const { buy, sell } = this.#exchange.book().snapshot()
    return Array.from({ length: Math.max(buy.length, sell.length) }, (_, index) => {
      const [bid, ask] = [buy[index], sell[index]]
      return [
        ...(bid ? [this.#brokers[bid[0]], bid[2], bid[1]] : ['', 0, undefined]),
        ...(ask ? [ask[1], ask[2], this.#brokers[ask[0]]] : [undefined, 0, '']),
      ]
    })
  }
}

function tradeRow([buyer, seller, quantity, price = '']: readonly string[]) {
  return [buyer, seller, Number(quantity), parseDecimal(price, PRICE_DECIMALS)]
}

function bookRow(cells: readonly string[]) {
  const [buyer, bidQuantity, bid = '', ask = '', askQuantity, seller] = cells
  const price = (text: string) => parseDecimal(text, PRICE_DECIMALS)
  return [buyer, Number(bidQuantity), price(bid), price(ask), Number(askQuantity), seller]
}

describe.skipIf(feature === undefined)('exchange against acceptance scenarios', () => {
  it('finds all cases of the feature file', () => {
    expect(scenarios).toHaveLength(5)
  })

  it.each(scenarios)('$name', async ({ steps }) => {
    expect(steps.length).toBeGreaterThanOrEqual(6)
    const exchange = await EngineExchange.open()
    const world = new ScenarioWorld(exchange)
    for (const step of steps) await world.perform(step)
    await exchange.close()
  })
})
