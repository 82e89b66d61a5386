import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ID_BYTES_MAX } from '../../journal/record-layout.js'
import type { IdType, IdValue } from '../../journal/schema/id-type.js'
import { StreamDirectory } from '../../journal/stream-directory.js'

const IDS: Readonly<Record<IdType, fc.Arbitrary<IdValue>>> = {
  text: fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
  u32: fc.integer({ min: 0, max: 0xffff_ffff }),
  u64: fc.bigInt(0n, 2n ** 64n - 1n),
  uuid: fc.uuid().map((id) => id.toLowerCase()),
}

/** Some below 2³², most beyond. */
const VERSION_STEP = 0x3fff_fff7

function bytesOfId(idType: IdType, id: IdValue): Buffer {
  if (idType === 'text') return Buffer.from(String(id))
  if (idType === 'uuid') return Buffer.from(String(id).replaceAll('-', ''), 'hex')
  const bytes = Buffer.alloc(idType === 'u32' ? 4 : 8)
  if (idType === 'u32') bytes.writeUInt32LE(Number(id))
  else bytes.writeBigUInt64LE(BigInt(id))
  return bytes
}

function open(
  directory: StreamDirectory,
  aggregate: number,
  idType: IdType,
  slot: number,
  bytes: Buffer,
): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return directory.open(aggregate, idType, slot, view, 0, bytes.length)
}

describe('stream directory', () => {
  it.each(Object.keys(IDS) as IdType[])(
    'StreamDirectory: gives back ids and versions (%s, random)',
    (idType) => {
      fc.assert(
        fc.property(fc.array(IDS[idType], { maxLength: 200 }), (ids) => {
          const directory = new StreamDirectory()
          for (const [i, id] of ids.entries()) {
            expect(open(directory, 20, idType, i + 1, bytesOfId(idType, id))).toBe('')
            expect(directory.versionOf(20, i + 1)).toBe(0)
            directory.setVersion(20, i + 1, i * VERSION_STEP)
          }
          expect(directory.count(20)).toBe(ids.length)
          for (const [i, id] of ids.entries()) {
            expect(directory.idOf(20, i + 1)).toBe(id)
            expect(directory.versionOf(20, i + 1)).toBe(i * VERSION_STEP)
          }
          for (const slot of [0, ids.length + 1, 0xffff_ffff]) {
            expect(directory.idOf(20, slot)).toBeUndefined()
          }
          expect(directory.idOf(21, 1)).toBeUndefined()
        }),
        { numRuns: 50 },
      )
    },
  )

  it.each(Object.keys(IDS) as IdType[])(
    'StreamDirectory: keeps ids apart over page borders (%s)',
    (idType) => {
      const directory = new StreamDirectory()
      const count = 40_000
      const idOf = (n: number): IdValue => {
        if (idType === 'u32') return n * 3
        if (idType === 'u64') return 2n ** 63n + BigInt(n)
        if (idType === 'uuid') return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
        return `${n}-`.padEnd(1 + (n % 120), 'x')
      }
      for (let n = 1; n <= count; n++) open(directory, 16, idType, n, bytesOfId(idType, idOf(n)))
      let wrong = 0
      for (let n = 1; n <= count; n++) if (directory.idOf(16, n) !== idOf(n)) wrong++
      expect(wrong).toBe(0)
    },
  )

  it('StreamDirectory: takes the longest id, and refuses what is no id', () => {
    const directory = new StreamDirectory()
    const longest = Buffer.alloc(ID_BYTES_MAX, 'x')
    expect(open(directory, 16, 'text', 1, longest)).toBe('')
    expect(directory.idOf(16, 1)).toBe('x'.repeat(ID_BYTES_MAX))
    expect(open(directory, 16, 'text', 2, Buffer.alloc(ID_BYTES_MAX + 1, 'x'))).toContain('length')
    expect(open(directory, 16, 'text', 2, Buffer.alloc(0))).toContain('length')
    expect(open(directory, 16, 'text', 2, Buffer.from([0xff]))).toContain('UTF-8')
    expect(open(directory, 16, 'text', 3, Buffer.from('x'))).toContain('slot 3')
    expect(open(directory, 16, 'text', 1, Buffer.from('x'))).toContain('slot 1')
    expect(open(directory, 17, 'u32', 1, Buffer.alloc(8))).toContain('8 bytes')
    expect(open(directory, 18, 'uuid', 1, Buffer.alloc(4))).toContain('4 bytes')
    expect(directory.count(16)).toBe(1)
    expect(directory.count(17)).toBe(0)
  })
})
