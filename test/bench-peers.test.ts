import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { Row } from '../bench/benchmark.js'
import { FoldedLedger } from '../bench/peers/folded-ledger.js'
import { type MeasureOptions, measurePeer } from '../bench/peers/measure.js'
import type { Mode, Peer, Store } from '../bench/peers/peer.js'
import { runPeers } from '../bench/peers/peers.js'
import type { TransferFeed } from '../bench/peers/transfer-feed.js'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'bench', 'peers', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'tidewheel-peers-test-'))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a store can do wrong, one at a time. */
type Fault =
  | 'none'
  | 'loses a transfer'
  | 'credits only'
  | 'wrong account'
  | 'records one event'
  | 'forgets the last at closing'
  | 'counts wrong'

const mode: Mode = { name: 'single', durability: 'disk', how: 'for the test' }

function fakePeer(fault: Fault): Peer {
  return {
    name: 'fake',
    packages: [],
    fillMode: mode.name,
    modes: [mode],
    version: () => '1',
    open: (directory) => Promise.resolve(new FakeStore(directory, fault)),
  }
}

/** Transfers in a list, in a file. */
class FakeStore implements Store {
  private readonly file: string
  private readonly fault: Fault
  private readonly ledger = new FoldedLedger()
  private readonly pairs: [number, number][] = []
  private accounts = 0

  constructor(directory: string, fault: Fault) {
    mkdirSync(directory, { recursive: true })
    this.file = join(directory, 'pairs.json')
    this.fault = fault
    if (!existsSync(this.file)) return
    const stored = JSON.parse(readFileSync(this.file, 'utf8')) as {
      accounts: number
      pairs: [number, number][]
    }
    for (let account = 0; account < stored.accounts; account++) this.ledger.open(account)
    for (const [from, to] of stored.pairs) this.transfer(from, to)
  }

  seed(accounts: number): Promise<void> {
    this.accounts = accounts
    for (let account = 0; account < accounts; account++) this.ledger.open(account)
    return Promise.resolve()
  }

  run(feed: TransferFeed): Promise<void> {
    while (feed.next()) {
      if (this.fault === 'loses a transfer' && feed.taken === 7) continue
      this.transfer(feed.from, feed.to)
    }
    return Promise.resolve()
  }

  private transfer(from: number, to: number): void {
    this.pairs.push([from, to])
    const isSeventh = this.pairs.length === 7
    const { ledger } = this
    if (this.fault === 'credits only' && isSeventh) {
      ledger.apply({ type: 'Credited', data: { account: to, amount: 1 } })
      ledger.transferEvents++
    } else if (this.fault === 'wrong account' && isSeventh) ledger.transfer(from, to === 0 ? 1 : 0)
    else ledger.transfer(from, to)
    if (this.fault === 'records one event' && isSeventh) ledger.transferEvents--
  }

  balances(): Promise<Float64Array> {
    return Promise.resolve(this.ledger.balances())
  }

  transferEvents(): Promise<number> {
    return Promise.resolve(this.ledger.transferEvents)
  }

  balance(account: number): number {
    return this.ledger.balance(account)
  }

  busiest(count: number) {
    const busiest = this.ledger.busiest(count)
    return Promise.resolve(this.fault === 'counts wrong' ? busiest.reverse() : busiest)
  }

  close(): Promise<void> {
    const pairs = this.fault.startsWith('forgets') ? this.pairs.slice(0, -1) : this.pairs
    // The one that is closed after opening again has nothing new.
    if (this.accounts > 0) {
      writeFileSync(this.file, JSON.stringify({ accounts: this.accounts, pairs }))
    }
    return Promise.resolve()
  }
}

function options(kind: MeasureOptions['kind']): MeasureOptions {
  return {
    peer: 'fake',
    mode: mode.name,
    kind,
    directory: join(folder, 'fake'),
    accounts: 16,
    seed: 1,
    warmUpSeconds: 0,
    seconds: 0.01,
    transfers: 500,
  }
}

describe('bench:peers', () => {
  it('verification: a store that does what it must gives figures', async () => {
    const transfers = await measurePeer(fakePeer('none'), options('transfers'))
    expect(transfers).toEqual({ transfersPerSecond: expect.any(Number) })
    expect(Object.values(transfers)[0]).toBeGreaterThan(0)
    const store = await measurePeer(fakePeer('none'), options('store'))
    expect(Object.keys(store).sort()).toEqual([
      'bytesPerTransfer',
      'openMs',
      'queryMs',
      'readsPerSecond',
    ])
    // Nothing is left behind for the next one.
    expect(existsSync(join(folder, 'fake'))).toBe(false)
  })

  it.each([
    ['loses a transfer', /account \d+ has/],
    ['credits only', /the balances add up to/],
    ['wrong account', /account \d+ has/],
    ['records one event', /events are stored/],
    ['counts wrong', /the busiest are/],
  ] as const)('verification: a store that %s is refused', async (fault, reason) => {
    const measuring = measurePeer(fakePeer(fault), options('transfers'))
    await expect(measuring).rejects.toThrow(reason)
    await expect(measuring).rejects.toThrow(/^after the transfers/)
  })

  it('verification: a store that forgets is refused after opening again', async () => {
    const peer = fakePeer('forgets the last at closing')
    for (const kind of ['transfers', 'store'] as const) {
      await expect(measurePeer(peer, options(kind))).rejects.toThrow(/^after opening again/)
    }
  })

  it('packages: a peer that could not be installed is skipped with the reason, not measured', async () => {
    const peer: Peer = { ...fakePeer('none'), packages: ['fake'] }
    const size = { size: 'smoke', directory: folder, seed: 1 } as const
    const { rows, failures } = await runPeers([peer], size, 'npm ci failed: offline')
    expect(failures).toEqual([])
    expect(rows.map(({ name, runs, config }) => [name, runs, config['skipped']])).toEqual([
      ['peers.fake.single', [], 'npm ci failed: offline'],
      ['peers.fake.store', [], 'npm ci failed: offline'],
    ])
  })

  it('smoke: tidewheel, in every mode, gives complete rows without installing anything', () => {
    const file = join(folder, 'rows.json')
    execFileSync(process.execPath, [main, 'tidewheel', '--smoke', '--data', folder, '--json', file])
    const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[]
    expect(rows.map(({ name }) => name)).toEqual(
      ['single', 'concurrent', 'submit', 'memory', 'open', 'read', 'query', 'disk'].map(
        (name) => `peers.tidewheel.${name}`,
      ),
    )
    for (const { value, unit, runs, config } of rows) {
      expect(value).toBeGreaterThan(0)
      expect(unit).not.toBe('')
      expect(runs).toHaveLength(1)
      expect(config).toMatchObject({ peer: 'tidewheel', version: expect.any(String) })
      expect(config).toHaveProperty('fileSystem')
      expect(config).toHaveProperty('durability')
    }
  })
})
