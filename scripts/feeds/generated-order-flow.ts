/**
 * An endless, repeatable order flow that is shaped like a real one: the same seed gives the same
 * commands on every machine, since only integer arithmetic decides.
 *
 * Each order is placed at a distance from a wandering reference price, and cancelled a number of
 * commands later. The generator keeps no book: that an order was filled meanwhile it does not know,
 * so a few cancels come too late and are rejected, as in a real exchange.
 *
 * ```
 *   timing wheel: cell (now + lifetime) mod size ─▶ newest order due then ─▶ older ─▶ …
 *   a command is the cancel of an order that is due, or else a new order
 * ```
 */
import type { Side } from '../../examples/exchange/order-book.js'
import type { OrderFlow } from './order-flow.js'

/**
 * Measured on the first 2.76 hours of a recording of Bitstamp's BTC/USD feed of 2015-05-01 (14,907
 * orders, 14,559 cancels, 359 trades), in cents and satoshi. Distances are from the best price of
 * the order's own side in the latest snapshot, negative ones improve on it; lifetimes count commands
 * between an order and its cancel; crossing orders are those at or beyond the opposite best price.
 * The tables are quantiles: this many per mille of the orders have at most this value.
 */
const BUYS_PER_MILLE = 683
const SPREAD_TICKS = 17
/**
 * Measured: 14 crossing orders per mille, and best prices that move by 1.8 ticks an order (standard
 * deviation). Since a wandering reference also runs into resting orders, both are a little lower
 * here, so that a matcher finds the recording's 24 trades per 1,000 orders.
 */
const CROSSING_PER_MILLE = 12
/** A step of ±1 … ±8 ticks at one order in sixteen. */
const STEP_TICKS_MAX = 8
const ORDERS_A_STEP = 16

const QUANTILES_PER_MILLE = [
  0, 2, 5, 20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 850, 900, 950, 970, 980, 990, 995, 998,
  999, 1_000,
]
const DISTANCE_TICKS = [
  -67, -17, -4, -1, 0, 10, 31, 56, 133, 178, 200, 227, 263, 309, 391, 714, 1_916, 2_212, 2_331,
  2_399, 7_042, 7_677, 11_500,
]
const LIFETIME_COMMANDS = [
  1, 1, 1, 1, 1, 1, 3, 10, 17, 25, 40, 84, 146, 171, 209, 435, 773, 1_137, 2_538, 4_718, 11_139,
  12_196, 19_791,
]
const QUANTITY_LOTS = [
  2_100_000, 4_000_000, 5_000_000, 10_000_000, 23_000_000, 57_232_647, 210_549_251, 374_060_000,
  626_740_000, 860_676_859, 862_792_160, 867_496_368, 1_320_000_000, 1_824_483_259, 2_407_842_708,
  3_634_194_299, 4_832_670_239, 5_586_454_529, 6_886_226_685, 7_418_293_180, 8_422_399_318,
  12_320_000_000, 20_000_000_000,
]
const CROSSING_QUANTITY_LOTS = [
  2_100_000, 2_100_000, 2_100_000, 2_670_000, 4_000_000, 5_000_000, 6_315_000, 11_100_000,
  21_190_032, 30_000_000, 84_220_000, 142_837_883, 494_226_714, 744_913_799, 1_265_870_000,
  1_725_000_000, 2_314_498_346, 4_000_000_000, 4_000_086_977, 5_687_732_100, 9_615_394_769,
  9_615_394_769, 9_615_394_769,
]
const CROSSING_TICKS = [
  0, 0, 0, 0, 0, 0, 0, 2, 13, 25, 37, 82, 806, 2_351, 2_354, 2_371, 2_373, 2_373, 2_374, 3_525,
  3_595, 3_595, 3_595,
]

const WHEEL_CELLS = 2 ** 15
/** More than there can be orders at once: each is due within one turn of the wheel. */
const ORDER_CELLS = 2 ** 16
const TABLE_BITS = 10
const PRICE_AT_START = 23_650
const PRICE_MIN = 15_000
const PRICE_MAX = 35_000

export interface GeneratedOrderFlowOptions {
  readonly seed: number
  /** The flow ends after so many commands; without it, never. */
  readonly commands?: number
}

export class GeneratedOrderFlow implements OrderFlow {
  kind: 'place' | 'cancel' = 'place'
  order = 0
  side: Side = 'buy'
  price = 0
  quantity = 0

