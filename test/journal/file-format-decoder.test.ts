/**
 * docs/file-format.md is enough to read a journal: a decoder that follows it and shares no code with
 * tidewheel (test/support/independent-*.ts) reads what the engine wrote.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import type { Engine, Receipt } from '../../engine/index.js'
import bank, { OpenAccount, Transfer } from '../../examples/bank/bank.js'
import { verifyJournal } from '../../journal/verify.js'
import showcase, { Show } from '../support/domains/showcase.js'
import { all, EngineBench } from '../support/engine-fixture.js'
import { readIndependently } from '../support/independent-blocks.js'
import { IndependentEvents } from '../support/independent-frames.js'
import {
  type IndependentField,
  independentContentHash,
  placeFields,
} from '../support/independent-values.js'
import { readFolder } from '../support/journal-files.js'

const bench = new EngineBench('inline')
afterAll(() => bench.clear())

const uuidOf = (n: number): string => `0f1e2d3c-0000-4000-8000-${String(n).padStart(12, '0')}`

function showInput(n: number, blobBytes = n) {
  return {
    target: `stream ${n % 7} 日本`,
    flag: n % 2 === 0,
    signed: -n,
    small: 0xffff_ffff - n,
    money: n * 1_000_000_007,
    wide: 2n ** 64n - 1n - BigInt(n),
    ratio: n % 3 === 0 ? Number.NEGATIVE_INFINITY : n / 3,
    token: uuidOf(n),
    title: `\ufeff${'ü'.repeat(n)}`,
    blob: new Uint8Array(blobBytes).fill(n),
    note: PLAIN[n % PLAIN.length] as unknown,
    colour: n % 2 === 0 ? ('red' as const) : ('blue' as const),
    owner: `owner ${n % 5}`,
    unit: 0xffff_ffff - (n % 4),
    lot: 2n ** 64n - 1n - BigInt(n % 6),
    key: uuidOf(n % 3),
  }
}

/** A value for each token of plain data, and both sides of where one takes over from another. */
const PLAIN: readonly unknown[] = [
  null,
  true,
  { deep: [1, 2n, -3n, 2n ** 64n - 1n, -(2n ** 63n)], empty: {}, none: [] },
  [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1],
  [-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, 0.5, Infinity],
  ['', 'a'.repeat(31), 'b'.repeat(32), 'ü'.repeat(200), 'c'.repeat(70_000)],
  [0, 1, 255, 256, 65_536].map((lengthBytes) => new Uint8Array(lengthBytes).fill(7)),
  [15, 16, 65_536].map((count) => new Array(count).fill(false)),
  [15, 16, 300].map((count) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i])),
  ),
  { '\ufeff': '\ufeff', constructor: 1 },
]

/** Reads both ways, compares, and returns what the independent decoder has read. */
async function compare(engine: Engine, path: string) {
  const expected = await all(engine.readAll())
  await bench.close(engine)
  const reading = readIndependently(readFolder(path))
  expect(reading.ending).toBe('end')
  const decoded = new IndependentEvents(reading.blocks)
  expect(decoded.events.length).toBe(expected.length)
  for (const [i, event] of expected.entries()) {
    const other = decoded.events[i]
    // Many of them are large: only those that differ are worth a difference.
    if (!isDeepStrictEqual({ ...other }, { ...event })) expect(other).toEqual(event)
  }
  const report = await verifyJournal(path)
  expect(report).toMatchObject({ ok: true, journalId: reading.journalId })
  expect(report.blocks).toBe(reading.blocks.length)
  let previousHash = '00'.repeat(32)
  for (const block of reading.blocks) {
    expect(block.previousHash, `block ${block.number}`).toBe(previousHash)
    previousHash = block.hash
  }
  expect(previousHash).toBe(report.headHash)
  return { ...reading, decoded }
}

/** The command's bytes, as the page says. A reference has the type of its ids here. */
function commandBytes(fields: readonly IndependentField[], value: Record<string, unknown>): Buffer {
  const { places, fixedBytes } = placeFields(fields)
  const fixed = Buffer.alloc(fixedBytes)
  const parts = [fixed]
  let end = fixedBytes
  for (const { field, offset } of places) {
    const given = value[field.name]
    if (['text', 'bytes', 'any'].includes(field.type)) {
      // Of plain data, the test has null only.
      const part = given === null ? [0xc0] : (given as string)
      parts.push(Buffer.from(part as string))
      end += (parts.at(-1) as Buffer).length
      fixed.writeUInt32LE(end, offset)
    } else if (field.type === 'uuid')
      fixed.write((given as string).replaceAll('-', ''), offset, 'hex')
    else if (field.type === 'u64') fixed.writeBigUInt64LE(given as bigint, offset)
    else if (field.type === 'bool') fixed.writeUInt8(given === true ? 1 : 0, offset)
    else if (field.type === 'oneOf') {
      fixed.writeUInt8(field.values?.indexOf(given as string) as number, offset)
    } else if (field.type === 'i32') fixed.writeInt32LE(given as number, offset)
    else if (field.type === 'u32') fixed.writeUInt32LE(given as number, offset)
    else fixed.writeDoubleLE(given as number, offset)
  }
  return Buffer.concat(parts)
}

