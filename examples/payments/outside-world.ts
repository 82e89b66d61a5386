/**
 * Where deposits come from and withdrawals go to, one stream a currency. With it every movement of
 * money has two sides, and what can go wrong in a ledger becomes one number: all balances of a
 * currency, the outside world's included, add up to zero after every command.
 */
import { int, ref, text, u64 } from '../../engine/index.js'
import { payments } from './payments-domain.js'

export const OutsideWorld = payments.aggregate('OutsideWorld', {
  id: text,
  state: { balance: int },
})

export const MoneyCameIn = OutsideWorld.event(
  'MoneyCameIn',
  { account: ref('Account', u64), amount: int },
  (world, event) => {
    world.balance -= event.amount
  },
)

export const MoneyWentOut = OutsideWorld.event(
  'MoneyWentOut',
  { account: ref('Account', u64), amount: int },
  (world, event) => {
    world.balance += event.amount
  },
)
