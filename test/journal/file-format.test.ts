/**
 * docs/file-format.md is held to the source: its tables to the exported constants, its example to
 * what the engine writes. That the page is enough to read a journal is for file-format-decoder.test.ts.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { contentHashHigh, contentHashLow } from '../../engine/memory/hash.js'
import * as receiptLayout from '../../engine/receipt-layout.js'
import bank, { OpenAccount } from '../../examples/bank/bank.js'
import * as archiveLayout from '../../journal/archive-layout.js'
import * as blockLayout from '../../journal/block-layout.js'
import { readEvents } from '../../journal/event-reader.js'
import { LOCK_NAME } from '../../journal/journal-lock.js'
import { KEY_COUNT_MAX } from '../../journal/key-window.js'
import * as manifestLayout from '../../journal/manifest-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import * as recordLayout from '../../journal/record-layout.js'
import { BYTES_MAX } from '../../journal/schema/byte-values.js'
import * as fieldTypes from '../../journal/schema/field-types.js'
import { FIELDS_MAX, NAME_LENGTH_MAX } from '../../journal/schema/names.js'
import { layOut } from '../../journal/schema/payload-layout.js'
import { PLAIN_DEPTH_MAX } from '../../journal/schema/plain-damage.js'
import { PLAIN_BYTES_MAX } from '../../journal/schema/plain-data.js'
import { TEXT_BYTES_MAX } from '../../journal/schema/text-bytes.js'
import * as segmentLayout from '../../journal/segment-layout.js'
import * as snapshotLayout from '../../journal/snapshot-layout.js'
import * as indexLayout from '../../journal/stream-index-layout.js'
import { verifyWith } from '../../journal/verify.js'
import { type VerifyProblemCode, verifySegment } from '../../journal/verify-segment.js'
import { Named, Shown } from '../support/domains/showcase.js'
import { EngineBench, SEGMENT_BYTES } from '../support/engine-fixture.js'
import { readIndependently } from '../support/independent-blocks.js'
import { IndependentEvents } from '../support/independent-frames.js'
import {
  independentContentHash,
  placeFields,
  roundUp,
  seededCrc32,
} from '../support/independent-values.js'
import { readFolder } from '../support/journal-files.js'
import { MemoryStorage } from '../support/memory-storage.js'

// Compiled tests lie in dist/test/journal.
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const page = readFileSync(join(root, 'docs', 'file-format.md'), 'utf8')

const LAYOUTS = [
  archiveLayout,
  blockLayout,
  indexLayout,
  manifestLayout,
  recordLayout,
  segmentLayout,
  snapshotLayout,
]
const SOURCE: Readonly<Record<string, unknown>> = Object.assign(
  {
    ...{ BYTES_MAX, FIELDS_MAX, KEY_COUNT_MAX, LOCK_NAME, NAME_LENGTH_MAX },
    ...{ PLAIN_BYTES_MAX, PLAIN_DEPTH_MAX, TEXT_BYTES_MAX },
  },
  receiptLayout,
  fieldTypes,
  ...LAYOUTS,
)

interface Table {
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const bare = (cell: string): string => cell.replaceAll('`', '')

/** All tables of the page, or those with such a column. */
function tables(column?: string): Table[] {
  const found = [...page.matchAll(/(?:^\|.*\|\n)+/gm)].map(([text]) => {
    const [heads = [], , ...rows] = text
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(1, -1).split('|'))
      .map((cells) => cells.map((cell) => cell.trim()))
    return { heads, rows }
  })
  return found.filter(({ heads }) => column === undefined || heads.includes(column))
}

function numberIn(cell: string): number {
  return Number(cell.replaceAll(',', ''))
}

const bench = new EngineBench('inline')
afterAll(() => bench.clear())

