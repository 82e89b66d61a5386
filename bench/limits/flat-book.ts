/**
 * A limit order book in flat arrays, by hand, with the rules of examples/exchange for orders that
 * wait: price, then time. Prices are below 2¹⁶ ticks, and at most 8,191 orders rest.
 *
 *   price ─▶ first, last order of its line; a bit that says whether there is one
 *   id ──hash──▶ order: id, quantity, price, side, next and previous in line
 */

const PRICES = 65_536
const ORDERS = 8_192
const CELLS = 4 * ORDERS
const CELL_MASK = CELLS - 1

export class FlatBook {
  version = 0
  /** Best prices: no bid is 0, no ask is PRICES. */
  bid = 0
  ask = PRICES
  /** By order; order 0 is none. */
  readonly ids = new Float64Array(ORDERS)
  readonly quantities = new Float64Array(ORDERS)
  readonly prices = new Int32Array(ORDERS)
  readonly nexts = new Int32Array(ORDERS)
  private readonly previous = new Int32Array(ORDERS)
  private readonly isBuy = new Uint8Array(ORDERS)
  private readonly firsts = new Int32Array(PRICES)
  private readonly lasts = new Int32Array(PRICES)
  /** A bit a price, one array a side. */
  private readonly bidBits = new Int32Array(PRICES / 32)
  private readonly askBits = new Int32Array(PRICES / 32)
  /** Open addressing: an order, or 0. */
  private readonly cells = new Int32Array(CELLS)
  private free = 0
  private used = 1

  /** The order with this id, or 0. */
  find(id: number): number {
    const { cells, ids } = this
    let cell = homeOf(id)
    for (;;) {
      const order = cells[cell]!
      if (order === 0 || ids[order] === id) return order
      cell = (cell + 1) & CELL_MASK
    }
  }

  /** First in line at the best price of the other side, or 0. */
  best(isBuy: number): number {
    if (isBuy === 1) return this.ask === PRICES ? 0 : this.firsts[this.ask]!
    return this.bid === 0 ? 0 : this.firsts[this.bid]!
  }

  rest(id: number, isBuy: number, price: number, quantity: number): void {
    const order = this.allocate()
    this.ids[order] = id
    this.quantities[order] = quantity
    this.prices[order] = price
    this.isBuy[order] = isBuy
    this.nexts[order] = 0
    const last = this.lasts[price]!
    this.previous[order] = last
    if (last === 0) this.openLevel(isBuy, price, order)
    else this.nexts[last] = order
    this.lasts[price] = order
    let cell = homeOf(id)
    while (this.cells[cell] !== 0) cell = (cell + 1) & CELL_MASK
    this.cells[cell] = order
  }

  reduce(order: number, quantity: number): void {
    const left = this.quantities[order]! - quantity
    if (left > 0) this.quantities[order] = left
    else this.remove(order)
  }

  remove(order: number): void {
    const price = this.prices[order]!
    const next = this.nexts[order]!
    const previous = this.previous[order]!
    if (next === 0) this.lasts[price] = previous
    else this.previous[next] = previous
    if (previous === 0) this.firsts[price] = next
    else this.nexts[previous] = next
    if (this.firsts[price] === 0) this.closeLevel(this.isBuy[order]!, price)
    this.forget(order)
    this.nexts[order] = this.free
    this.free = order
  }

  /** What rests on a side, in the order in which it trades: id, price, quantity. */
  *resting(isBuy: number): Generator<[id: number, price: number, quantity: number]> {
    const step = isBuy === 1 ? -1 : 1
    const bits = isBuy === 1 ? this.bidBits : this.askBits
    for (let price = isBuy === 1 ? PRICES - 1 : 0; price >= 0 && price < PRICES; price += step) {
      if (((bits[price >>> 5]! >>> (price & 31)) & 1) === 0) continue
      for (let order = this.firsts[price]!; order !== 0; order = this.nexts[order]!) {
        yield [this.ids[order]!, price, this.quantities[order]!]
      }
    }
  }

  private allocate(): number {
    const order = this.free
    if (order !== 0) {
      this.free = this.nexts[order]!
      return order
    }
    if (this.used === ORDERS) throw new Error('too many orders rest in a flat book')
    return this.used++
  }

  private openLevel(isBuy: number, price: number, order: number): void {
    this.firsts[price] = order
    const bits = isBuy === 1 ? this.bidBits : this.askBits
    bits[price >>> 5]! |= 1 << (price & 31)
    if (isBuy === 1) {
      if (price > this.bid) this.bid = price
    } else if (price < this.ask) this.ask = price
  }

  private closeLevel(isBuy: number, price: number): void {
    const bits = isBuy === 1 ? this.bidBits : this.askBits
    bits[price >>> 5]! &= ~(1 << (price & 31))
    if (isBuy === 1) {
      if (price === this.bid) this.bid = highestBit(bits, price)
    } else if (price === this.ask) this.ask = lowestBit(bits, price)
  }

  /** Takes an order's id out of the table: Knuth, TAOCP 3, 6.4, algorithm R. */
  private forget(order: number): void {
    const { cells, ids } = this
    let gap = homeOf(ids[order]!)
    while (cells[gap] !== order) gap = (gap + 1) & CELL_MASK
    for (let cell = (gap + 1) & CELL_MASK; cells[cell] !== 0; cell = (cell + 1) & CELL_MASK) {
      const home = homeOf(ids[cells[cell]!]!)
      if (((cell - home) & CELL_MASK) < ((cell - gap) & CELL_MASK)) continue
      cells[gap] = cells[cell]!
      gap = cell
    }
    cells[gap] = 0
  }
}

/** Ids are integers of up to 53 bits; the lower half decides here. */
function homeOf(id: number): number {
  const mixed = Math.imul(id | 0, 0x9e3779b1)
  return (mixed ^ (mixed >>> 16)) & CELL_MASK
}

/** The highest price with a bit, at or below `price`, or 0. */
function highestBit(bits: Int32Array, price: number): number {
  for (let word = price >>> 5; word >= 0; word--) {
    const found = bits[word]!
    if (found !== 0) return word * 32 + 31 - Math.clz32(found)
  }
  return 0
}

/** The lowest price with a bit, at or above `price`, or PRICES. */
function lowestBit(bits: Int32Array, price: number): number {
  for (let word = price >>> 5; word < bits.length; word++) {
    const found = bits[word]!
    if (found !== 0) return word * 32 + 31 - Math.clz32(found & -found)
  }
  return PRICES
}