const fieldsOf = (types: Record<string, string>): IndependentField[] =>
  Object.entries(types).map(([name, type]) => ({ name, type }))

describe('independent decoder: the bank', () => {
  it('reads events, outcomes and hashes, over two openings', async () => {
    const path = bench.path()
    const alice = { account: 'alice', owner: 'Alice', initialBalance: 1000 }
    const receipts: Receipt[] = []
    const engine = await bench.open(path, {}, bank)
    receipts.push(await engine.execute(OpenAccount, alice, { key: 'open alice' }))
    await engine.execute(OpenAccount, { ...alice, account: 'bob', owner: '' })
    receipts.push(await engine.execute(OpenAccount, alice, { key: 'ключ' }))
    const transfer = { from: 'alice', to: 'bob', amount: 250 }
    await bench.close(engine)
    const again = await bench.open(path, { durability: 'os' }, bank)
    receipts.push(await again.execute(Transfer, transfer, { key: 'transfer' }))
    await again.execute(Transfer, { ...transfer, amount: 5000 })
    const { blocks, decoded } = await compare(again, path)

    expect(decoded.domain).toBe('bank')
    expect(decoded.events.map(({ type }) => type)).toHaveLength(4)
    expect(blocks[0]).toMatchObject({ epoch: 1, durability: 1 })
    expect(blocks.at(-1)).toMatchObject({ epoch: 2, durability: 2 })
    const outcomes = decoded.outcomes.map(({ accepted, eventCount, sequence, time, code }) =>
      accepted ? { accepted, eventCount, sequence, time } : { accepted, sequence, time, code },
    )
    for (const [i, receipt] of receipts.entries()) expect(receipt).toMatchObject(outcomes[i] ?? {})
    expect(decoded.outcomes.map(({ key }) => key)).toEqual(['open alice', 'ключ', 'transfer'])

    const openFields = fieldsOf({ account: 'text', owner: 'text', initialBalance: 'int' })
    const transferFields = fieldsOf({ from: 'text', to: 'text', amount: 'int' })
    const opening = commandBytes(openFields, alice)
    const commands = [opening, opening, commandBytes(transferFields, transfer)]
    for (const [i, { contentHash, commandNumber }] of decoded.outcomes.entries()) {
      const expected = independentContentHash(commands[i] as Buffer, commandNumber)
      expect(contentHash).toEqual(expected)
    }
  })
})

describe('independent decoder: every type of field and id', () => {
  it('reads events over several segments, and a rejection', async () => {
    const path = bench.path()
    const engine = await bench.open(path, {}, showcase)
    for (let n = 0; n < 60; n++) await engine.execute(Show, showInput(n))
    // Blobs, so that segments roll.
    for (let n = 0; n < 24; n++) await engine.execute(Show, showInput(n * 10, 100_000))
    const keyed = showInput(10)
    await engine.execute(Show, keyed, { key: 'accepted' })
    await engine.execute(Show, { ...keyed, money: -5 }, { key: 'rejected' })
    const { blocks, decoded } = await compare(engine, path)

    const segments = new Set(blocks.map(({ segment }) => segment))
    expect(segments.size).toBeGreaterThan(1)
    expect(decoded.catalogues).toBe(segments.size)
    expect(decoded.outcomes).toMatchObject([
      { key: 'accepted', accepted: true, eventCount: 4, code: '', detail: undefined },
      { key: 'rejected', accepted: false, code: 'NEGATIVE', detail: { money: -5 } },
    ])
    const { target: _, ...data } = keyed
    expect(decoded.events.at(-4)?.data).toEqual(data)
    expect(new Set(decoded.events.map(({ id }) => typeof id))).toEqual(
      new Set(['string', 'number', 'bigint']),
    )
  })

  it('computes the content hash of a command with every type', async () => {
    const path = bench.path()
    const engine = await bench.open(path, {}, showcase)
    const value = { ...showInput(20), note: null }
    await engine.execute(Show, value, { key: 'hash' })
    const { decoded } = await compare(engine, path)
    const types = {
      ...{ target: 'text', flag: 'bool', signed: 'i32', small: 'u32', money: 'int' },
      ...{ wide: 'u64', ratio: 'f64', token: 'uuid', title: 'text', blob: 'bytes', note: 'any' },
      ...{ colour: 'oneOf', owner: 'text', unit: 'u32', lot: 'u64', key: 'uuid' },
    }
    const fields = fieldsOf(types).map((field) => ({ ...field, values: ['red'] }))
    const [{ contentHash, commandNumber } = { contentHash: [], commandNumber: 0 }] =
      decoded.outcomes
    expect(contentHash).toEqual(independentContentHash(commandBytes(fields, value), commandNumber))
  })
})
