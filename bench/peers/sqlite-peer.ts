/**
 * SQLite, by two drivers with one surface: write-ahead log, `synchronous = FULL`, prepared
 * statements, a cache that all of it fits into.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import { loadPackage, packageVersion, requireNodeFor } from './packages.js'
import type { Busy, Mode, Peer, Store } from './peer.js'
import type { TransferFeed } from './transfer-feed.js'

export interface Statement {
  run(...values: unknown[]): { readonly changes: number | bigint }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
}

export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

type DatabaseClass = new (file: string) => SqliteDatabase

export const SQLITE_PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -262144;
  PRAGMA wal_autocheckpoint = 10000;
`
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, type TEXT NOT NULL, account INTEGER NOT NULL,
    amount INTEGER NOT NULL
  ) STRICT;
`
const MODES: readonly Mode[] = [
  {
    name: 'single',
    durability: 'disk',
    how: 'a transaction a transfer: two updates, one insert of both events; WAL, FULL',
  },
  ...[100, 1000].map((batch) => ({
    name: `batch${batch}`,
    durability: 'disk' as const,
    how: `${batch} transfers a transaction: one that fails takes the others with it; WAL, FULL`,
  })),
]

/** Node's own SQLite; where Node has none yet, the package with the same surface. */
export const sqlitePeer: Peer = sqlite(
  'sqlite',
  ['@photostructure/sqlite'],
  () => nodeSqlite() ?? loadPackage<SqliteModule>('@photostructure/sqlite').DatabaseSync,
  () =>
    nodeSqlite() === undefined
      ? `@photostructure/sqlite ${packageVersion('@photostructure/sqlite')}`
      : `node:sqlite ${process.version}`,
)

export const betterSqlitePeer: Peer = sqlite(
  'better-sqlite3',
  ['better-sqlite3'],
  () => {
    requireNodeFor('better-sqlite3')
    return loadPackage<DatabaseClass>('better-sqlite3')
  },
  () => packageVersion('better-sqlite3'),
)

interface SqliteModule {
  readonly DatabaseSync: DatabaseClass
}

function nodeSqlite(): DatabaseClass | undefined {
  // Not in the types of the oldest Node that is supported.
  const getBuiltin = process.getBuiltinModule as ((name: string) => unknown) | undefined
  return (getBuiltin?.('node:sqlite') as SqliteModule | undefined)?.DatabaseSync
}

/** The driver of `sqlitePeer`, for other peers that lie on SQLite. */
export function openSqlite(file: string): SqliteDatabase {
  const Database = nodeSqlite() ?? loadPackage<SqliteModule>('@photostructure/sqlite').DatabaseSync
  return new Database(file)
}

/** Statements that live on can keep a closed database open, and its log as long as it was. */
export function closeSqlite(database: SqliteDatabase): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

function sqlite(
  name: string,
  packages: readonly string[],
  driver: () => DatabaseClass,
  version: () => string,
): Peer {
  return {
    name,
    packages,
    modes: MODES,
    fillMode: 'batch1000',
    version,
    open(directory, mode) {
      const Database = driver()
      mkdirSync(directory, { recursive: true })
      const database = new Database(join(directory, 'ledger.db'))
      database.exec(SQLITE_PRAGMAS)
      database.exec(SCHEMA)
      return Promise.resolve(new SqliteStore(database, mode))
    },
  }
}

class SqliteStore implements Store {
  private readonly database: SqliteDatabase
  private readonly transfersPerTransaction: number
  private readonly begin: Statement
  private readonly commit: Statement
  private readonly debit: Statement
  private readonly credit: Statement
  private readonly record: Statement
  private readonly select: Statement

  constructor(database: SqliteDatabase, mode: Mode) {
    this.database = database
    this.transfersPerTransaction = Number(/^batch(\d+)$/.exec(mode.name)?.[1] ?? 1)
    this.begin = database.prepare('BEGIN IMMEDIATE')
    this.commit = database.prepare('COMMIT')
    this.debit = database.prepare(
      'UPDATE accounts SET balance = balance - ? WHERE id = ? AND balance >= ?',
    )
    this.credit = database.prepare('UPDATE accounts SET balance = balance + ? WHERE id = ?')
    this.record = database.prepare(
      "INSERT INTO events (type, account, amount) VALUES ('Debited', ?, ?), ('Credited', ?, ?)",
    )
    this.select = database.prepare('SELECT balance FROM accounts WHERE id = ?')
  }

  seed(accounts: number): Promise<void> {
    const insert = this.database.prepare('INSERT INTO accounts (id, balance) VALUES (?, ?)')
    this.begin.run()
    for (let account = 0; account < accounts; account++) insert.run(account, INITIAL_BALANCE)
    this.commit.run()
    return Promise.resolve()
  }

  run(feed: TransferFeed): Promise<void> {
    const { transfersPerTransaction } = this
    while (feed.next()) {
      this.begin.run()
      let count = 1
      do this.transfer(feed.from, feed.to)
      while (count++ < transfersPerTransaction && feed.next())
      this.commit.run()
    }
    return Promise.resolve()
  }

  private transfer(from: number, to: number): void {
    if (Number(this.debit.run(AMOUNT, from, AMOUNT).changes) !== 1)
      throw new Error('insufficient funds')
    this.credit.run(AMOUNT, to)
    this.record.run(from, AMOUNT, to, AMOUNT)
  }

  balances(): Promise<Float64Array> {
    const rows = this.database.prepare('SELECT balance FROM accounts ORDER BY id').all()
    return Promise.resolve(Float64Array.from(rows as { balance: number }[], (row) => row.balance))
  }

  transferEvents(): Promise<number> {
    const row = this.database.prepare('SELECT count(*) AS count FROM events').get()
    return Promise.resolve((row as { count: number }).count)
  }

  balance(account: number): number {
    return (this.select.get(account) as { balance: number }).balance
  }

  busiest(count: number): Promise<Busy[]> {
    const rows = this.database
      .prepare(
        `SELECT account, count(*) AS events FROM events
         GROUP BY account ORDER BY events DESC, account LIMIT ?`,
      )
      .all(count) as Busy[]
    return Promise.resolve(rows.map(({ account, events }) => ({ account, events })))
  }

  close(): Promise<void> {
    closeSqlite(this.database)
    return Promise.resolve()
  }
}
