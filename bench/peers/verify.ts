/** Is in a store exactly what the transfers must have left there? No row without this. */
import { INITIAL_BALANCE } from '../transfer-workload.js'
import type { Store } from './peer.js'
import { busiestOf, expectedAfter } from './transfer-feed.js'

export const BUSIEST = 10

export interface Ledger {
  readonly seed: number
  readonly accounts: number
  /** That the store has answered, the warm-up included. */
  readonly transfers: number
}

/** @throws Error that names the first difference */
export async function verifyStore(store: Store, ledger: Ledger, when: string): Promise<void> {
  const { seed, accounts, transfers } = ledger
  const balances = await store.balances(accounts)
  const sum = balances.reduce((total, balance) => total + balance, 0)
  if (sum !== accounts * INITIAL_BALANCE) {
    throw new Error(`${when}: the balances add up to ${sum}, not ${accounts * INITIAL_BALANCE}`)
  }
  const expected = expectedAfter(seed, accounts, transfers)
  const wrong = expected.balances.findIndex((balance, account) => balance !== balances[account])
  if (wrong >= 0 || balances.length !== accounts) {
    throw new Error(
      `${when}: account ${wrong} has ${balances[wrong]}, not ${expected.balances[wrong]}`,
    )
  }
  const events = await store.transferEvents(accounts)
  if (events !== 2 * transfers) {
    throw new Error(`${when}: ${events} events are stored, not ${2 * transfers}`)
  }
  if (store.busiest === undefined) return
  const found = JSON.stringify(await store.busiest(BUSIEST))
  const busiest = JSON.stringify(busiestOf(expected.events, BUSIEST))
  if (found !== busiest) throw new Error(`${when}: the busiest are ${found}, not ${busiest}`)
}
