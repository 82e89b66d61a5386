import { describe, expect, it } from 'vitest'
import { DirectTable } from '../../engine/memory/direct-table.js'

/** Two ids of a page that no run holds together. */
function putTable(table: DirectTable, page: number, slot: number, elsewhere = 0): boolean {
  return (
    table.tryPut(page * 4096, slot, elsewhere) && table.tryPut(page * 4096 + 2, slot + 1, elsewhere)
  )
}

describe('DirectTable', () => {
  it('DirectTable: opens 16 tables for free and then one for every 512 ids (both sides)', () => {
    const table = new DirectTable('test')
    for (let page = 0; page < 16; page++) expect(putTable(table, page, 2 * page + 1)).toBe(true)
    // 17 tables need 4,096 = 8 × 512 entries more than are free.
    let slot = 33
    while (table.count < 510) expect(table.tryPut(slot, slot++, 0)).toBe(true)
    expect(putTable(table, 16, slot)).toBe(false)
    expect(table.find(16 * 4096)).toBe(511)
    expect(table.find(16 * 4096 + 2)).toBe(0)
    expect(table.count).toBe(511)
    expect(table.tryPut(slot, slot, 0)).toBe(true)
    expect(table.tryPut(16 * 4096 + 2, 9999, 0)).toBe(true)
    expect(table.find(16 * 4096)).toBe(511)
    expect(table.find(16 * 4096 + 2)).toBe(9999)
    expect(table.count).toBe(513)
  })

  it('DirectTable: ids elsewhere open tables again, one for 4,096 (both sides)', () => {
    const table = new DirectTable('test')
    for (let page = 0; page < 16; page++) putTable(table, page * 250, 1)
    table.tryPut(77_000_000, 4, 0)
    expect(table.tryPut(77_000_000 + 5, 5, 4096 - 8 * 33 - 1)).toBe(false)
    expect(table.tryPut(77_000_000 + 5, 5, 4096 - 8 * 33)).toBe(true)
  })

  it('DirectTable: finds only what is there, over the whole range (u32 and Int32 alike)', () => {
    const table = new DirectTable('test')
    for (const id of [0, 1, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff]) {
      expect(table.find(id)).toBe(0)
      table.tryPut(id, 42, 0)
      expect(table.hasPage(id)).toBe(true)
      expect(table.find(id)).toBe(42)
      expect(table.find(id | 0)).toBe(42)
      table.remove(id)
      expect(table.find(id)).toBe(0)
      expect(table.hasPage(id)).toBe(false)
    }
    expect(table.count).toBe(0)
  })

  it('DirectTable: a run takes what follows it only, and finds nothing beside it (both ends)', () => {
    const table = new DirectTable('test')
    for (let id = 4100; id < 4110; id++) table.tryPut(id, id - 4000, 0)
    expect([4099, 4100, 4109, 4110, 8195].map((id) => table.find(id))).toEqual([0, 100, 109, 0, 0])
    table.remove(4109)
    expect(table.find(4109)).toBe(0)
    expect(table.find(4108)).toBe(108)
  })

  it.each([
    ['an id before it', 4099, 200],
    ['a gap', 4111, 200],
    ['the next id in another slot', 4110, 200],
  ])('DirectTable: a run becomes a table and keeps its ids (%s)', (_case, id, slot) => {
    const table = new DirectTable('test')
    for (let known = 4100; known < 4110; known++) table.tryPut(known, known - 4000, 0)
    expect(table.tryPut(id, slot, 0)).toBe(true)
    const found = new Int32Array(4096)
    const ids = Int32Array.from({ length: 4096 }, (_, entry) => 4096 + entry)
    table.findMany(ids, found, 4096)
    const expected = new Int32Array(4096)
    for (let known = 4100; known < 4110; known++) expected[known - 4096] = known - 4000
    expected[id - 4096] = slot
    expect(found).toEqual(expected)
    expect(Array.from(ids, (one) => table.find(one))).toEqual(Array.from(expected))
    table.remove(id)
    expect(table.find(id)).toBe(0)
  })

  it('DirectTable: a full page in order is one run (4,096), and the next page another', () => {
    const table = new DirectTable('test')
    const before = table.memoryBytes
    for (let id = 0; id < 3 * 4096; id++) table.tryPut(id, id + 7, 0)
    expect(table.memoryBytes).toBe(before)
    for (let id = 0; id < 3 * 4096; id++) expect(table.find(id)).toBe(id + 7)
    expect(table.find(3 * 4096)).toBe(0)
  })
})
