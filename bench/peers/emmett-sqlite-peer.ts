/**
 * Emmett with its SQLite store. An append belongs to one stream, so a transfer's two events go to
 * one stream for all accounts, and balances are folded beside it, as Emmett's `decide` and `evolve`
 * want it.
 *
 * Its own driver, sqlite3, has no binary in its npm package, and opens a connection for each append.
 * So it gets one connection of ours, on the driver of sqlite-peer.ts: synchronous, prepared
 * statements kept, `synchronous = FULL`. (package.json puts another package under the name sqlite3,
 * since Emmett imports it even when it does not use it.)
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { FoldedLedger, type LedgerEvent } from './folded-ledger.js'
import { loadPackage, packageVersion } from './packages.js'
import type { Busy, Mode, Peer, Store } from './peer.js'
import {
  closeSqlite,
  openSqlite,
  SQLITE_PRAGMAS,
  type SqliteDatabase,
  type Statement,
} from './sqlite-peer.js'
import type { TransferFeed } from './transfer-feed.js'

const STREAM = 'ledger-all'
const OPEN_BATCH = 1000
const READ_BATCH = 10_000

interface Connection {
  close(): void
  command(sql: string, values?: unknown[]): Promise<unknown>
  batchCommand(sqls: readonly string[]): Promise<void>
  query(sql: string, values?: unknown[]): Promise<unknown[]>
  querySingle(sql: string, values?: unknown[]): Promise<unknown>
  withTransaction<T>(action: () => Promise<T>): Promise<T>
}

interface EventStore {
  appendToStream(
    stream: string,
    events: readonly LedgerEvent[],
    options: { expectedStreamVersion: bigint },
  ): Promise<{ nextExpectedStreamVersion: bigint }>
  readonly schema: { migrate(): Promise<void> }
}

interface EmmettSqlite {
  getSQLiteEventStore(options: object): EventStore
  readMessagesBatch(
    connection: Connection,
    options: { after: bigint; batchSize: number },
  ): Promise<{ messages: readonly LedgerEvent[]; currentGlobalPosition: bigint }>
}

const PACKAGE = '@event-driven-io/emmett-sqlite'

export const emmettSqlitePeer: Peer = {
  name: 'emmett-sqlite',
  packages: ['@event-driven-io/emmett', PACKAGE, 'sqlite3'],
  fillMode: 'batch1000',
  modes: [
    {
      name: 'single',
      durability: 'disk',
      how: 'an append of both events a transfer; WAL, FULL; balances in memory',
    },
    ...[100, 1000].map((batch) => ({
      name: `batch${batch}`,
      durability: 'disk' as const,
      how: `an append for ${batch} transfers; WAL, FULL; balances in memory`,
    })),
  ],
  version: () => packageVersion(PACKAGE),
  async open(directory, mode) {
    const emmett = loadPackage<EmmettSqlite>(PACKAGE)
    mkdirSync(directory, { recursive: true })
    const fileName = join(directory, 'events.db')
    const connection = connectionOf(openSqlite(fileName))
    const events = emmett.getSQLiteEventStore({
      fileName,
      connectionOptions: { singleton: true, connection },
    })
    await events.schema.migrate()
    const store = new EmmettSqliteStore(emmett, connection, events, mode)
    await store.fold()
    return store
  },
}

class EmmettSqliteStore implements Store {
  private readonly emmett: EmmettSqlite
  private readonly connection: Connection
  private readonly events: EventStore
  private readonly ledger = new FoldedLedger()
  private readonly transfersPerAppend: number
  private version = 0n

  constructor(emmett: EmmettSqlite, connection: Connection, events: EventStore, mode: Mode) {
    this.emmett = emmett
    this.connection = connection
    this.events = events
    this.transfersPerAppend = Number(/^batch(\d+)$/.exec(mode.name)?.[1] ?? 1)
  }

  async fold(): Promise<void> {
    for await (const event of this.stored()) {
      this.ledger.apply(event)
      this.version++
    }
  }

  private async *stored(): AsyncGenerator<LedgerEvent> {
    let after = 0n
    for (;;) {
      const options = { after, batchSize: READ_BATCH }
      const batch = await this.emmett.readMessagesBatch(this.connection, options)
      yield* batch.messages
      if (batch.messages.length < READ_BATCH) return
      after = batch.currentGlobalPosition
    }
  }

  async seed(accounts: number): Promise<void> {
    for (let account = 0; account < accounts; account += OPEN_BATCH) {
      const count = Math.min(OPEN_BATCH, accounts - account)
      await this.append(Array.from({ length: count }, (_, i) => this.ledger.open(account + i)))
    }
  }

  async run(feed: TransferFeed): Promise<void> {
    while (feed.next()) {
      const events = this.ledger.transfer(feed.from, feed.to)
      for (let i = 1; i < this.transfersPerAppend && feed.next(); i++) {
        events.push(...this.ledger.transfer(feed.from, feed.to))
      }
      await this.append(events)
    }
  }

  private async append(events: readonly LedgerEvent[]): Promise<void> {
    const options = { expectedStreamVersion: this.version }
    const result = await this.events.appendToStream(STREAM, events, options)
    this.version = result.nextExpectedStreamVersion
  }

  balances(): Promise<Float64Array> {
    return Promise.resolve(this.ledger.balances())
  }

  async transferEvents(): Promise<number> {
    let count = 0
    for await (const { type } of this.stored()) if (type !== 'Opened') count++
    return count
  }

  async busiest(count: number): Promise<Busy[]> {
    const stored = new FoldedLedger()
    for await (const event of this.stored()) stored.apply(event)
    return stored.busiest(count)
  }

  close(): Promise<void> {
    this.connection.close()
    return Promise.resolve()
  }
}

/** The surface that Emmett wants of a connection. */
function connectionOf(database: SqliteDatabase): Connection {
  database.exec(SQLITE_PRAGMAS)
  const statements = new Map<string, Statement>()
  let isInTransaction = false
  const prepared = (sql: string): Statement => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }
  return {
    close: () => closeSqlite(database),
    command: async (sql, values = []) => prepared(sql).run(...values.map(bound)),
    batchCommand: async (sqls) => {
      for (const sql of sqls) database.exec(sql)
    },
    query: async (sql, values = []) => prepared(sql).all(...values.map(bound)),
    querySingle: async (sql, values = []) => prepared(sql).get(...values.map(bound)) ?? null,
    async withTransaction(action) {
      // Emmett nests them when it makes its tables; appends wait for each other.
      if (isInTransaction) return await action()
      prepared('BEGIN IMMEDIATE').run()
      isInTransaction = true
      try {
        const result = await action()
        prepared('COMMIT').run()
        return result
      } catch (error) {
        prepared('ROLLBACK').run()
        throw error
      } finally {
        isInTransaction = false
      }
    },
  }
}

/** As Emmett's own driver does it: SQLite has no booleans, and an object is its text. */
function bound(value: unknown): unknown {
  if (typeof value === 'boolean') return Number(value)
  return typeof value === 'object' && value !== null ? String(value) : value
}