  readonly #commands: number
  #command = 0
  #orders = 0
  #bid = PRICE_AT_START
  #random: number
  readonly #distances = tableOf(DISTANCE_TICKS)
  readonly #lifetimes = tableOf(LIFETIME_COMMANDS)
  readonly #quantities = tableOf(QUANTITY_LOTS)
  readonly #crossingQuantities = tableOf(CROSSING_QUANTITY_LOTS)
  readonly #crossings = tableOf(CROSSING_TICKS)
  /** The newest order that is due at a command, and the next one due at the same; 0: none. */
  readonly #due = new Float64Array(WHEEL_CELLS)
  readonly #nextDue = new Float64Array(ORDER_CELLS)

  constructor({ seed, commands = Number.POSITIVE_INFINITY }: GeneratedOrderFlowOptions) {
    this.#random = seed >>> 0
    this.#commands = commands
  }

  next(): boolean {
    if (this.#command >= this.#commands) return false
    const cell = ++this.#command & (WHEEL_CELLS - 1)
    const due = this.#due[cell]!
    if (due === 0) this.#place()
    else this.#cancel(due, cell)
    return true
  }

  #cancel(order: number, cell: number): void {
    this.kind = 'cancel'
    this.order = order
    const others = this.#nextDue[order & (ORDER_CELLS - 1)]!
    this.#due[cell] = 0
    if (others !== 0) this.#postpone(others, (cell + 1) & (WHEEL_CELLS - 1))
  }

  /** One command cancels one order: the others that were due are so at the next. */
  #postpone(first: number, cell: number): void {
    const alreadyDue = this.#due[cell]!
    this.#due[cell] = first
    if (alreadyDue === 0) return
    let last = first
    for (let order = first; order !== 0; order = this.#nextDue[order & (ORDER_CELLS - 1)]!) {
      last = order
    }
    this.#nextDue[last & (ORDER_CELLS - 1)] = alreadyDue
  }

  #place(): void {
    const order = ++this.#orders
    this.kind = 'place'
    this.order = order
    this.#moveReference()
    const side = this.#below(1_000) < BUYS_PER_MILLE ? 'buy' : 'sell'
    const crosses = this.#below(1_000) < CROSSING_PER_MILLE
    const ticks = this.#sample(crosses ? this.#crossings : this.#distances)
    this.side = side
    // A buyer's distance goes down from the best bid; one who crosses reaches up from the best ask.
    const goesUp = (side === 'buy') === crosses
    this.price = goesUp ? this.#bid + SPREAD_TICKS + ticks : this.#bid - ticks
    this.quantity = this.#sample(crosses ? this.#crossingQuantities : this.#quantities)
    const lifetime = this.#sample(this.#lifetimes)
    const cell = (this.#command + lifetime) & (WHEEL_CELLS - 1)
    this.#nextDue[order & (ORDER_CELLS - 1)] = this.#due[cell]!
    this.#due[cell] = order
  }

  #moveReference(): void {
    if (this.#below(ORDERS_A_STEP) !== 0) return
    const step = this.#below(2 * STEP_TICKS_MAX) - STEP_TICKS_MAX
    const bid = this.#bid + (step < 0 ? step : step + 1)
    // Turned back at the ends, the price can wander for ever without leaving what is plausible.
    this.#bid = Math.min(Math.max(bid, PRICE_MIN), PRICE_MAX)
  }

  #sample(table: Float64Array): number {
    return table[this.#below(table.length)]!
  }

  /** An integer below `bound`, at most 2¹⁶, by mulberry32 (Tommy Ettinger, public domain). */
  #below(bound: number): number {
    const state = (this.#random + 0x6d2b79f5) | 0
    this.#random = state
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 16) * bound) >>> 16
  }
}

/** Quantiles as equally likely values, so that a sample is one look into a table. */
function tableOf(quantiles: readonly number[]): Float64Array {
  const table = new Float64Array(2 ** TABLE_BITS)
  let upper = 1
  for (let index = 0; index < table.length; index++) {
    const perMille = ((index + 0.5) * 1_000) / table.length
    while (QUANTILES_PER_MILLE[upper]! < perMille) upper += 1
    const [from, to] = [QUANTILES_PER_MILLE[upper - 1]!, QUANTILES_PER_MILLE[upper]!]
    const [low, high] = [quantiles[upper - 1]!, quantiles[upper]!]
    table[index] = Math.round(low + ((high - low) * (perMille - from)) / (to - from))
  }
  return table
}
