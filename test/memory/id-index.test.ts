import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createIdIndex, type IdIndex } from '../../engine/memory/id-index.js'
import { TextArena } from '../../engine/memory/text-arena.js'
import { TextIdIndex } from '../../engine/memory/text-id-index.js'
import { TidewheelError } from '../../journal/errors.js'
import type { IdType } from '../../journal/schema/id-type.js'

type Id = string | number | bigint

/** The bytes of an id as they lie in a command, written without any code of the engine. */
function bytesOf(idType: IdType, id: Id): Buffer {
  switch (idType) {
    case 'text':
      return Buffer.from(id as string, 'utf8')
    case 'u32': {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(id as number)
      return bytes
    }
    case 'u64': {
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64LE(id as bigint)
      return bytes
    }
    case 'uuid':
      return Buffer.from((id as string).replaceAll('-', ''), 'hex')
  }
}

/** The bytes at an odd offset of a larger view, as in a record. */
function placed(idType: IdType, id: Id): { view: DataView; offset: number; lengthBytes: number } {
  const bytes = bytesOf(idType, id)
  const memory = new Uint8Array(bytes.length + 10).fill(0xee)
  memory.set(bytes, 3)
  return { view: new DataView(memory.buffer), offset: 3, lengthBytes: bytes.length }
}

function findPlaced(index: IdIndex<unknown>, idType: IdType, id: Id): number {
  const { view, offset, lengthBytes } = placed(idType, id)
  const hash = index.hashBytes(view, offset, lengthBytes)
  expect(Number.isInteger(index.touchMany(Int32Array.of(hash), 1))).toBe(true)
  expect(hash).toBe(hash | 0)
  return index.findBytes(view, offset, lengthBytes, hash)
}

function uuid(low: number, high: number): string {
  const hex = (n: number) => (n >>> 0).toString(16).padStart(8, '0')
  const digits = hex(high) + hex(Math.imul(low, 77)) + hex(high ^ 5) + hex(low)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const arbitraries: Record<IdType, fc.Arbitrary<Id>> = {
  text: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'binary-ascii', maxLength: 6 }),
    fc.nat({ max: 3000 }).map((n) => `account-${n}`),
    fc.constantFrom('', '__proto__', '../../x', 'constructor', 'a'.repeat(1023), 'b'.repeat(1024)),
  ),
  u32: fc.oneof(
    fc.nat({ max: 5000 }),
    fc.integer({ min: 0, max: 0xffffffff }),
    fc.constantFrom(0, 0x7fffffff, 0x80000000, 0xffffffff),
  ),
  u64: fc.oneof(
    fc.bigInt({ min: 0n, max: 5000n }),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.bigInt({ min: (1n << 32n) - 20n, max: (1n << 32n) + 20n }),
    fc.bigInt({ min: 0n, max: 40n }).map((n) => n << 32n),
    fc.constantFrom(0n, (1n << 53n) - 1n, 1n << 53n, (1n << 53n) + 1n, (1n << 64n) - 1n),
  ),
  uuid: fc.oneof(
    fc.uuid(),
    fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })).map(([low, high]) => uuid(low, high)),
  ),
}

const types = Object.keys(arbitraries) as IdType[]

