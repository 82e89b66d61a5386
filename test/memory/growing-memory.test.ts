import { describe, expect, it } from 'vitest'
import { GrowingMemory } from '../../engine/memory/growing-memory.js'
import { TidewheelError } from '../../journal/errors.js'

const PAGE_BYTES = 65_536

describe('GrowingMemory', () => {
  it('GrowingMemory: keeps its bytes while it grows, and new ones are 0', () => {
    const memory = new GrowingMemory('test')
    const old = new Uint8Array(memory.buffer)
    old[0] = 1
    old[PAGE_BYTES - 1] = 2
    expect(memory.reserve(PAGE_BYTES)).toBe(false)
    expect(memory.reserve(PAGE_BYTES + 1)).toBe(true)
    const grown = new Uint8Array(memory.buffer)
    expect([grown[0], grown[PAGE_BYTES - 1], grown[PAGE_BYTES]]).toEqual([1, 2, 0])
    old[1] = 3
    expect(grown[1]).toBe(3)
  })

  it('GrowingMemory: grows by small steps (never more than 1 MiB beyond what is asked)', () => {
    const memory = new GrowingMemory('test')
    for (let bytes = 1000; bytes < 8 * 1024 * 1024; bytes += 50_000) {
      memory.reserve(bytes)
      expect(memory.lengthBytes).toBeGreaterThanOrEqual(bytes)
      expect(memory.lengthBytes).toBeLessThanOrEqual(bytes + 1024 * 1024)
    }
  })

  it('GrowingMemory: OUT_OF_MEMORY beyond its limit, and nothing has changed (both sides)', () => {
    const memory = new GrowingMemory('the index of ids of Account', 3 * PAGE_BYTES)
    expect(memory.reserve(3 * PAGE_BYTES)).toBe(true)
    try {
      memory.reserve(3 * PAGE_BYTES + 1)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(TidewheelError)
      expect((error as TidewheelError).code).toBe('OUT_OF_MEMORY')
      expect((error as TidewheelError).message).toContain('the index of ids of Account')
    }
    expect(memory.lengthBytes).toBe(3 * PAGE_BYTES)
  })
})
