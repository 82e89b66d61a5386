/**
 * The domain of `payload.any`: shopping carts, for those who do not want to declare a layout. What is
 * put into a cart is any plain data, packed by msgpackr, and a cart is a JavaScript object.
 */
import { any, domain, object, u32 } from '../../engine/index.js'

const carts = domain('carts', import.meta.url)
export default carts

/** What the benchmark puts into a cart; the engine takes any plain data. */
export interface Line {
  readonly sku: string
  readonly quantity: number
  readonly price: number
  readonly tags: readonly string[]
  readonly options: { readonly gift: boolean; readonly note: string }
}

interface CartState {
  lines: number
  total: number
  latest: Line | null
}

export const Cart = carts.aggregate('Cart', {
  id: u32,
  state: object({
    create: (): CartState => ({ lines: 0, total: 0, latest: null }),
    snapshot: (cart) => ({ ...cart }),
    restore: (data) => data as CartState,
  }),
})

export const LineAdded = Cart.event('LineAdded', { line: any.of<Line>() }, (cart, event) => {
  const { line } = event
  cart.lines += 1
  cart.total += line.quantity * line.price
  cart.latest = line
})

export const AddLine = carts.command(
  'AddLine',
  { cart: Cart.id, line: any.of<Line>() },
  (command, tx) => {
    const { line } = command
    if (line.quantity <= 0) return tx.reject('INVALID_QUANTITY')
    tx.emit(LineAdded, command.cart, { line })
  },
)
