/** tidewheel itself, in the same runs as its peers. */
import { readFileSync } from 'node:fs'
import { Engine } from '../../engine/index.js'
import ledger, { Account, Credited, Debited, Deposit, Transfer } from '../domains/ledger.js'
import { NO_SNAPSHOTS } from '../no-snapshots.js'
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import { type Busy, concurrently, type Mode, type Peer, type Store } from './peer.js'
import { busiestOf, type TransferFeed } from './transfer-feed.js'

const CALLERS = 1000

export const tidewheelPeer: Peer = {
  name: 'tidewheel',
  packages: [],
  fillMode: 'submit',
  modes: [
    { name: 'single', durability: 'disk', how: 'one awaited execute at a time' },
    {
      name: 'concurrent',
      durability: 'disk',
      how: `${CALLERS} callers, each awaiting execute before the next; grouped by the engine`,
    },
    {
      name: 'submit',
      durability: 'disk',
      how: 'submit by one producer; grouped by the engine, receipts when synced',
    },
    { name: 'memory', durability: 'none', how: 'submit with durability none: no files' },
  ],
  version() {
    const file = new URL('../../../package.json', import.meta.url)
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  },
  async open(directory, mode) {
    const engine = await Engine.open(directory, ledger, {
      ...NO_SNAPSHOTS,
      durability: mode.durability,
    })
    return new TidewheelStore(engine, mode)
  },
}

class TidewheelStore implements Store {
  private readonly engine: Engine
  private readonly mode: Mode
  readonly busiest?: (count: number) => Promise<Busy[]>
  private events = 0
  private rejected = 0

  constructor(engine: Engine, mode: Mode) {
    this.engine = engine
    this.mode = mode
    // Without a journal there is no history to ask.
    if (mode.durability === 'disk') this.busiest = (count) => this.busiestOfJournal(count)
    engine.onReceipts((_first, _last, view) => {
      while (view.next()) {
        if (view.accepted) this.events += view.eventCount
        else this.rejected++
      }
    })
  }

  async seed(accounts: number): Promise<void> {
    const { engine } = this
    for (let account = 0; account < accounts; account++) {
      while (engine.submit(Deposit, { account, amount: INITIAL_BALANCE }) === 0) await engine.room()
    }
    await engine.synced()
  }

  async run(feed: TransferFeed): Promise<void> {
    if (this.mode.name === 'single') await this.execute(feed)
    else if (this.mode.name === 'concurrent') {
      await concurrently(CALLERS, () => this.execute(feed))
    } else await this.submit(feed)
    if (this.rejected > 0) throw new Error(`${this.rejected} transfers were rejected`)
  }

  private async execute(feed: TransferFeed): Promise<void> {
    while (feed.next()) {
      const { from, to } = feed
      const { accepted } = await this.engine.execute(Transfer, { from, to, amount: AMOUNT })
      if (!accepted) this.rejected++
    }
  }

  private async submit(feed: TransferFeed): Promise<void> {
    const { engine } = this
    while (feed.next()) {
      const { from, to } = feed
      while (engine.submit(Transfer, { from, to, amount: AMOUNT }) === 0) await engine.room()
    }
    await engine.synced()
  }

  balances(accounts: number): Promise<Float64Array> {
    return Promise.resolve(
      Float64Array.from({ length: accounts }, (_, account) => this.balance(account)),
    )
  }

  balance(account: number): number {
    return this.engine.get(Account, account)?.balance ?? 0
  }

  /** Without files, of the receipts; with files, of the journal. */
  transferEvents(accounts: number): Promise<number> {
    const stored =
      this.mode.durability === 'none' ? this.events : this.engine.journalPosition().sequence
    return Promise.resolve(stored - accounts)
  }

  private async busiestOfJournal(count: number): Promise<Busy[]> {
    const events: number[] = []
    for await (const event of this.engine.readAll()) {
      if (Debited.is(event) || Credited.is(event)) {
        // The deposit that opened the account is no transfer.
        events[event.id] = (events[event.id] ?? -1) + 1
      }
    }
    return busiestOf(events, count)
  }

  close(): Promise<void> {
    return this.engine.close()
  }
}
