/**
 * The transfers that every peer gets: the same sequence from the same seed, until a count or a time
 * is reached. So what must be in a store afterwards follows from how many it took, in any order.
 */
import { AMOUNT, INITIAL_BALANCE, TransferWorkload } from '../transfer-workload.js'
import type { Busy } from './peer.js'

export interface FeedLimit {
  readonly transfers?: number
  readonly seconds?: number
}

/** The clock is read after so many transfers, so that even a short time gives out some. */
const CLOCK_INTERVAL = 16

export class TransferFeed {
  from = 0
  to = 0
  taken = 0
  private readonly workload: TransferWorkload
  private readonly transfersMax: number
  private readonly untilMs: number
  private ended = false

  /** The time runs from here. */
  constructor(workload: TransferWorkload, limit: FeedLimit) {
    this.workload = workload
    this.transfersMax = limit.transfers ?? Number.POSITIVE_INFINITY
    this.untilMs = performance.now() + (limit.seconds ?? Number.POSITIVE_INFINITY) * 1000
  }

  /** Sets `from` and `to`; false: there are no more. */
  next(): boolean {
    if (this.ended || this.taken >= this.transfersMax) return false
    if (this.taken % CLOCK_INTERVAL === CLOCK_INTERVAL - 1 && performance.now() >= this.untilMs) {
      this.ended = true
      return false
    }
    this.from = this.workload.nextAccount()
    this.to = this.workload.nextAccount()
    this.taken++
    return true
  }

  /** Up to so many at once; empty: there are no more. */
  batch(count: number): { from: number[]; to: number[] } {
    const from: number[] = []
    const to: number[] = []
    while (from.length < count && this.next()) {
      from.push(this.from)
      to.push(this.to)
    }
    return { from, to }
  }
}

export interface Expected {
  readonly balances: Float64Array
  /** Events of each account. */
  readonly events: Uint32Array
}

/** What so many transfers from this seed leave behind. */
export function expectedAfter(seed: number, accounts: number, transfers: number): Expected {
  const balances = new Float64Array(accounts).fill(INITIAL_BALANCE)
  const events = new Uint32Array(accounts)
  const workload = new TransferWorkload(seed, accounts)
  for (let i = 0; i < transfers; i++) {
    const from = workload.nextAccount()
    const to = workload.nextAccount()
    balances[from]! -= AMOUNT
    balances[to]! += AMOUNT
    events[from]!++
    events[to]!++
  }
  return { balances, events }
}

export function busiestOf(events: ArrayLike<number>, count: number): Busy[] {
  return Array.from(events, (number, account) => ({ account, events: number }))
    .sort((a, b) => b.events - a.events || a.account - b.account)
    .slice(0, count)
}
