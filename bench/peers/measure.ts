/**
 * One measurement of one peer, in a process of its own: transfers a second in one mode, or what a
 * filled store costs to open, read, question and keep. Each ends with the check that the store has
 * exactly what it answered, before and after it was closed and opened again.
 */

import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Contender } from '../benchmark.js'
import { TransferWorkload } from '../transfer-workload.js'
import { type Mode, type Peer, PeerUnavailable, type Store } from './peer.js'
import { PEERS } from './registry.js'
import { TransferFeed } from './transfer-feed.js'
import { BUSIEST, verifyStore } from './verify.js'

export interface MeasureOptions {
  readonly peer: string
  readonly mode: string
  readonly directory: string
  readonly accounts: number
  readonly seed: number
  /** `transfers`: for so long, after a warm-up. `store`: opening, reading and size. */
  readonly kind: 'transfers' | 'store'
  readonly warmUpSeconds: number
  readonly seconds: number
  /** That fill the store. */
  readonly transfers: number
}

export interface TransferFigures {
  readonly transfersPerSecond: number
}

export interface StoreFigures {
  readonly openMs: number
  readonly bytesPerTransfer: number
  readonly readsPerSecond?: number
  readonly queryMs?: number
}

/** There is no figure, and why: it does not run here, or it failed, which is worse. */
export interface Skipped {
  readonly skipped: string
  readonly isFailure: boolean
}

export type Measured = (TransferFigures | StoreFigures | Skipped) & { readonly version?: string }

/** What isolated-child.ts calls. */
/** One round, which verifies itself. */
export async function prepare(options: MeasureOptions): Promise<Contender<Measured>> {
  return { round: () => measure(options), end: () => Promise.resolve() }
}

async function measure(options: MeasureOptions): Promise<Measured> {
  const peer = PEERS.find(({ name }) => name === options.peer)
  if (peer === undefined) throw new Error(`there is no peer ${options.peer}`)
  try {
    const version = await peer.version()
    return { ...(await measurePeer(peer, options)), version }
  } catch (error) {
    if (error instanceof PeerUnavailable) return { skipped: error.message, isFailure: false }
    console.error(error)
    const message = error instanceof Error ? error.message : String(error)
    return { skipped: `failed: ${message}`, isFailure: true }
  }
}

/** @throws Error when the store has not what it must have */
export async function measurePeer(
  peer: Peer,
  options: MeasureOptions,
): Promise<TransferFigures | StoreFigures> {
  const mode = peer.modes.find(({ name }) => name === options.mode)
  if (mode === undefined) throw new Error(`${peer.name} has no mode ${options.mode}`)
  rmSync(options.directory, { recursive: true, force: true })
  try {
    return options.kind === 'transfers'
      ? await measureTransfers(peer, mode, options)
      : await measureStore(peer, mode, options)
  } finally {
    rmSync(options.directory, { recursive: true, force: true })
  }
}

async function measureTransfers(
  peer: Peer,
  mode: Mode,
  options: MeasureOptions,
): Promise<TransferFigures> {
  const { directory, accounts, seed, warmUpSeconds, seconds } = options
  const store = await peer.open(directory, mode)
  await store.seed(accounts)
  const workload = new TransferWorkload(seed, accounts)
  const warmUp = new TransferFeed(workload, { seconds: warmUpSeconds })
  await store.run(warmUp)
  const startedMs = performance.now()
  const feed = new TransferFeed(workload, { seconds })
  await store.run(feed)
  const elapsedMs = performance.now() - startedMs
  const ledger = { seed, accounts, transfers: warmUp.taken + feed.taken }
  await verifyStore(store, ledger, 'after the transfers')
  await store.close()
  if (mode.durability === 'disk') {
    const reopened = await peer.open(directory, mode)
    await verifyStore(reopened, ledger, 'after opening again')
    await reopened.close()
  }
  return { transfersPerSecond: (feed.taken / elapsedMs) * 1000 }
}

async function measureStore(
  peer: Peer,
  mode: Mode,
  options: MeasureOptions,
): Promise<StoreFigures> {
  const { directory, accounts, seed, transfers, seconds } = options
  const store = await peer.open(directory, mode)
  await store.seed(accounts)
  await store.run(new TransferFeed(new TransferWorkload(seed, accounts), { transfers }))
  await store.close()
  const bytesPerTransfer = allocatedBytes(directory) / transfers
  const startedMs = performance.now()
  const reopened = await peer.open(directory, mode)
  await reopened.balance?.(0)
  const openMs = performance.now() - startedMs
  await verifyStore(reopened, { seed, accounts, transfers }, 'after opening again')
  const figures = {
    openMs,
    bytesPerTransfer,
    ...(reopened.balance && { readsPerSecond: await readsPerSecond(reopened, accounts, seconds) }),
    ...(reopened.busiest && { queryMs: await queryMs(reopened) }),
  }
  await reopened.close()
  return figures
}

async function readsPerSecond(store: Store, accounts: number, seconds: number): Promise<number> {
  const workload = new TransferWorkload(1, accounts)
  const startedMs = performance.now()
  let reads = 0
  let sum = 0
  while (performance.now() - startedMs < seconds * 1000) {
    for (let i = 0; i < 64; i++) {
      const balance = store.balance?.(workload.nextAccount()) ?? Number.NaN
      // Awaited only where it has to be: a turn of the queue costs more than a read from memory.
      sum += typeof balance === 'number' ? balance : await balance
    }
    reads += 64
  }
  if (!(sum > 0)) throw new Error(`the balances that were read add up to ${sum}`)
  return (reads / (performance.now() - startedMs)) * 1000
}

async function queryMs(store: Store): Promise<number> {
  const startedMs = performance.now()
  await store.busiest?.(BUSIEST)
  return performance.now() - startedMs
}

/** What the files take from the disk, prepared space included. */
function allocatedBytes(directory: string): number {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).blocks * 512, 0)
}
