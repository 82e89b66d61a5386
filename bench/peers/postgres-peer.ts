/**
 * PostgreSQL, by the `postgres` client over a socket: a transfer is one call of a function in the
 * server, so one round trip; several connections, each pipelining.
 */
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import { loadPackage, packageVersion } from './packages.js'
import { type Busy, concurrently, type Mode, type Peer, type Store } from './peer.js'
import { type PostgresServer, postgresVersion, startPostgres } from './postgres-server.js'
import type { TransferFeed } from './transfer-feed.js'

const CALLERS = 1000
const CONNECTIONS = 16
const BATCH = 1000

/** Accounts are locked in the order of their ids, so that transfers cannot wait for each other. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS accounts (id int PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS events (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL, account int NOT NULL, amount bigint NOT NULL
  );
  CREATE OR REPLACE FUNCTION transfer(source int, target int, units bigint) RETURNS void
  LANGUAGE plpgsql AS $$ BEGIN
    IF target < source THEN
      UPDATE accounts SET balance = balance + units WHERE id = target;
    END IF;
    UPDATE accounts SET balance = balance - units WHERE id = source AND balance >= units;
    IF NOT FOUND THEN RAISE EXCEPTION 'insufficient funds'; END IF;
    IF target >= source THEN
      UPDATE accounts SET balance = balance + units WHERE id = target;
    END IF;
    INSERT INTO events (type, account, amount)
    VALUES ('Debited', source, units), ('Credited', target, units);
  END $$;
  CREATE OR REPLACE FUNCTION transfers(sources int[], targets int[], units bigint) RETURNS void
  LANGUAGE plpgsql AS $$ BEGIN
    FOR i IN 1 .. cardinality(sources) LOOP
      PERFORM transfer(sources[i], targets[i], units);
    END LOOP;
  END $$;
`

interface Sql {
  <Row>(strings: TemplateStringsArray, ...values: unknown[]): Promise<Row[]>
  unsafe(sql: string): Promise<unknown>
  end(): Promise<void>
}

type Connect = (options: object) => Sql

export const postgresPeer: Peer = {
  name: 'postgres',
  packages: ['postgres'],
  fillMode: 'batch1000',
  modes: [
    {
      name: 'single',
      durability: 'disk',
      how: 'one awaited call of a function a transfer; socket, synchronous_commit on',
    },
    {
      name: 'concurrent',
      durability: 'disk',
      how: `${CALLERS} callers on ${CONNECTIONS} pipelined connections, a transaction a transfer`,
    },
    {
      name: 'batch1000',
      durability: 'disk',
      how: `one call for ${BATCH} transfers: one that fails takes the others with it`,
    },
  ],
  version: () => `${postgresVersion()}, postgres ${packageVersion('postgres')}`,
  async open(directory, mode) {
    const connect = loadPackage<Connect>('postgres')
    const server = await startPostgres(directory)
    const sql = connect({
      host: server.host,
      port: server.port,
      user: server.user,
      database: 'postgres',
      max: mode.name === 'concurrent' ? CONNECTIONS : 1,
      onnotice: () => {},
    })
    await sql.unsafe(SCHEMA)
    return new PostgresStore(server, sql, mode)
  },
}

class PostgresStore implements Store {
  private readonly server: PostgresServer
  private readonly sql: Sql
  private readonly mode: Mode

  constructor(server: PostgresServer, sql: Sql, mode: Mode) {
    this.server = server
    this.sql = sql
    this.mode = mode
  }

  async seed(accounts: number): Promise<void> {
    await this.sql`
      INSERT INTO accounts
      SELECT id, ${INITIAL_BALANCE}::bigint FROM generate_series(0, ${accounts - 1}::int) AS id`
    // Autovacuum is off, so that it does not run in one measurement and not in the next.
    await this.sql`ANALYZE accounts`
  }

  async run(feed: TransferFeed): Promise<void> {
    if (this.mode.name === 'batch1000') await this.runBatches(feed)
    else await concurrently(this.mode.name === 'single' ? 1 : CALLERS, () => this.runEach(feed))
  }

  private async runEach(feed: TransferFeed): Promise<void> {
    while (feed.next()) {
      await this.sql`SELECT transfer(${feed.from}::int, ${feed.to}::int, ${AMOUNT}::bigint)`
    }
  }

  private async runBatches(feed: TransferFeed): Promise<void> {
    for (let batch = feed.batch(BATCH); batch.from.length > 0; batch = feed.batch(BATCH)) {
      const { from, to } = batch
      await this.sql`SELECT transfers(${from}::int[], ${to}::int[], ${AMOUNT}::bigint)`
    }
  }

  async balances(): Promise<Float64Array> {
    const rows = await this.sql<{ balance: string }>`SELECT balance FROM accounts ORDER BY id`
    return Float64Array.from(rows, (row) => Number(row.balance))
  }

  async transferEvents(): Promise<number> {
    const rows = await this.sql<{ count: string }>`SELECT count(*) FROM events`
    return Number(rows[0]?.count)
  }

  async balance(account: number): Promise<number> {
    const rows = await this.sql<{ balance: string }>`
      SELECT balance FROM accounts WHERE id = ${account}::int`
    return Number(rows[0]?.balance)
  }

  async busiest(count: number): Promise<Busy[]> {
    const rows = await this.sql<{ account: number; events: string }>`
      SELECT account, count(*) AS events FROM events
      GROUP BY account ORDER BY events DESC, account LIMIT ${count}`
    return rows.map(({ account, events }) => ({ account, events: Number(events) }))
  }

  async close(): Promise<void> {
    await this.sql.end()
    await this.server.stop()
  }
}