describe('file format: tables', () => {
  const named = tables('constant').flatMap(({ heads, rows }) =>
    rows.map((cells) => ({
      constant: bare(cells[heads.indexOf('constant')] ?? ''),
      value: bare(cells[0] ?? ''),
    })),
  )

  it('constants: have the value of the source', () => {
    for (const { constant, value } of named) {
      if (constant === '') continue
      const expected = SOURCE[constant]
      const stated = typeof expected === 'string' ? value : numberIn(value)
      expect(stated, constant).toBe(expected)
    }
  })

  it('constants: none of the layouts is left out, and none stated twice', () => {
    const stated = named.map(({ constant }) => constant).filter((constant) => constant !== '')
    expect(new Set(stated).size).toBe(stated.length)
    for (const layout of LAYOUTS) {
      for (const [name, value] of Object.entries(layout)) {
        if (typeof value !== 'function') expect(stated).toContain(name)
      }
    }
  })

  it('offsets: follow each other without holes', () => {
    const layouts = tables('constant').filter(({ heads }) => heads[0] === 'offset')
    expect(layouts).toHaveLength(14)
    for (const { rows } of layouts) {
      let end = 0
      for (const [offset = '', bytes = '', field] of rows) {
        expect(numberIn(offset), field).toBe(end)
        end += numberIn(bytes)
      }
    }
  })

  it('field types: have the bytes and the rank of the source', () => {
    const [table] = tables('rank')
    const types: Record<string, fieldTypes.FieldType> = {
      ...Object.fromEntries(fieldTypes.SIMPLE_TYPES),
      oneOf: fieldTypes.oneOf('a'),
      reference: Named.id,
    }
    expect(table?.rows.map(([type = '']) => bare(type)).sort()).toEqual(Object.keys(types).sort())
    for (const [name = '', rank = '', bytes = ''] of table?.rows ?? []) {
      const type = types[bare(name)] as fieldTypes.FieldType
      expect(layOut('event', { type }, 'event').fixedEnd, name).toBe(numberIn(bytes))
      // Behind a field of each rank; at the place that its own rank gives it.
      const { i32, bool, f64 } = fieldTypes
      const after = layOut('event', { bool, i32, f64, type }, 'event').fields[3]?.offset
      expect(after, name).toBe(
        new Map([
          [8, 8],
          [4, 12],
          [1, 13],
        ]).get(numberIn(rank)),
      )
    }
  })

  it('example of a layout: is what the source computes', () => {
    const [table] = tables('declared')
    const layout = layOut('Shown', Shown.fields, 'event')
    const rows = layout.fields.map(({ name, type, offset }, i) => [
      String(i + 1),
      name,
      type.kind,
      String(offset),
    ])
    expect(table?.rows.map((cells) => cells.map(bare))).toEqual(rows)
    expect(page).toContain(
      `fixedEnd ${layout.fixedEnd} and fixedBytes ${layout.fixedBytes}. Its text starts at ${layout.fixedBytes}`,
    )
    const described = layout.fields.map(({ name, type }) => ({ name, type: type.kind }))
    expect(placeFields(described)).toMatchObject({
      fixedEnd: layout.fixedEnd,
      fixedBytes: layout.fixedBytes,
    })
  })

  it('checksums and content hashes: come out as stated, of both implementations', () => {
    for (const [hex = '', seed = '', crc = ''] of tables('crc')[0]?.rows ?? []) {
      const bytes = Buffer.from(hex, 'hex')
      expect(crc32(bytes, numberIn(seed))).toBe(numberIn(crc))
      expect(seededCrc32(bytes, numberIn(seed))).toBe(numberIn(crc))
    }
    const { rows = [] } = tables('command number')[0] ?? {}
    expect(rows.length).toBeGreaterThan(2)
    for (const [hex = '', number = '', low = '', high = ''] of rows) {
      const bytes = Buffer.from(hex === '(none)' ? '' : hex, 'hex')
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const mixed = contentHashLow(view, 0, bytes.length) ^ Math.imul(numberIn(number), 0x9e3779b1)
      expect(mixed >>> 0).toBe(numberIn(low))
      expect(contentHashHigh(view, 0, bytes.length)).toBe(numberIn(high))
      expect(independentContentHash(bytes, numberIn(number))).toEqual([
        numberIn(low),
        numberIn(high),
      ])
    }
  })

  it('verify: every code is explained', () => {
    const codes: Record<VerifyProblemCode | 'EVENT_DAMAGED', true> = {
      FORMAT_TOO_NEW: true,
      HEADER_DAMAGED: true,
      SEGMENT_DAMAGED: true,
      SEGMENT_MISSING: true,
      SEGMENT_FOREIGN: true,
      BLOCK_DAMAGED: true,
      CHAIN_BROKEN: true,
      HEAD_MISSING: true,
      PADDING_NOT_ZERO: true,
      TIME_BACKWARDS: true,
      TAIL_TORN: true,
      MANIFEST_DAMAGED: true,
      INDEX_WRONG: true,
      SNAPSHOT_WRONG: true,
      SNAPSHOT_BEYOND: true,
      EVENT_DAMAGED: true,
    }
    const explained = tables('code').flatMap(({ rows }) => rows.map(([code = '']) => bare(code)))
    expect(explained.sort()).toEqual(Object.keys(codes).sort())
  })

  it('links: lead to a heading of the page, or to a file', () => {
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      bare(heading).toLowerCase().replaceAll(' ', '-'),
    )
    for (const [, anchor] of page.matchAll(/\]\(#([^)]*)\)/g)) expect(anchors).toContain(anchor)
    for (const [, file = ''] of page.matchAll(/\]\((\.\.\/[^)]*)\)/g)) {
      expect(() => readFileSync(join(root, 'docs', file)), file).not.toThrow()
    }
  })
})

