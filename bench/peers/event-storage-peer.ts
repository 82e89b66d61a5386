/**
 * event-storage: an embedded event store on files. It has no state, so balances are folded beside
 * it. All accounts share a stream: a stream is a file there, and a commit belongs to one stream.
 */
import { once } from 'node:events'
import { FoldedLedger, type LedgerEvent } from './folded-ledger.js'
import { loadPackage, packageVersion } from './packages.js'
import type { Busy, Mode, Peer, Store } from './peer.js'
import type { TransferFeed } from './transfer-feed.js'

const STREAM = 'ledger'
const BATCH = 1000
/** Room for a batch: a full buffer is written, and synced, at once. */
const WRITE_BUFFER_BYTES = 2 ** 20

interface EventStore extends NodeJS.EventEmitter {
  commit(stream: string, events: readonly LedgerEvent[], callback: () => void): void
  getEventStream(stream: string): Iterable<LedgerEvent> | false
  close(): void
}

type EventStoreClass = new (name: string, config: object) => EventStore

export const eventStoragePeer: Peer = {
  name: 'event-storage',
  packages: ['event-storage'],
  fillMode: 'batch1000',
  modes: [
    {
      name: 'single',
      durability: 'disk',
      how: 'a commit of both events a transfer, syncOnFlush; balances in memory',
    },
    {
      name: 'batch1000',
      durability: 'disk',
      how: `${BATCH} commits a flush, syncOnFlush; balances in memory`,
    },
  ],
  version: () => packageVersion('event-storage'),
  async open(directory, mode) {
    const EventStore = loadPackage<EventStoreClass>('event-storage')
    const events = new EventStore('ledger', {
      storageDirectory: directory,
      storageConfig: { syncOnFlush: true, writeBufferSize: WRITE_BUFFER_BYTES },
    })
    await once(events, 'ready')
    const ledger = new FoldedLedger()
    for (const event of events.getEventStream(STREAM) || []) ledger.apply(event)
    return new EventStorageStore(events, ledger, mode)
  },
}

class EventStorageStore implements Store {
  private readonly events: EventStore
  private readonly ledger: FoldedLedger
  private readonly commitsPerFlush: number

  constructor(events: EventStore, ledger: FoldedLedger, mode: Mode) {
    this.events = events
    this.ledger = ledger
    this.commitsPerFlush = mode.name === 'single' ? 1 : BATCH
  }

  async seed(accounts: number): Promise<void> {
    for (let account = 0; account < accounts; account += BATCH) {
      const count = Math.min(BATCH, accounts - account)
      await this.commit(Array.from({ length: count }, (_, i) => this.ledger.open(account + i)))
    }
  }

  async run(feed: TransferFeed): Promise<void> {
    const { ledger, commitsPerFlush } = this
    while (feed.next()) {
      let last = this.commit(ledger.transfer(feed.from, feed.to))
      // What is committed in one turn is flushed together, and answered in order.
      for (let i = 1; i < commitsPerFlush && feed.next(); i++) {
        last = this.commit(ledger.transfer(feed.from, feed.to))
      }
      await last
    }
  }

  private commit(events: readonly LedgerEvent[]): Promise<void> {
    return new Promise((resolve) => this.events.commit(STREAM, events, resolve))
  }

  balances(): Promise<Float64Array> {
    return Promise.resolve(this.ledger.balances())
  }

  transferEvents(): Promise<number> {
    let count = 0
    for (const { type } of this.events.getEventStream(STREAM) || []) if (type !== 'Opened') count++
    return Promise.resolve(count)
  }

  busiest(count: number): Promise<Busy[]> {
    const stored = new FoldedLedger()
    for (const event of this.events.getEventStream(STREAM) || []) stored.apply(event)
    return Promise.resolve(stored.busiest(count))
  }

  close(): Promise<void> {
    this.events.close()
    return Promise.resolve()
  }
}
