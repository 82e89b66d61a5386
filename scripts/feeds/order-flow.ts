/**
 * The form in which order flows reach the drill and the benchmarks, wherever they come from: one
 * command at a time, pulled, in the fields of one reused object, so that nothing is allocated.
 *
 * ```
 *   while (flow.next()) {
 *     if (flow.kind === 'place') …  flow.order, flow.side, flow.price, flow.quantity
 *     else …                        flow.order
 *   }
 * ```
 */
import type { Side } from '../../examples/exchange/order-book.js'

export interface OrderFlow {
  /** Goes on to the next command, which the fields then describe. False: there is none. */
  next(): boolean
  readonly kind: 'place' | 'cancel'
  readonly order: number
  /** Of a cancel: not meaningful, and so are price and quantity. */
  readonly side: Side
  /** In ticks. */
  readonly price: number
  /** In lots. */
  readonly quantity: number
}
