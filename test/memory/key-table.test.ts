import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyTable } from '../../engine/memory/key-table.js'
import type { KeyWindow } from '../../journal/key-window.js'

interface Outcome {
  readonly key: string
  readonly timeUs: number
  readonly sequence: number
  readonly eventCount: number
  readonly contentLow: number
  readonly contentHigh: number
  readonly code: string
  readonly detail: Uint8Array
}

function viewOf(text: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(`..${text}.`))
  return new DataView(bytes.buffer)
}

function keyBytes(text: string): number {
  return Buffer.byteLength(text)
}

function find(table: KeyTable, key: string, timeUs: number): number {
  return table.find(viewOf(key), 2, keyBytes(key), timeUs)
}

function add(table: KeyTable, outcome: Outcome): number {
  const { key, timeUs, sequence, eventCount, contentLow, contentHigh, code, detail } = outcome
  const view = viewOf(key)
  const length = keyBytes(key)
  if (code === '') {
    return table.addAccepted(view, 2, length, contentLow, contentHigh, sequence, eventCount, timeUs)
  }
  return table.addRejected(view, 2, length, contentLow, contentHigh, sequence, timeUs, code, detail)
}

function outcome(key: string, timeUs: number, more: Partial<Outcome> = {}): Outcome {
  const empty = new Uint8Array(0)
  const base = { sequence: 1, eventCount: 1, contentLow: 1, contentHigh: 2, code: '' }
  return { key, timeUs, ...base, detail: empty, ...more }
}

function read(table: KeyTable, reference: number): Outcome {
  const rejected = !table.acceptedOf(reference)
  expect(table.codeOf(reference) === '').toBe(!rejected)
  return {
    key: Buffer.from(table.keyOf(reference)).toString(),
    timeUs: table.timeOf(reference),
    sequence: table.sequenceOf(reference),
    eventCount: table.eventCountOf(reference),
    contentLow: table.contentLowOf(reference),
    contentHigh: table.contentHighOf(reference),
    code: table.codeOf(reference),
    detail: table.detailOf(reference),
  }
}

/** Quick to compare, also where the detail is long. */
function summary(entry: Outcome): string {
  const { key, timeUs, sequence, eventCount, contentLow, contentHigh, code, detail } = entry
  const fields = [key, timeUs, sequence, eventCount, contentLow, contentHigh, code]
  return `${JSON.stringify(fields)} ${Buffer.from(detail).toString('base64')}`
}

/** The rule of key-table.ts, word for word. */
function visible(added: readonly Outcome[], window: KeyWindow, timeUs: number): Outcome[] {
  return added.slice(-window.countMax).filter((entry) => timeUs - entry.timeUs <= window.ageMaxUs)
}

