/**
 * What a peer is: a store of accounts that takes transfers, in one or more modes.
 *
 * A transfer changes two balances and leaves a record of both events (debited, credited), all or
 * nothing. A peer that keeps events only has its balances in memory, folded from them at opening, as
 * tidewheel does. A mode says honestly when a transfer counts as answered.
 */
import type { TransferFeed } from './transfer-feed.js'

export interface Mode {
  readonly name: string
  /** `disk`: a transfer is synced to disk before it counts. `none`: it is not kept. */
  readonly durability: 'disk' | 'none'
  /** What the peer does for a transfer, as a sentence in the report. */
  readonly how: string
}

export interface Busy {
  readonly account: number
  readonly events: number
}

export interface Store {
  /** Accounts 0 … accounts − 1, each with INITIAL_BALANCE; synced where the mode is. */
  seed(accounts: number): Promise<void>
  /** Resolves when everything that the feed gave out is answered. */
  run(feed: TransferFeed): Promise<void>
  balances(accounts: number): Promise<Float64Array>
  /** Events of transfers that are stored. */
  transferEvents(accounts: number): Promise<number>
  /** A read of one balance, where the peer itself keeps balances. */
  balance?(account: number): number | Promise<number>
  /** A question nobody prepared for: the accounts with the most events, lowest account first. */
  busiest?(count: number): Promise<Busy[]>
  close(): Promise<void>
}

export interface Peer {
  readonly name: string
  readonly modes: readonly Mode[]
  /** The mode that fills a store fastest, before opening, reading and size are measured. */
  readonly fillMode: string
  /** Packages of bench/peers/package.json that it needs. */
  readonly packages: readonly string[]
  /** @throws PeerUnavailable */
  version(): string | Promise<string>
  /** Opens what is in the directory, or an empty store. @throws PeerUnavailable */
  open(directory: string, mode: Mode): Promise<Store>
}

/** The peer does not run here, which is no failure: its rows are skipped, with this reason. */
export class PeerUnavailable extends Error {}

/** Callers that each wait for an answer before they ask again. */
export async function concurrently(callers: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: callers }, work))
}
