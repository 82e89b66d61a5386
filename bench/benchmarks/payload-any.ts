/**
 * `payload.any`: commands and events whose payload is plain data, packed by msgpackr, on state that
 * is a JavaScript object. The limit is limits/any-limit.ts.
 */
import type { Engine } from '../../engine/index.js'
import type { Benchmark, Contender } from '../benchmark.js'
import { CartLines, type CartOptions } from '../cart-lines.js'
import { compare, limitModule } from '../compare.js'
import { type Answered, type DomainUser, prepareCommands } from '../domain-engine.js'
import carts, { AddLine, Cart, type Line } from '../domains/carts.js'

const SIZES = {
  smoke: { carts: 100, commands: 5_000, warmUp: 500 },
  quick: { carts: 10_000, commands: 100_000, warmUp: 80_000 },
  full: { carts: 10_000, commands: 2_000_000, warmUp: 500_000 },
} as const

export const payloadAny: Benchmark = {
  name: 'payload.any',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: import.meta.url,
      limit: limitModule('any-limit'),
      options: SIZES[options.size],
      config: { mode: 'inline', producers: 1 },
    })
    return [row]
  },
}

export function prepare(options: CartOptions): Promise<Contender<number>> {
  return prepareCommands(new CartUser(options), options)
}

class CartUser implements DomainUser {
  readonly domain = carts
  private readonly workload: CartLines
  private readonly carts: number
  private readonly command: { cart: number; line: Line }
  private isTaken = true

  constructor(options: CartOptions) {
    this.workload = new CartLines(options)
    this.carts = options.carts
    this.command = { cart: 0, line: this.workload.line }
  }

  async open(): Promise<void> {
    // A cart is there with its first line.
  }

  plan(): void {
    // The lines are there already.
  }

  submitNext(engine: Engine): number {
    const { workload, command } = this
    if (this.isTaken) workload.next()
    command.cart = workload.cart
    command.line = workload.line
    const ticket = engine.submit(AddLine, command)
    this.isTaken = ticket !== 0
    return ticket
  }

  verify(engine: Engine, { accepted, rejected }: Answered): void {
    let lines = 0
    for (let cart = 0; cart < this.carts; cart++) lines += engine.get(Cart, cart)?.lines ?? 0
    if (lines !== accepted || rejected > 0) throw new Error(`${lines} lines of ${accepted}`)
  }
}