describe('KeyTable', () => {
  it('KeyTable: agrees with the rule under random additions, lookups and advances', () => {
    const windows = fc.record({
      countMax: fc.integer({ min: 1, max: 40 }),
      ageMaxUs: fc.integer({ min: 0, max: 60 }),
    })
    const details = fc.record({
      key: fc.oneof(
        fc.nat({ max: 60 }).map((n) => `key-${n}`),
        fc.string({ unit: 'grapheme', maxLength: 12 }),
      ),
      wait: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 40 })),
      sequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      eventCount: fc.nat({ max: 0xffff }),
      contentLow: fc.integer({ min: 0, max: 0xffffffff }),
      contentHigh: fc.integer({ min: 0, max: 0xffffffff }),
      code: fc.constantFrom('', '', 'INSUFFICIENT_FUNDS', 'größer', 'X'.repeat(300)),
      detail: fc.oneof(
        fc.uint8Array({ maxLength: 20 }),
        fc.constant(new Uint8Array(30_000).fill(7)),
      ),
      advance: fc.boolean(),
    })
    fc.assert(
      fc.property(windows, fc.array(details, { maxLength: 150 }), (window, steps) => {
        const table = new KeyTable(window)
        const added: Outcome[] = []
        let timeUs = 1_700_000_000_000_000
        for (const { wait, advance, ...step } of steps) {
          timeUs += wait
          if (advance) table.advance(timeUs)
          const rejected = step.code !== ''
          const entry: Outcome = {
            ...step,
            timeUs,
            eventCount: rejected ? 0 : step.eventCount,
            detail: rejected ? step.detail : new Uint8Array(0),
          }
          const expected = visible(added, window, timeUs).find((one) => one.key === entry.key)
          const reference = find(table, entry.key, timeUs)
          if (expected === undefined) {
            expect(reference).toBe(0)
            expect(summary(read(table, add(table, entry)))).toBe(summary(entry))
            added.push(entry)
          } else {
            expect(summary(read(table, reference))).toBe(summary(expected))
          }
          expect(table.count).toBeLessThanOrEqual(window.countMax)
        }
        const entries = [...table.entries(timeUs)].map((one) => summary(read(table, one)))
        expect(entries).toEqual(visible(added, window, timeUs).map(summary))
      }),
      { numRuns: 100 },
    )
  })

  it('KeyTable: an entry is visible until its age is exceeded (exactly at, one microsecond after)', () => {
    const table = new KeyTable({ countMax: 10, ageMaxUs: 1000 })
    add(table, outcome('a', 5000))
    expect(find(table, 'a', 5000)).not.toBe(0)
    expect(find(table, 'a', 6000)).not.toBe(0)
    expect(find(table, 'a', 6001)).toBe(0)
    expect([...table.entries(6000)]).toHaveLength(1)
    expect([...table.entries(6001)]).toHaveLength(0)
    table.advance(6000)
    expect(table.count).toBe(1)
    table.advance(6001)
    expect(table.count).toBe(0)
  })

  it('KeyTable: an entry is visible until countMax others were added (both sides)', () => {
    const table = new KeyTable({ countMax: 3, ageMaxUs: Number.POSITIVE_INFINITY })
    for (const key of ['a', 'b', 'c']) add(table, outcome(key, 1))
    expect(find(table, 'a', 1)).not.toBe(0)
    add(table, outcome('d', 1))
    expect(find(table, 'a', 1)).toBe(0)
    expect(find(table, 'b', 1)).not.toBe(0)
    expect(table.count).toBe(3)
  })

  it('KeyTable: a key can be used again after its age, while the old entry is still held', () => {
    const table = new KeyTable({ countMax: 1000, ageMaxUs: 10 })
    for (let i = 0; i < 20; i++) add(table, outcome(`old-${i}`, 100))
    // The addition evicts a few of the twenty; the last of them is among those that stay.
    add(table, outcome('old-19', 200, { sequence: 77 }))
    expect(table.count).toBeGreaterThan(2)
    expect(table.sequenceOf(find(table, 'old-19', 200))).toBe(77)
    expect([...table.entries(200)]).toHaveLength(1)
    table.advance(200)
    expect(table.count).toBe(1)
    expect(table.sequenceOf(find(table, 'old-19', 200))).toBe(77)
  })

  it('KeyTable: one step evicts a bounded number (a million old entries never stop a command)', () => {
    const table = new KeyTable({ countMax: 5000, ageMaxUs: 10 })
    for (let i = 0; i < 5000; i++) add(table, outcome(`k${i}`, 0))
    table.advance(1_000_000)
    expect(table.count).toBe(5000 - 256)
    for (let left = 5000 - 256, i = 0; left > 0; i++) {
      add(table, outcome(`new${i}`, 1_000_000))
      const held = table.count - (i + 1)
      expect(left - held).toBeLessThanOrEqual(4)
      left = held
    }
  })

  it('KeyTable: what is visible does not depend on when advance was called', () => {
    const digest = (advances: boolean) => {
      const table = new KeyTable({ countMax: 100, ageMaxUs: 500 }, advances ? 1 : 2)
      for (let i = 0; i < 3000; i++) {
        const timeUs = i * 7
        if (advances) table.advance(timeUs)
        if (i % 3 === 0 && find(table, `k${i % 400}`, timeUs) === 0) {
          add(table, outcome(`k${i % 400}`, timeUs, { sequence: i }))
        }
      }
      return [...table.entries(21_000)].map((reference) => read(table, reference))
    }
    expect(digest(true)).toEqual(digest(false))
    expect(digest(true).length).toBeGreaterThan(10)
  })

  it('KeyTable: 200,000 keys through a small window keep its memory (1,000 entries)', () => {
    const table = new KeyTable({ countMax: 1000, ageMaxUs: Number.POSITIVE_INFINITY })
    const view = new DataView(new ArrayBuffer(32))
    const bytes = Buffer.from(view.buffer)
    let wrong = 0
    let memoryBytes = 0
    for (let i = 0; i < 200_000; i++) {
      const length = bytes.write(`payment-${i}`, 0, 'latin1')
      if (table.find(view, 0, length, i) !== 0) wrong++
      table.addAccepted(view, 0, length, i, ~i, i + 1, 2, i)
      const back = Math.max(0, i - 999)
      const backLength = bytes.write(`payment-${back}`, 0, 'latin1')
      const reference = table.find(view, 0, backLength, i)
      if (reference === 0 || table.sequenceOf(reference) !== back + 1) wrong++
      if (reference !== 0 && !table.contentMatches(reference, back, ~back)) wrong++
      if (i === 20_000) memoryBytes = table.memoryBytes
    }
    expect(wrong).toBe(0)
    expect(table.count).toBe(1000)
    expect(table.memoryBytes).toBe(memoryBytes)
    expect(memoryBytes).toBeLessThan(4 * 1024 * 1024)
  })

  it('KeyTable: large details fill chunks and leave them (rejections of 256 KiB)', () => {
    const table = new KeyTable({ countMax: 9, ageMaxUs: Number.POSITIVE_INFINITY })
    let memoryBytes = 0
    for (let i = 0; i < 200; i++) {
      const detail = new Uint8Array(256 * 1024 - (i % 50)).fill(i)
      add(table, outcome(`k${i}`, i, { code: 'NO', detail }))
      for (let back = Math.max(0, i - 8); back <= i; back++) {
        const found = table.detailOf(find(table, `k${back}`, i))
        expect(found.length).toBe(256 * 1024 - (back % 50))
        expect(found[0]).toBe(back)
        expect(found[found.length - 1]).toBe(back)
      }
      if (i === 50) memoryBytes = table.memoryBytes
    }
    expect(table.memoryBytes).toBe(memoryBytes)
  })

  it('KeyTable: goes on when it became empty near the end of a chunk (details of 100 kB)', () => {
    const table = new KeyTable({ countMax: 100, ageMaxUs: 10 })
    const memoryBytes = table.memoryBytes
    for (let round = 0; round < 30; round++) {
      const timeUs = round * 1000
      const entries = Array.from({ length: 1 + (round % 4) }, (_, i) =>
        outcome(`k${i}`, timeUs, {
          code: 'NO',
          eventCount: 0,
          detail: new Uint8Array(100_000 + round).fill(i),
        }),
      )
      for (const entry of entries) add(table, entry)
      const held = [...table.entries(timeUs)].map((one) => summary(read(table, one)))
      expect(held).toEqual(entries.map(summary))
      table.advance(timeUs + 11)
      expect(table.count).toBe(0)
      expect([...table.entries(timeUs)]).toEqual([])
    }
    expect(table.memoryBytes).toBe(memoryBytes)
  })

  it('KeyTable: content that differs in either half does not match', () => {
    const table = new KeyTable({ countMax: 2, ageMaxUs: 0 })
    const reference = add(table, outcome('a', 1, { contentLow: 0xffffffff, contentHigh: 5 }))
    expect(table.contentMatches(reference, 0xffffffff, 5)).toBe(true)
    expect(table.contentMatches(reference, -1, 5)).toBe(true)
    expect(table.contentMatches(reference, 0xffffffff, 4)).toBe(false)
    expect(table.contentMatches(reference, 0, 5)).toBe(false)
  })

  it('KeyTable: a key that is added while it is visible is refused (at its limits, one after)', () => {
    const table = new KeyTable({ countMax: 3, ageMaxUs: 100 })
    add(table, outcome('a', 50, { sequence: 1 }))
    expect(() => add(table, outcome('a', 150, { sequence: 2 }))).toThrow(
      /REPLAY_FAILED.*answered anew.*sequence 2/,
    )
    add(table, outcome('a', 151, { sequence: 2 }))
    for (const key of ['b', 'c']) add(table, outcome(key, 151))
    expect(() => add(table, outcome('a', 151))).toThrow(/REPLAY_FAILED/)
    add(table, outcome('d', 151))
    add(table, outcome('a', 151, { sequence: 9 }))
    expect(table.sequenceOf(find(table, 'a', 151))).toBe(9)
    expect(table.count).toBe(3)
  })

  it('KeyTable: agrees with a Map under random additions and changes of the window', () => {
    const windows = fc.record({
      countMax: fc.integer({ min: 1, max: 12 }),
      ageMaxUs: fc.integer({ min: 0, max: 40 }),
    })
    const steps = fc.record({
      key: fc.nat({ max: 15 }).map((n) => `k${n}`),
      wait: fc.oneof(fc.constant(0), fc.nat({ max: 12 })),
      // Where the change comes may be later than the last entry.
      change: fc.option(windows, { freq: 6 }),
    })
    fc.assert(
      fc.property(windows, fc.array(steps, { maxLength: 120 }), (first, given) => {
        let window = first
        const table = new KeyTable(window)
        const naive = new Map<string, Outcome>()
        const forget = (ageMaxUs: number, countMax: number, timeUs: number): void => {
          for (const { key, timeUs: since } of naive.values()) {
            if (timeUs - since > ageMaxUs) naive.delete(key)
          }
          for (const key of naive.keys()) if (naive.size > countMax) naive.delete(key)
        }
        let timeUs = 1_000
        for (const [i, { key, wait, change }] of given.entries()) {
          timeUs += wait
          if (change !== null) {
            forget(window.ageMaxUs, window.countMax, timeUs)
            window = change
            table.changeWindow(window, timeUs)
            expect(table.window).toEqual(window)
          }
          forget(window.ageMaxUs, window.countMax, timeUs)
          const held = [...table.entries(timeUs)].map((one) => summary(read(table, one)))
          expect(held).toEqual([...naive.values()].map(summary))
          const known = find(table, key, timeUs)
          expect(known !== 0).toBe(naive.has(key))
          if (known !== 0) continue
          const entry = outcome(key, timeUs, { sequence: i })
          add(table, entry)
          naive.set(key, entry)
          expect(table.count).toBeLessThanOrEqual(window.countMax)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('KeyTable: a larger window brings nothing back (too old, too many; held or not)', () => {
    const table = new KeyTable({ countMax: 10, ageMaxUs: 10 })
    for (const key of ['a', 'b']) add(table, outcome(key, 100))
    add(table, outcome('c', 105))
    // At 115, c is at its limit; a and b are too old, though nothing has evicted them yet.
    table.changeWindow({ countMax: 10, ageMaxUs: 1_000 }, 115)
    expect([...table.entries(115)].map((one) => read(table, one).key)).toEqual(['c'])
    expect(find(table, 'c', 1_105)).not.toBe(0)
    for (const key of ['d', 'e']) add(table, outcome(key, 200))
    table.changeWindow({ countMax: 2, ageMaxUs: 1_000 }, 200)
    expect(table.count).toBe(2)
    table.changeWindow({ countMax: 10, ageMaxUs: 1_000 }, 200)
    expect([...table.entries(200)].map((one) => read(table, one).key)).toEqual(['d', 'e'])
  })

  it('KeyTable: keys of 0 and 1,024 bytes are kept; a longer key, time going back: bugs', () => {
    const table = new KeyTable({ countMax: 10, ageMaxUs: 100 })
    for (const key of ['', 'k'.repeat(1024), '__proto__']) {
      add(table, outcome(key, 50))
      expect(find(table, key, 50)).not.toBe(0)
    }
    expect(find(table, 'k'.repeat(1023), 50)).toBe(0)
    expect(() => add(table, outcome('x'.repeat(1025), 50))).toThrow(/1025 bytes/)
    expect(() => add(table, outcome('b', 49))).toThrow(/backwards/)
    expect(table.count).toBe(3)
  })

  it('KeyTable: a window has at least one place', () => {
    expect(() => new KeyTable({ countMax: 0, ageMaxUs: 1 })).toThrow(/countMax/)
    expect(() => new KeyTable({ countMax: 1.5, ageMaxUs: 1 })).toThrow(/countMax/)
    expect(() => new KeyTable({ countMax: 1, ageMaxUs: -1 })).toThrow(/ageMaxUs/)
    const table = new KeyTable({ countMax: 1, ageMaxUs: 1 })
    expect(() => table.changeWindow({ countMax: 0, ageMaxUs: 1 }, 1)).toThrow(/countMax/)
  })

  it('touchMany: reads within memory (window empty, not full, full; more keys than it holds)', () => {
    const table = new KeyTable({ countMax: 3, ageMaxUs: 1_000 }, 1)
    const hashes = Int32Array.of(0, -1, 0x7fffffff, -0x80000000, 5)
    for (let added = 0; added < 8; added++) {
      for (let count = 0; count <= hashes.length; count++) {
        expect(Number.isInteger(table.touchMany(hashes, count))).toBe(true)
      }
      expect(table.count).toBe(Math.min(added, 3))
      add(table, outcome(`key ${added}`, added))
    }
  })
})
