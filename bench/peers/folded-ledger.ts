/**
 * Balances in memory, folded from events: what an application keeps beside a store that has events
 * but no state. The same rules as bench/ledger.ts.
 */
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import type { Busy } from './peer.js'
import { busiestOf } from './transfer-feed.js'

export interface LedgerEvent {
  readonly type: 'Opened' | 'Debited' | 'Credited'
  readonly data: { readonly account: number; readonly amount: number }
}

export class FoldedLedger {
  private readonly balancesByAccount: number[] = []
  private readonly eventsByAccount: number[] = []
  transferEvents = 0

  apply({ type, data }: LedgerEvent): void {
    const { account, amount } = data
    const { balancesByAccount, eventsByAccount } = this
    if (type === 'Opened') {
      balancesByAccount[account] = amount
      eventsByAccount[account] = 0
      return
    }
    balancesByAccount[account]! += type === 'Debited' ? -amount : amount
    eventsByAccount[account]!++
    this.transferEvents++
  }

  /** Decides, evolves, and returns the events that must be stored. */
  transfer(from: number, to: number): LedgerEvent[] {
    if ((this.balancesByAccount[from] ?? 0) < AMOUNT) throw new Error('insufficient funds')
    const events: LedgerEvent[] = [
      { type: 'Debited', data: { account: from, amount: AMOUNT } },
      { type: 'Credited', data: { account: to, amount: AMOUNT } },
    ]
    for (const event of events) this.apply(event)
    return events
  }

  open(account: number): LedgerEvent {
    const event: LedgerEvent = { type: 'Opened', data: { account, amount: INITIAL_BALANCE } }
    this.apply(event)
    return event
  }

  balance(account: number): number {
    return this.balancesByAccount[account] ?? Number.NaN
  }

  balances(): Float64Array {
    return Float64Array.from(this.balancesByAccount)
  }

  busiest(count: number): Busy[] {
    return busiestOf(this.eventsByAccount, count)
  }
}
