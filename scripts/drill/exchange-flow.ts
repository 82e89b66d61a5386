/** The flow of the exchange drill: generated orders, or those of a recorded feed. */
import type { DrillCommand, DrillFlow } from '../../engine/drill/drill-flow.js'
import exchange, { CancelOrder, PlaceLimit } from '../../examples/exchange/exchange.js'
import { GeneratedOrderFlow } from '../feeds/generated-order-flow.js'
import type { OrderFlow } from '../feeds/order-flow.js'
import { readBitstampFeed } from '../feeds/recorded-order-flow.js'

export interface ExchangeFlowOptions {
  /** A recorded feed; undefined: the generator. */
  readonly feed: string | undefined
  readonly repeat: number
  readonly seed: number
}

const BOOK = 'BTC-USD'

export async function flow(options: ExchangeFlowOptions): Promise<DrillFlow> {
  return {
    domain: exchange,
    open: async () => {
      const orders = await openOrders(options)
      return () => (orders.next() ? commandOf(orders) : undefined)
    },
  }
}

function commandOf(orders: OrderFlow): DrillCommand {
  const { order, side, price, quantity } = orders
  if (orders.kind === 'cancel') return { command: CancelOrder, value: { book: BOOK, order } }
  const timeInForce = 'goodTillCancelled'
  return { command: PlaceLimit, value: { book: BOOK, order, side, price, quantity, timeInForce } }
}

async function openOrders({ feed: file, repeat, seed }: ExchangeFlowOptions): Promise<OrderFlow> {
  if (file === undefined) return new GeneratedOrderFlow({ seed })
  const feed = await readBitstampFeed(file)
  for (const { line, reason } of feed.broken) console.error(`${file}:${line}: ${reason}`)
  if (feed.brokenCount > 0) console.error(`${feed.brokenCount} broken lines were passed over`)
  return feed.flow(repeat)
}