const DUMP_LINE = /^([0-9a-f]{8}) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2,}(.*))?$/

interface Dump {
  readonly offset: number
  readonly bytes: Buffer
}

/** The hex dumps of the worked example, each without a gap. */
function dumps(): Dump[] {
  const example = page.slice(page.indexOf('## A worked example'))
  return [...example.matchAll(/```\n([\s\S]*?)```/g)].map(([, text = '']) => {
    const parts: Buffer[] = []
    let start = -1
    let end = -1
    for (const line of text.trimEnd().split('\n')) {
      const [, offset = '', hex = '', note = ''] = DUMP_LINE.exec(line) ?? []
      const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
      const at = Number.parseInt(offset, 16)
      if (start < 0) start = at
      else expect(at, line).toBe(end)
      end = at + bytes.length
      parts.push(bytes)
      const [, value] = /: (0x[0-9a-f]{8})$/.exec(note) ?? []
      if (value !== undefined) expect(bytes.readUInt32LE(), line).toBe(Number(value))
    }
    return { offset: start, bytes: Buffer.concat(parts) }
  })
}

/** The journal of the worked example, without its prepared second segment. */
function exampleFiles(): Map<string, Uint8Array> {
  const [manifest, header, ...blocks] = dumps() as [Dump, Dump, ...Dump[]]
  const segment = new Uint8Array(header.bytes.readUInt32LE(28))
  segment.set(header.bytes, 0)
  segment.set(header.bytes, 4096)
  for (const { offset, bytes } of blocks) segment.set(bytes, offset)
  return new Map<string, Uint8Array>([
    ['manifest', manifest.bytes],
    ['0000000001.segment', segment],
  ])
}

describe('file format: worked example', () => {
  it('is a whole journal, to tidewheel and to the decoder of this page', async () => {
    const files = exampleFiles()
    const storage = new MemoryStorage()
    for (const [name, bytes] of files) storage.files.set(name, Uint8Array.from(bytes))
    const window = new ReadWindow()
    const report = await verifyWith(storage, async (name) => verifySegment(storage, name, window))
    expect(report).toMatchObject({ ok: true, blocks: 2, events: 1 })
    const { blocks, ending } = readIndependently(files)
    expect(ending).toBe('end')
    expect(blocks.at(-1)?.hash).toBe(report.headHash)
  })

  it('holds the event that the page says', () => {
    const { blocks } = readIndependently(exampleFiles())
    const { events, seals } = new IndependentEvents(blocks)
    expect(events).toEqual([
      {
        sequence: 1,
        time: 1_767_225_600_000_000,
        type: 'AccountOpened',
        stream: 'Account',
        id: 'alice',
        version: 1,
        data: { owner: 'Alice', initialBalance: 10_000 },
      },
    ])
    expect(seals).toBe(1)
  })

  it('is what the engine writes', async () => {
    const path = bench.path()
    const clock = () => Date.UTC(2026, 0, 1) * 1000
    const engine = await bench.open(path, { clock, segmentBytes: SEGMENT_BYTES }, bank)
    const command = { account: 'alice', owner: 'Alice', initialBalance: 10_000 }
    await engine.execute(OpenAccount, command, { key: 'open-alice' })
    await bench.close(engine)
    const written = readIndependently(readFolder(path)).blocks
    const shown = readIndependently(exampleFiles()).blocks
    const contents = (blocks: typeof shown) =>
      blocks.map(({ offset, number, payload, syncedThrough }) => ({
        ...{ offset, number, syncedThrough },
        payload: payload.toString('hex'),
      }))
    expect(contents(shown)).toEqual(contents(written))
    // Everything up to the padding is shown.
    const lengths = dumps().map(({ bytes }) => bytes.length)
    expect(lengths).toEqual([32, 64, ...shown.map(({ payload }) => 128 + payload.length)])
    expect(shown.map(({ payload }) => roundUp(128 + payload.length, 4096))).toEqual([4096, 4096])
    const events = []
    for await (const event of readEvents(path)) events.push(event)
    expect(events).toEqual(new IndependentEvents(shown).events)
  })
})
