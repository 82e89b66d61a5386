import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededHash } from '../../engine/memory/hash.js'
import { HashIndex } from '../../engine/memory/hash-index.js'

/** Shows what the engine has no need to see. */
class OpenHashIndex extends HashIndex {
  get directoryEntries(): number {
    return this.directory.length
  }

  get overflows(): number {
    return this.overflowPages
  }
}

function valuesOf(index: HashIndex, hash: number): number[] {
  const values: number[] = []
  let cell = index.firstCandidate(hash)
  while (cell >= 0) {
    values.push(index.valueAt(cell))
    cell = index.nextCandidate(cell, hash)
  }
  return values.sort((a, b) => a - b)
}

/** Naive twin: hash → values. */
class Model {
  readonly lists = new Map<number, number[]>()

  insert(hash: number, value: number): void {
    this.lists.set(hash, [...(this.lists.get(hash) ?? []), value])
  }

  remove(hash: number, value: number): void {
    const list = this.lists.get(hash) ?? []
    list.splice(list.indexOf(value), 1)
  }

  valuesOf(hash: number): number[] {
    return [...(this.lists.get(hash) ?? [])].sort((a, b) => a - b)
  }
}

/** Ways of hashing a small integer, from good to hostile. */
const hashings: Record<string, (i: number) => number> = {
  random: (i) => Math.imul(i + 1, 0x9e3779b1) ^ (Math.imul(i, 0x85ebca6b) >>> 9),
  'all equal': () => 0x12345678,
  'equal in the upper 22 bits': (i) => 0x77777000 | (i & 1023),
  'equal in the lower 22 bits': (i) => (i << 22) | 5,
  'two values': (i) => (i & 1 ? -1 : 0),
  small: (i) => i,
}

describe('HashIndex', () => {
  for (const [name, hashOf] of Object.entries(hashings)) {
    it(`HashIndex: agrees with a Map under random additions and removals (hashes: ${name})`, () => {
      const operation = fc.record({
        add: fc.boolean(),
        times: fc.integer({ min: 1, max: 400 }),
        pick: fc.nat(),
      })
      fc.assert(
        fc.property(fc.array(operation, { minLength: 1, maxLength: 14 }), (operations) => {
          const index = new HashIndex('test', 'narrow')
          const model = new Model()
          const live: number[] = []
          let nextValue = 1
          for (const { add, times, pick } of operations) {
            for (let n = 0; n < times; n++) {
              if (add || live.length === 0) {
                const value = nextValue++
                index.insert(hashOf(value), value)
                model.insert(hashOf(value), value)
                live.push(value)
              } else {
                const [value] = live.splice((pick + n * 7) % live.length, 1) as [number]
                index.remove(hashOf(value), value)
                model.remove(hashOf(value), value)
              }
            }
          }
          expect(index.count).toBe(live.length)
          const hashes = new Set(Array.from({ length: nextValue + 10 }, (_, i) => hashOf(i)))
          for (const hash of hashes) expect(valuesOf(index, hash)).toEqual(model.valuesOf(hash))
        }),
        { numRuns: 25 },
      )
    })
  }

  it('HashIndex: keeps every entry through page splits and directory doublings (200,000)', () => {
    const index = new OpenHashIndex('test', 'narrow')
    const hash = new SeededHash()
    const doublings = new Set<number>()
    for (let i = 1; i <= 200_000; i++) {
      index.insert(hash.word(i), i)
      doublings.add(index.directoryEntries)
    }
    let wrong = 0
    for (let i = 1; i <= 400_000; i++) {
      const cell = index.firstCandidate(hash.word(i))
      const value = cell < 0 ? 0 : index.valueAt(cell)
      if (value !== (i <= 200_000 ? i : 0)) wrong++
    }
    expect(wrong).toBe(0)
    expect(doublings.size).toBeGreaterThanOrEqual(8)
    expect(index.overflows).toBe(0)
    // 8 bytes an entry, pages at least 35 % full in the mean, and one step of growth.
    expect(index.memoryBytes).toBeLessThan((200_000 * 8) / 0.35 + 2 * 1024 * 1024)
  })

  it('HashIndex: wide cells find 8-byte keys, also with equal hashes, after splits and removals', () => {
    const index = new OpenHashIndex('test', 'wide')
    const hash = new SeededHash(9)
    // Every 16 neighbours share a hash.
    const hashOf = (i: number) => hash.word(i >>> 4)
    for (let i = 1; i <= 50_000; i++) index.insertPair(hashOf(i), i, i | 0, ~i)
    for (let i = 2; i <= 50_000; i += 2) index.remove(hashOf(i), i)
    let wrong = 0
    for (let i = 1; i <= 50_000; i++) {
      if (index.findPair(hashOf(i), i, ~i) !== (i % 2 === 1 ? i : 0)) wrong++
    }
    expect(wrong).toBe(0)
    expect(index.findPair(hashOf(1), 1, 1)).toBe(0)
    expect(index.findPair(hashOf(1), 2, ~1)).toBe(0)
    expect(index.count).toBe(25_000)
  })

  it('HashIndex: memory stays in proportion when all hashes collide, and is used again', () => {
    const index = new OpenHashIndex('test', 'narrow')
    for (let i = 1; i <= 20_000; i++) index.insert(-7, i)
    expect(index.overflows).toBeGreaterThan(20)
    expect(index.directoryEntries).toBeLessThan(512)
    expect(index.memoryBytes).toBeLessThan(1024 * 1024)
    const before = index.memoryBytes
    for (let i = 1; i <= 20_000; i++) index.remove(-7, i)
    expect(index.overflows).toBe(0)
    expect(index.firstCandidate(-7)).toBe(-1)
    for (let i = 1; i <= 20_000; i++) index.insert(-7, i)
    expect(valuesOf(index, -7)).toHaveLength(20_000)
    expect(index.memoryBytes).toBe(before)
  })

  it('HashIndex: other entries are found among colliding ones (overflow pages in use)', () => {
    const index = new OpenHashIndex('test', 'wide')
    const hash = new SeededHash()
    for (let i = 1; i <= 3_000; i++) index.insertPair(hash.word(0), i, i, -1)
    for (let i = 10_001; i <= 60_000; i++) index.insertPair(hash.word(i), i, i, 0)
    let wrong = 0
    for (let i = 1; i <= 3_000; i++) if (index.findPair(hash.word(0), i, -1) !== i) wrong++
    for (let i = 10_001; i <= 60_000; i++) if (index.findPair(hash.word(i), i, 0) !== i) wrong++
    expect(wrong).toBe(0)
    expect(index.findPair(hash.word(0), 3_001, -1)).toBe(0)
    expect(index.overflows).toBeGreaterThan(0)
  })

  it('HashIndex: touch reads within memory (any hash)', () => {
    const index = new HashIndex('test', 'wide')
    const hashes = Int32Array.of(0, -1, 0x7fffffff, -0x80000000, 0xffffffff)
    for (let count = 0; count <= hashes.length; count++) {
      expect(Number.isInteger(index.touchMany(hashes, count))).toBe(true)
    }
  })

  it('HashIndex: a value that is not there cannot be removed', () => {
    const index = new HashIndex('test', 'narrow')
    index.insert(1, 2)
    expect(() => index.remove(1, 3)).toThrow(/not in the hash index/)
    expect(() => index.insert(1, 0)).toThrow(/not 0/)
    expect(index.count).toBe(1)
  })
})
