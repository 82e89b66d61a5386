import { describe, expect, it } from 'vitest'
import { DirectTable } from '../../engine/memory/direct-table.js'

describe('DirectTable', () => {
  it('DirectTable: opens 16 pages for free and then one for every 512 ids (both sides)', () => {
    const table = new DirectTable('test')
    for (let page = 0; page < 16; page++) expect(table.tryPut(page * 4096, page + 1, 0)).toBe(true)
    // 17 pages need 4,096 = 8 × 512 entries more than are free.
    let slot = 17
    while (table.count < 511) expect(table.tryPut(slot, slot++, 0)).toBe(true)
    expect(table.tryPut(16 * 4096, slot, 0)).toBe(false)
    expect(table.hasPage(16 * 4096)).toBe(false)
    expect(table.tryPut(slot, slot, 0)).toBe(true)
    expect(table.tryPut(16 * 4096, 9999, 0)).toBe(true)
    expect(table.find(16 * 4096)).toBe(9999)
    expect(table.count).toBe(513)
  })

  it('DirectTable: ids elsewhere open pages again, one for 4,096 (both sides)', () => {
    const table = new DirectTable('test')
    for (let page = 0; page < 16; page++) table.tryPut(page * 1_000_000, 1, 0)
    expect(table.tryPut(77_000_000, 5, 4096 - 8 * 16 - 1)).toBe(false)
    expect(table.tryPut(77_000_000, 5, 4096 - 8 * 16)).toBe(true)
  })

  it('DirectTable: finds only what is there, over the whole range (u32 and Int32 alike)', () => {
    const table = new DirectTable('test')
    for (const id of [0, 1, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff]) {
      expect(table.find(id)).toBe(0)
      table.tryPut(id, 42, 0)
      expect(table.find(id)).toBe(42)
      expect(table.find(id | 0)).toBe(42)
      table.remove(id)
      expect(table.find(id)).toBe(0)
    }
    expect(table.count).toBe(0)
  })
})
