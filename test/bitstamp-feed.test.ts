import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseBitstampLine, readBitstampRows } from '../scripts/feeds/bitstamp.js'
import type { OrderFlow } from '../scripts/feeds/order-flow.js'
import { readBitstampFeed } from '../scripts/feeds/recorded-order-flow.js'

const folder = mkdtempSync(join(tmpdir(), 'tidewheel-bitstamp-'))
afterAll(() => rmSync(folder, { recursive: true }))

const created = (id: number, type: number, price: string, amount: string) =>
  `1000 order_created ${JSON.stringify({ price, amount, datetime: '1', id, order_type: type })}`
const deleted = (id: number, amount: string) =>
  created(id, 0, '1.00', amount).replace('order_created', 'order_deleted')

function writeFeed(name: string, lines: readonly string[]): string {
  const file = join(folder, name)
  writeFileSync(file, lines.join('\n'))
  return file
}

function commandsOf(flow: OrderFlow): unknown[] {
  const commands: unknown[] = []
  while (flow.next()) {
    const { kind, order, side, price, quantity } = flow
    commands.push(kind === 'cancel' ? [kind, order] : [kind, order, side, price, quantity])
  }
  return commands
}

describe('bitstamp feed', () => {
  it('reads orders with exact cents and satoshi', () => {
    expect(parseBitstampLine(created(7, 1, '236.47', '1.78855669'), 3)).toEqual({
      kind: 'order_created',
      line: 3,
      timeMs: 1_000,
      order: 7,
      side: 'sell',
      priceCents: 23_647,
      amountSatoshi: 178_855_669,
    })
  })

  it('rounds the float noise of trades away', () => {
    const row = parseBitstampLine(
      '5 trade {"price": 236.47, "amount": 1.7885566900000001, "id": 9}',
      1,
    )
    expect(row).toMatchObject({ kind: 'trade', priceCents: 23_647, amountSatoshi: 178_855_669 })
  })

  it('reads snapshots', () => {
    const row = parseBitstampLine('5 order_book {"bids": [["1.20", "0.5"]], "asks": []}', 1)
    expect(row).toMatchObject({ kind: 'order_book', bids: [[120, 50_000_000]], asks: [] })
  })

  it.each([
    ['nonsense', 'hello', /form/],
    ['time', created(1, 0, '1', '1').replace('1000', 'noon'), /form/],
    ['JSON cut off', created(1, 0, '1', '1').slice(0, -5), /form/],
    ['JSON damaged', '1 trade {"price": }', /JSON/],
    ['event', '1 order_eaten {}', /unknown event "order_eaten"/],
    ['id missing', '1 order_created {"order_type": 0}', /id/],
    ['id of odd shape', '1 order_created {"id": "__proto__", "order_type": 0}', /id/],
    ['id beyond exact integers', '1 order_created {"id": 9007199254740993, "order_type": 0}', /id/],
    ['side', created(1, 2, '1.00', '1'), /order_type/],
    ['price missing', '1 order_created {"id": 1, "order_type": 0}', /decimal string/],
    ['price with too many places', created(1, 0, '1.001', '1'), /price "1.001"/],
    ['price negative', created(1, 0, '-1.00', '1'), /price "-1.00"/],
    ['amount too large', created(1, 0, '1.00', '99999999999'), /amount "99999999999"/],
    ['trade price', '1 trade {"id": 1, "price": "1", "amount": 1}', /not a number/],
    ['trade amount', '1 trade {"id": 1, "price": 1, "amount": 1e300}', /amount is out of range/],
    ['bids', '1 order_book {"bids": {}, "asks": []}', /bids: are not a list/],
    ['asks', '1 order_book {"bids": [], "asks": [["1"]]}', /asks: a level is not/],
  ])('says what is wrong (%s)', (_what, text, reason) => {
    expect(parseBitstampLine(text, 1)).toMatch(reason)
  })

  it('skips broken and blank lines, reports them with their number and goes on', async () => {
    const lines = [created(1, 0, '1.00', '1'), '', 'broken', created(2, 0, '1.00', '1'), '{']
    const broken: number[] = []
    const read: number[] = []
    for await (const row of readBitstampRows(writeFeed('broken.log', lines), ({ line }) => {
      broken.push(line)
    })) {
      read.push(row.line)
    }
    expect([read, broken]).toEqual([
      [1, 4],
      [3, 5],
    ])
  })
})

describe('recorded order flow', () => {
  const lines = [
    created(5, 0, '1.00', '2'),
    created(9, 1, '1.10', '3'),
    '1 trade {"id": 1, "price": 1, "amount": 1}',
    deleted(5, '0.00000000'),
    'broken',
    deleted(9, '0.50000000'),
  ]

  it('consists of orders and cancels: consequences are left out', async () => {
    const feed = await readBitstampFeed(writeFeed('flow.log', lines))
    expect(feed).toMatchObject({ commands: 3, brokenCount: 1, broken: [{ line: 5 }] })
    const expected = [
      ['place', 5, 'buy', 100, 200_000_000],
      ['place', 9, 'sell', 110, 300_000_000],
      ['cancel', 9],
    ]
    expect(commandsOf(feed.flow())).toEqual(expected)
    // A flow is used up once; the feed gives as many as are asked for.
    expect(commandsOf(feed.flow())).toEqual(expected)
  })

  it('repeats with new ids that no other repetition has', async () => {
    const feed = await readBitstampFeed(writeFeed('flow.log', lines))
    expect(commandsOf(feed.flow(3)).map((each) => (each as unknown[])[1])).toEqual([
      ...[5, 9, 9],
      ...[14, 18, 18],
      ...[23, 27, 27],
    ])
  })

  it('counts all broken lines and keeps the first ones', async () => {
    const feed = await readBitstampFeed(writeFeed('bad.log', new Array(50).fill('?')))
    expect([feed.commands, feed.brokenCount, feed.broken.length]).toEqual([0, 50, 20])
    expect(commandsOf(feed.flow(2))).toEqual([])
  })

  it('grows with the feed (beyond the first block of rows)', async () => {
    const many = Array.from({ length: 70_000 }, (_, index) => created(index + 1, 0, '1.00', '1'))
    const feed = await readBitstampFeed(writeFeed('many.log', many))
    const orders = commandsOf(feed.flow()).map((each) => (each as unknown[])[1])
    expect(orders).toEqual(Array.from({ length: 70_000 }, (_, index) => index + 1))
  })
})