describe('IdIndex', () => {
  for (const idType of types) {
    it(`IdIndex: agrees with a Map under random adds, finds and undos (${idType})`, () => {
      const step = fc.record({
        kind: fc.constantFrom('add', 'add', 'add', 'undo', 'addBytes'),
        ids: fc.array(arbitraries[idType], { maxLength: 60 }),
        undos: fc.nat({ max: 30 }),
      })
      fc.assert(
        fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
          const index: IdIndex<unknown> = createIdIndex(idType)
          const model = new Map<Id, number>()
          const order: Id[] = []
          for (const { kind, ids, undos } of steps) {
            for (let i = 0; kind === 'undo' && i < undos && order.length > 0; i++) {
              index.removeLast()
              model.delete(order.pop() as Id)
            }
            for (const id of kind === 'undo' ? [] : ids) {
              const before = index.count
              expect(index.find(id)).toBe(model.get(id) ?? 0)
              expect(findPlaced(index, idType, id)).toBe(model.get(id) ?? 0)
              expect(index.count).toBe(before)
              if (model.has(id)) continue
              const { view, offset, lengthBytes } = placed(idType, id)
              const slot =
                kind === 'add' ? index.add(id) : index.addBytes(view, offset, lengthBytes)
              order.push(id)
              model.set(id, order.length)
              expect(slot).toBe(order.length)
            }
            expect(index.count).toBe(order.length)
          }
          order.forEach((id, i) => {
            expect(index.find(id)).toBe(i + 1)
            expect(findPlaced(index, idType, id)).toBe(i + 1)
            expect(index.idOf(i + 1)).toBe(id)
            const bytes = bytesOf(idType, id)
            expect(index.idBytesOf(i + 1)).toBe(bytes.length)
            const written = Buffer.alloc(bytes.length + 4)
            const view = new DataView(written.buffer, written.byteOffset, written.length)
            expect(index.writeIdBytes(i + 1, view, 2)).toBe(bytes.length)
            expect(written.subarray(2, 2 + bytes.length).equals(bytes)).toBe(true)
            expect([...written.subarray(2 + bytes.length)]).toEqual([0, 0])
          })
        }),
        { numRuns: 40 },
      )
    })
  }

  const series: [IdType, string, (i: number) => Id][] = [
    ['u32', 'dense', (i) => i],
    ['u32', 'dense from 3,000,000,000', (i) => 3_000_000_000 + i],
    ['u32', 'scattered', (i) => Math.imul(i + 1, 0x9e3779b1) >>> 0],
    ['u64', 'dense', (i) => BigInt(i)],
    ['u64', 'scattered', (i) => (BigInt(i + 1) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn],
    ['u64', 'scattered below 2^32', (i) => BigInt(Math.imul(i + 1, 0x9e3779b1) >>> 0)],
    ['uuid', 'scattered', (i) => uuid(i, Math.imul(i, 0x85ebca6b))],
    ['text', 'numbered', (i) => `account-${i}`],
  ]
  it.each(series)('IdIndex: 40,000 ids and their undo (%s, %s)', (idType, _name, idAt) => {
    const index: IdIndex<unknown> = createIdIndex(idType)
    const count = 40_000
    let wrong = 0
    for (let i = 0; i < count; i++) if (index.add(idAt(i)) !== i + 1) wrong++
    for (let i = 0; i < 2 * count; i++) {
      if (index.find(idAt(i)) !== (i < count ? i + 1 : 0)) wrong++
    }
    for (let i = 0; i < count; i++) if (index.idOf(i + 1) !== idAt(i)) wrong++
    const memoryBytes = index.memoryBytes
    for (let i = count; i > count / 2; i--) index.removeLast()
    for (let i = 0; i < count; i++) {
      if (index.find(idAt(i)) !== (i < count / 2 ? i + 1 : 0)) wrong++
    }
    for (let i = count / 2; i < count; i++) if (index.add(idAt(i)) !== i + 1) wrong++
    expect(wrong).toBe(0)
    expect(index.memoryBytes).toBe(memoryBytes)
  })

  it('IdIndex: sparse u32 over the whole range costs memory in proportion (200,000)', () => {
    const index = createIdIndex('u32')
    const empty = index.memoryBytes
    for (let i = 0; i < 200_000; i++) index.add(Math.imul(i + 1, 0x9e3779b1) >>> 0)
    // 4 in pages, at most 23 in the hash index, 4 for the way back; and steps of growth.
    expect(index.memoryBytes - empty).toBeLessThan(200_000 * 31 + 4 * 1024 * 1024)
    expect(index.find(Math.imul(200_000, 0x9e3779b1) >>> 0)).toBe(200_000)
    expect(index.find(Math.imul(200_001, 0x9e3779b1) >>> 0)).toBe(0)
  })

  it('IdIndex: dense u32 after outliers are found in either table (page opened late)', () => {
    const index = createIdIndex('u32')
    const ids: number[] = []
    for (let i = 0; i < 40; i++) ids.push(i * 90_000_000)
    for (let id = 1_000_001; id <= 1_030_000; id++) ids.push(id)
    for (const id of ids) index.add(id)
    expect(ids.findIndex((id, i) => index.find(id) !== i + 1)).toBe(-1)
    while (index.count > 0) {
      index.removeLast()
      ids.pop()
      if (index.count % 1000 !== 0) continue
      expect(ids.findIndex((id, i) => index.find(id) !== i + 1)).toBe(-1)
    }
    expect(index.find(0)).toBe(0)
  })

  it('IdIndex: slots do not depend on the seed of the hash', () => {
    const a = createIdIndex('text', 'A', 1)
    const b = createIdIndex('text', 'B', 2)
    for (let i = 0; i < 5000; i++) expect(a.add(`id ${i}`)).toBe(b.add(`id ${i}`))
  })

  it('IdIndex: u64 accepts numbers and bigints as the same id (both sides of 2^53)', () => {
    const index = createIdIndex('u64')
    expect(index.add(2 ** 53 - 1)).toBe(1)
    expect(index.find(2n ** 53n - 1n)).toBe(1)
    expect(index.find(2 ** 53)).toBe(0)
    expect(() => index.add(2 ** 53)).toThrow(/INVALID_ID/)
    expect(index.add(2n ** 53n)).toBe(2)
    expect(index.add(2n ** 53n + 1n)).toBe(3)
    expect(index.idOf(2)).toBe(2n ** 53n)
    expect(index.add(0)).toBe(4)
    expect(index.find(0n)).toBe(4)
  })

  it.each([
    ['text', 'account-1', 'account-2', 'account-3'],
    ['uuid', uuid(1, 1), uuid(2, 2), uuid(3, 3)],
  ] as const)('IdIndex: forgets what it found last when that is removed (%s)', (type, a, b, c) => {
    const index = createIdIndex(type)
    index.add(a)
    index.add(b)
    expect([index.find(b), index.find(b)]).toEqual([2, 2])
    index.removeLast()
    expect(index.find(b)).toBe(0)
    expect(index.add(c)).toBe(2)
    expect([index.find(b), index.find(c), index.find(a)]).toEqual([0, 2, 1])
    // Bytes can bring an id that was just looked for in vain.
    const { view, offset, lengthBytes } = placed(type, b)
    expect(index.find(b)).toBe(0)
    index.addBytes(view, offset, lengthBytes)
    expect(index.find(b)).toBe(3)
  })

  it('IdIndex: a hash stays good while the index changes (page opened in between)', () => {
    const index = createIdIndex('u64')
    const { view, offset, lengthBytes } = placed('u64', 4096n * 9n)
    const before = index.hashBytes(view, offset, lengthBytes)
    index.add(4096n * 9n)
    expect(index.findBytes(view, offset, lengthBytes, before)).toBe(1)
    const after = index.hashBytes(view, offset, lengthBytes)
    expect(index.findBytes(view, offset, lengthBytes, after)).toBe(1)
    index.removeLast()
    expect(index.findBytes(view, offset, lengthBytes, after)).toBe(0)
  })

  it('IdIndex: texts of 0, 1, 1,023 and 1,024 bytes are ids, one of 1,025 is not', () => {
    const index = createIdIndex('text')
    const ids = ['', 'a', 'b'.repeat(1023), 'b'.repeat(1024), 'ü'.repeat(512)]
    ids.forEach((id, i) => {
      expect(index.add(id)).toBe(i + 1)
      expect(index.idOf(i + 1)).toBe(id)
    })
    for (const id of ['b'.repeat(1025), `${'ü'.repeat(512)}x`, 'x'.repeat(10_000)]) {
      expect(index.find(id)).toBe(0)
      expect(() => index.add(id)).toThrow(/INVALID_ID/)
      const { view, offset, lengthBytes } = placed('text', id)
      expect(findPlaced(index, 'text', id)).toBe(0)
      expect(() => index.addBytes(view, offset, lengthBytes)).toThrow(/INVALID_ID/)
    }
    expect(index.count).toBe(ids.length)
  })

  it.each<[IdType, unknown[]]>([
    ['text', [1, 1n, null, undefined, {}, '\ud800', 'a\udfff']],
    ['u32', [-1, 0x1_0000_0000, 0.5, NaN, '1', 1n, null, -0.5, Infinity]],
    ['u64', [-1, -1n, 1n << 64n, 0.5, NaN, '1', null, 2 ** 53]],
    ['uuid', [1, '', 'x', '01234567-89AB-cdef-0123-456789abcdef', '0123456789abcdef']],
  ])('IdIndex: values that cannot be ids are not found and not added (%s)', (idType, values) => {
    const index: IdIndex<unknown> = createIdIndex(idType)
    for (const value of values) {
      expect(index.find(value)).toBe(0)
      try {
        index.add(value)
        expect.unreachable()
      } catch (error) {
        expect(error).toBeInstanceOf(TidewheelError)
        expect((error as TidewheelError).code).toBe('INVALID_ID')
      }
    }
    expect(index.count).toBe(0)
  })

  it.each<[IdType, number]>([
    ['u32', 4],
    ['u64', 8],
    ['uuid', 16],
  ])('IdIndex: bytes of a wrong length are not an id (%s)', (idType, length) => {
    const index: IdIndex<unknown> = createIdIndex(idType)
    const view = new DataView(new ArrayBuffer(32))
    index.addBytes(view, 0, length)
    for (const wrong of [0, length - 1, length + 1]) {
      expect(index.findBytes(view, 0, wrong, index.hashBytes(view, 0, wrong))).toBe(0)
      expect(() => index.addBytes(view, 0, wrong)).toThrow(/INVALID_ID/)
    }
  })

  it('IdIndex: adding twice, undoing nothing and slots out of range are bugs', () => {
    for (const idType of types) {
      const index: IdIndex<unknown> = createIdIndex(idType)
      expect(() => index.removeLast()).toThrow(/no last id/)
      const id = idType === 'uuid' ? uuid(1, 2) : idType === 'text' ? 'a' : 7
      index.add(id)
      expect(() => index.add(id)).toThrow(/added twice/)
      expect(index.count).toBe(1)
      expect(() => index.idOf(0)).toThrow(/no slot/)
      expect(() => index.idOf(2)).toThrow(/no slot/)
    }
  })

  it('TextIdIndex: goes on in the next block, and back again (blocks of 1 MiB)', () => {
    const index = new TextIdIndex('test', 1, new TextArena('test', 1024 * 1024))
    const idAt = (i: number) => String(i).padStart(1 + (i % 1000), '-')
    const count = 6000
    for (let i = 0; i < count; i++) index.add(idAt(i))
    const memoryBytes = index.memoryBytes
    expect(memoryBytes).toBeGreaterThan(3 * 1024 * 1024)
    for (let round = 0; round < 2; round++) {
      let wrong = 0
      for (let i = 0; i < count; i++) {
        if (index.find(idAt(i)) !== i + 1 || index.idOf(i + 1) !== idAt(i)) wrong++
      }
      expect(wrong).toBe(0)
      while (index.count > 500) index.removeLast()
      expect(index.find(idAt(500))).toBe(0)
      for (let i = 500; i < count; i++) index.add(idAt(i))
    }
    expect(index.memoryBytes).toBe(memoryBytes)
  })
})
