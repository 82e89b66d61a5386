/** Emmett with its in-memory store: keeps nothing, so it stands beside tidewheel without files. */
import { FoldedLedger, type LedgerEvent } from './folded-ledger.js'
import { loadPackage, packageVersion } from './packages.js'
import type { Peer, Store } from './peer.js'
import type { TransferFeed } from './transfer-feed.js'

/**
 * An append copies its stream and counts all streams, so its time grows with both: this many
 * transfers a stream keep both short.
 */
const TRANSFERS_PER_STREAM = 256

interface EventStore {
  appendToStream(stream: string, events: readonly LedgerEvent[]): Promise<unknown>
  readStream(stream: string): Promise<{ events: readonly LedgerEvent[] }>
}

interface Emmett {
  getInMemoryEventStore(): EventStore
}

export const emmettMemoryPeer: Peer = {
  name: 'emmett-memory',
  packages: ['@event-driven-io/emmett'],
  fillMode: 'memory',
  modes: [
    {
      name: 'memory',
      durability: 'none',
      how: 'in-memory store, an append of both events a transfer; balances beside it',
    },
  ],
  version: () => packageVersion('@event-driven-io/emmett'),
  open() {
    const { getInMemoryEventStore } = loadPackage<Emmett>('@event-driven-io/emmett')
    return Promise.resolve(new EmmettMemoryStore(getInMemoryEventStore()))
  },
}

class EmmettMemoryStore implements Store {
  private readonly events: EventStore
  private readonly ledger = new FoldedLedger()
  private transfers = 0

  constructor(events: EventStore) {
    this.events = events
  }

  seed(accounts: number): Promise<void> {
    for (let account = 0; account < accounts; account++) this.ledger.open(account)
    return Promise.resolve()
  }

  async run(feed: TransferFeed): Promise<void> {
    while (feed.next()) {
      const events = this.ledger.transfer(feed.from, feed.to)
      const stream = `transfers-${Math.floor(this.transfers++ / TRANSFERS_PER_STREAM)}`
      await this.events.appendToStream(stream, events)
    }
  }

  balances(): Promise<Float64Array> {
    return Promise.resolve(this.ledger.balances())
  }

  async transferEvents(): Promise<number> {
    let count = 0
    for (let stream = 0; stream * TRANSFERS_PER_STREAM < this.transfers; stream++) {
      count += (await this.events.readStream(`transfers-${stream}`)).events.length
    }
    return count
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
