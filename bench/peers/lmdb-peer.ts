/**
 * LMDB by lmdb-js: integer keys, binary values, reads straight from mapped memory. Every commit is
 * synced before it resolves: with `overlappingSync` it would resolve earlier, and waiting for its
 * sync as well is no faster.
 */
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import { loadPackage, packageVersion } from './packages.js'
import { type Busy, concurrently, type Mode, type Peer, type Store } from './peer.js'
import { busiestOf, type TransferFeed } from './transfer-feed.js'

const CALLERS = 1000
const BATCH = 1000
const MAP_BYTES = 64 * 2 ** 30

// An event: type, account, amount.
const EVENT_TYPE = 0
const EVENT_ACCOUNT = 4
const EVENT_AMOUNT = 8
const EVENT_BYTES = 16
const DEBITED = 1
const CREDITED = 2

interface Table {
  get(key: number): Buffer | undefined
  put(key: number, value: Buffer): Promise<boolean>
  putSync(key: number, value: Buffer): void
  getRange(options: object): Iterable<{ key: number; value: Buffer }>
  getCount(): number
}

interface Environment {
  openDB(options: object): Table
  transaction(action: () => void): Promise<void>
  transactionSync(action: () => void): void
  close(): Promise<void>
}

interface Lmdb {
  open(options: object): Environment
}

export const lmdbPeer: Peer = {
  name: 'lmdb',
  packages: ['lmdb'],
  fillMode: 'batch1000',
  modes: [
    {
      name: 'single',
      durability: 'disk',
      how: 'a synchronous transaction a transfer, synced when it returns',
    },
    {
      name: 'concurrent',
      durability: 'disk',
      how: `${CALLERS} callers, each awaiting its transaction; lmdb groups them into one commit`,
    },
    {
      name: 'batch1000',
      durability: 'disk',
      how: `${BATCH} transfers a transaction: one that fails takes the others with it`,
    },
  ],
  version: () => packageVersion('lmdb'),
  open(directory, mode) {
    const { open } = loadPackage<Lmdb>('lmdb')
    const environment = open({ path: directory, overlappingSync: false, mapSize: MAP_BYTES })
    return Promise.resolve(new LmdbStore(environment, mode))
  },
}

class LmdbStore implements Store {
  private readonly environment: Environment
  private readonly mode: Mode
  private readonly accounts: Table
  private readonly events: Table
  private lastSequence = 0

  constructor(environment: Environment, mode: Mode) {
    this.environment = environment
    this.mode = mode
    const options = { keyEncoding: 'uint32', encoding: 'binary' }
    this.accounts = environment.openDB({ name: 'accounts', ...options })
    this.events = environment.openDB({ name: 'events', ...options })
    for (const { key } of this.events.getRange({ reverse: true, limit: 1, values: false })) {
      this.lastSequence = key
    }
  }

  seed(accounts: number): Promise<void> {
    this.environment.transactionSync(() => {
      for (let account = 0; account < accounts; account++) {
        this.accounts.putSync(account, balanceBytes(INITIAL_BALANCE))
      }
    })
    return Promise.resolve()
  }

  async run(feed: TransferFeed): Promise<void> {
    if (this.mode.name === 'concurrent') {
      await concurrently(CALLERS, () => this.runAsync(feed))
    } else this.runSync(feed, this.mode.name === 'single' ? 1 : BATCH)
  }

  private runSync(feed: TransferFeed, transfersPerTransaction: number): void {
    const { environment } = this
    while (feed.next()) {
      environment.transactionSync(() => {
        let count = 1
        do this.transfer(feed.from, feed.to)
        while (count++ < transfersPerTransaction && feed.next())
      })
    }
  }

  private async runAsync(feed: TransferFeed): Promise<void> {
    while (feed.next()) {
      const { from, to } = feed
      await this.environment.transaction(() => this.transfer(from, to))
    }
  }

  /** Inside a transaction, `putSync` writes into it. */
  private transfer(from: number, to: number): void {
    const { accounts, events } = this
    const fromBalance = this.balance(from)
    if (fromBalance < AMOUNT) throw new Error('insufficient funds')
    accounts.putSync(from, balanceBytes(fromBalance - AMOUNT))
    accounts.putSync(to, balanceBytes(this.balance(to) + AMOUNT))
    events.putSync(++this.lastSequence, eventBytes(DEBITED, from))
    events.putSync(++this.lastSequence, eventBytes(CREDITED, to))
  }

  balances(accounts: number): Promise<Float64Array> {
    return Promise.resolve(
      Float64Array.from({ length: accounts }, (_, account) => this.balance(account)),
    )
  }

  transferEvents(): Promise<number> {
    return Promise.resolve(this.events.getCount())
  }

  balance(account: number): number {
    return this.accounts.get(account)?.readDoubleLE(0) ?? Number.NaN
  }

  busiest(count: number): Promise<Busy[]> {
    const events: number[] = []
    for (const { value } of this.events.getRange({})) {
      const account = value.readUInt32LE(EVENT_ACCOUNT)
      events[account] = (events[account] ?? 0) + 1
    }
    // Accounts without events are holes.
    return Promise.resolve(
      busiestOf(
        Array.from(events, (number) => number ?? 0),
        count,
      ),
    )
  }

  close(): Promise<void> {
    return this.environment.close()
  }
}

function balanceBytes(balance: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleLE(balance, 0)
  return bytes
}

function eventBytes(type: number, account: number): Buffer {
  const bytes = Buffer.allocUnsafe(EVENT_BYTES)
  bytes.writeUInt32LE(type, EVENT_TYPE)
  bytes.writeUInt32LE(account, EVENT_ACCOUNT)
  bytes.writeDoubleLE(AMOUNT, EVENT_AMOUNT)
  return bytes
}
