/**
 * Replays a recorded public ledger: each command is one transaction with the balances that it
 * changed, as the network reported them. What must hold of every transaction is checked against the
 * balances that the engine has kept so far, so a wrong balance anywhere is a rejection.
 *
 * The recording has gaps. Balances are compared within a run of consecutive ledgers only.
 */
import { any, bool, domain, int, text, u32 } from '../../engine/index.js'

const xrpLedger = domain('xrp-ledger', import.meta.url)
export default xrpLedger

/** Of one account by one transaction, in drops (millionths of an XRP). */
export interface BalanceChange {
  readonly account: string
  readonly before: number
  readonly after: number
}

export const Account = xrpLedger.aggregate('Account', {
  id: text,
  state: { balance: int, seenInRun: u32 },
})

export const Network = xrpLedger.aggregate('Network', {
  id: text,
  state: { feesBurned: int, succeeded: u32, failed: u32, chained: u32 },
})

export const BalanceChanged = Account.event(
  'BalanceChanged',
  { before: int, after: int, run: u32 },
  (account, event) => {
    account.balance = event.after
    account.seenInRun = event.run
  },
)

/** `chained`: how many of its balances were known before, and were the same. */
export const TransactionApplied = Network.event(
  'TransactionApplied',
  { hash: text, succeeded: bool, fee: int, chained: u32 },
  (network, event) => {
    network.feesBurned += event.fee
    if (event.succeeded) network.succeeded += 1
    else network.failed += 1
    network.chained += event.chained
  },
)

export const ApplyTransaction = xrpLedger.command(
  'ApplyTransaction',
  {
    hash: text,
    /** Number of the run of consecutive ledgers, from 1. */
    run: u32,
    payer: Account.id,
    fee: int,
    succeeded: bool,
    /** How many ledger entries of any kind it touched. */
    touched: u32,
    changes: any.of<readonly BalanceChange[]>(),
  },
  ({ hash, run, payer, fee, succeeded, touched, changes }, tx) => {
    let sum = 0
    let chained = 0
    for (const { account, before, after } of changes) {
      sum += after - before
      const known = tx.get(Account, account)
      if (known.seenInRun !== run) continue
      if (known.balance !== before) return tx.reject('CHAIN_BROKEN', { account, hash })
      chained += 1
    }
    if (sum !== -fee) return tx.reject('NOT_CONSERVED', { sum, fee, hash })
    const changesFeeOnly = touched === 1 && changes.length === 1 && changes[0]?.account === payer
    if (!succeeded && !changesFeeOnly) return tx.reject('FAILED_CHANGED_MORE', { hash })
    for (const { account, before, after } of changes) {
      tx.emit(BalanceChanged, account, { before, after, run })
    }
    tx.emit(TransactionApplied, 'main', { hash, succeeded, fee, chained })
  },
)
