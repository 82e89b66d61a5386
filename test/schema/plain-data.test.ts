/** Values of type `any`: what goes round, and what hostile bytes can do (nothing). */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainDamage } from '../../journal/schema/plain-damage.js'
import { decodePlainData, PLAIN_BYTES_MAX, packPlain } from '../../journal/schema/plain-data.js'
import { plainData } from './arbitrary-fields.js'

function packed(value: unknown): Buffer {
  const bytes = packPlain(value)
  if (typeof bytes === 'string') throw new Error(bytes)
  return Buffer.from(bytes)
}

function damageOfHex(hex: string): string | undefined {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  return plainDamage(bytes, 0, bytes.length)
}

describe('plain data', () => {
  it('comes back as it was (random trees)', () => {
    fc.assert(
      fc.property(plainData, (value) => {
        expect(decodePlainData(packed(value))).toStrictEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('comes back as it was (large maps, long keys, many levels)', () => {
    const value = {
      map: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key ${i}`, i])),
      list: Array.from({ length: 70_000 }, (_, i) => i % 7),
      ['k'.repeat(70_000)]: 'é'.repeat(300),
    }
    const bytes = packPlain(value)
    if (typeof bytes === 'string') expect(bytes).toContain('at most')
    const smaller = { ...value, map: {}, list: value.list.slice(0, 66_000) }
    expect(decodePlainData(packed(smaller))).toStrictEqual(smaller)
  })

  it('packs an accessor that answers twice differently only if what was packed is plain', () => {
    let answers = 0
    const shifty = {
      get value(): unknown {
        return answers++ === 0 ? 1 : new Date(0)
      },
    }
    expect(packPlain(shifty)).toContain('a token that plain data does not have')
  })

  it('decoded bytes are copies: no window into what was read', () => {
    const source = packed({ blob: Uint8Array.of(1, 2, 3) })
    const first = decodePlainData(source) as { blob: Uint8Array }
    decodePlainData(packed({ blob: Uint8Array.of(9, 9, 9) }))
    expect([...first.blob]).toEqual([1, 2, 3])
    expect(first.blob.buffer.byteLength).toBe(3)
  })

  it.each([
    ['', 'ends too early'],
    ['c1', 'a token that plain data does not have, 0xc1'],
    ['d4 72 40 91 a1 61 01', '0xd4'],
    ['c7 00 01', '0xc7'],
    ['d6 ff 00 00 00 00', '0xd6'],
    ['01 02', 'bytes after the end'],
    ['a2 61', 'ends too early'],
    ['a1 ff', 'text that is not UTF-8'],
    ['a3 ed a0 80', 'text that is not UTF-8'],
    ['dd ff ff ff ff', 'ends too early'],
    ['df ff ff ff ff', 'ends too early'],
    ['c6 ff ff ff ff 00', 'ends too early'],
    ['db 80 00 00 00', 'ends too early'],
    ['81 01 02', 'a key that is not text'],
    ['81 c4 01 61 02', 'a key that is not text'],
    ['81 a9 5f 5f 70 72 6f 74 6f 5f 5f 80', 'the key __proto__'],
    ['81 d9 09 5f 5f 70 72 6f 74 6f 5f 5f 80', 'the key __proto__'],
    ['cb 7f f8 00 00 00 00 00 00', 'a number that is never written'],
    ['cb ff f0 00 00 00 00 00 01', 'a number that is never written'],
    ['cb 80 00 00 00 00 00 00 00', 'a number that is never written'],
    ['ca 7f c0 00 00', 'a number that is never written'],
    ['ca 80 00 00 00', 'a number that is never written'],
  ])('check: refuses %s', (hex, problem) => {
    expect(damageOfHex(hex)).toContain(problem)
  })

  it.each([
    'cb 7f f0 00 00 00 00 00 00',
    'ca 7f 80 00 00',
    'cf 00 00 00 00 00 00 00 01',
    '80',
    '90',
  ])('check: passes %s', (hex) => {
    expect(damageOfHex(hex)).toBeUndefined()
  })

  it('check: nesting is allowed to 64 deep and no deeper', () => {
    expect(damageOfHex(`${'91'.repeat(64)}00`)).toBeUndefined()
    expect(damageOfHex(`${'91'.repeat(65)}00`)).toContain('nested over 64 deep')
    expect(damageOfHex('81a161'.repeat(80_000))).toContain('nested over 64 deep')
  })

  it('check: what passes decodes, whatever the bytes (random and mutated)', () => {
    const mutated = fc.tuple(plainData, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const bytes = packed(value)
      bytes[at % bytes.length] = byte
      return bytes
    })
    const random = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.from(bytes))
    let passed = 0
    fc.assert(
      fc.property(fc.oneof(mutated, random), (bytes) => {
        if (plainDamage(bytes, 0, bytes.length) !== undefined) {
          expect(() => decodePlainData(bytes)).toThrow('JOURNAL_DAMAGED')
          return
        }
        passed++
        // A value that passed can be packed again, so it is plain.
        expect(decodePlainData(packed(decodePlainData(bytes)))).toStrictEqual(
          decodePlainData(bytes),
        )
      }),
      { numRuns: 3_000 },
    )
    expect(passed).toBeGreaterThan(300)
  })

  it('check: time and memory stay in proportion to the bytes (largest hostile payloads)', () => {
    const arrays = Buffer.alloc(PLAIN_BYTES_MAX, 0x90)
    arrays.writeUInt8(0xdd, 0)
    arrays.writeUInt32BE(PLAIN_BYTES_MAX - 5, 1)
    const decoded = decodePlainData(arrays) as unknown[]
    expect(decoded).toHaveLength(PLAIN_BYTES_MAX - 5)
    expect(() => decodePlainData(Buffer.alloc(PLAIN_BYTES_MAX + 1))).toThrow('at most')
  })
})
