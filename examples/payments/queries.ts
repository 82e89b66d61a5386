/** Answers that are computed from states and events as they were read, without an engine. */
import type { RecordedEvent } from '../../engine/index.js'
import {
  Deposited,
  FundsHeld,
  FundsReleased,
  PaymentReceived,
  PaymentSent,
  RefundReceived,
  RefundSent,
  TransferReceived,
  TransferSent,
  Withdrawn,
} from './accounts.js'
import { MoneyCameIn, MoneyWentOut } from './outside-world.js'

export interface Balances {
  readonly available: number
  readonly held: number
}

/** What an account holds, whether or not it may spend it now. */
export function balanceOf(account: Balances): number {
  return account.available + account.held
}

/** By how much the books of one currency are wrong: anything but zero is a bug. */
export function imbalanceOf(
  world: { readonly balance: number },
  accounts: Iterable<Balances>,
): number {
  let sum = world.balance
  for (const account of accounts) sum += balanceOf(account)
  return sum
}

/**
 * What an event does to the balance of its stream: a line of an account's statement. The lines of
 * one command add up to zero. Undefined for an event that moves no money into or out of its stream.
 */
export function entryOf(event: RecordedEvent): number | undefined {
  if (
    Deposited.is(event) ||
    TransferReceived.is(event) ||
    PaymentReceived.is(event) ||
    RefundReceived.is(event) ||
    MoneyWentOut.is(event)
  ) {
    return event.data.amount
  }
  if (
    Withdrawn.is(event) ||
    TransferSent.is(event) ||
    PaymentSent.is(event) ||
    RefundSent.is(event) ||
    MoneyCameIn.is(event)
  ) {
    return -event.data.amount
  }
  return undefined
}

/** What an event adds to the held part of its account. */
export function heldBy(event: RecordedEvent): number {
  if (FundsHeld.is(event)) return event.data.amount
  if (FundsReleased.is(event) || PaymentSent.is(event)) return -event.data.amount
  return 0
}
