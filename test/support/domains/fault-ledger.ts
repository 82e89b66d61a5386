/**
 * The domain that real faults meet: each command changes record and object state with two events, so
 * that half a transaction would show. Event 2n is of command n when commands come in turn.
 */
import { bytes, domain, int, object, text, u32 } from '../../../engine/index.js'

const ledger = domain('fault-ledger', import.meta.url)
export default ledger

export const Account = ledger.aggregate('Account', {
  id: text,
  capacity: 64,
  state: { total: int, count: u32, note: bytes },
})
const Added = Account.event('Added', { amount: int, note: bytes }, (account, event) => {
  account.total += event.amount
  account.count += 1
  account.note = event.note
})

const Diary = ledger.aggregate('Diary', {
  id: u32,
  capacity: 8,
  state: object({ create: () => [] as number[] }),
})
const Written = Diary.event('Written', { amount: int }, (amounts, event) => {
  amounts.push(event.amount)
})

export const EVENTS_A_COMMAND = 2

export const Add = ledger.command(
  'Add',
  { account: Account.id, amount: int, note: bytes },
  (command, tx) => {
    tx.emit(Added, command.account, { amount: command.amount, note: command.note })
    tx.emit(Written, 1, { amount: command.amount })
  },
)
