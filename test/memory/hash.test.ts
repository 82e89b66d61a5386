import { describe, expect, it } from 'vitest'
import { contentHashHigh, contentHashLow, murmur3, SeededHash } from '../../engine/memory/hash.js'

const MULTIPLIER_1 = 0xcc9e2d51
const MULTIPLIER_2 = 0x1b873593

function viewOf(text: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(text))
  return new DataView(bytes.buffer)
}

function published(text: string, seed: number): number {
  const view = viewOf(text)
  return murmur3(view, 0, view.byteLength, seed, MULTIPLIER_1, MULTIPLIER_2) >>> 0
}

describe('murmur3', () => {
  it('murmur3: equals the published vectors of MurmurHash3 x86_32', () => {
    expect(published('', 0)).toBe(0)
    expect(published('', 1)).toBe(0x514e28b7)
    expect(published('', 0xffffffff)).toBe(0x81f16f39)
    expect(published('test', 0)).toBe(0xba6bd213)
    expect(published('aaaa', 0x9747b28c)).toBe(0x5a97808a)
    expect(published('aaa', 0x9747b28c)).toBe(0x283e0130)
    expect(published('aa', 0x9747b28c)).toBe(0x5d211726)
    expect(published('a', 0x9747b28c)).toBe(0x7fa09ea6)
    expect(published('Hello, world!', 0x9747b28c)).toBe(0x24884cba)
    expect(published('The quick brown fox jumps over the lazy dog', 0)).toBe(0x2e4ff723)
  })
})

describe('contentHash', () => {
  // On disk in every journal: these values must never change.
  it.each([
    ['', 0x0207d026, 0xad4eb293],
    ['a', 0x190777ce, 0x0a4ae665],
    ['payment-77', 0xd1124296, 0x90eae686],
    ['\u0000\u0000\u0000\u0000', 0xa60e4419, 0xc2b2f1be],
  ])('contentHash: is stable (%j)', (text, low, high) => {
    const view = viewOf(text)
    expect(contentHashLow(view, 0, view.byteLength)).toBe(low)
    expect(contentHashHigh(view, 0, view.byteLength)).toBe(high)
  })

  it('contentHash: depends on the bytes given and on no others (any offset)', () => {
    const inner = viewOf('payment-77')
    const outer = viewOf('xyzpayment-77tail')
    expect(contentHashLow(outer, 3, 10)).toBe(contentHashLow(inner, 0, 10))
    expect(contentHashHigh(outer, 3, 10)).toBe(contentHashHigh(inner, 0, 10))
    expect(contentHashLow(outer, 3, 9)).not.toBe(contentHashLow(inner, 0, 10))
  })
})

describe('SeededHash', () => {
  it('SeededHash: two of them hash differently unless they have the same seed', () => {
    const view = viewOf('alice')
    const hashes = new Set(Array.from({ length: 8 }, () => new SeededHash().bytes(view, 0, 5)))
    expect(hashes.size).toBeGreaterThan(6)
    expect(new SeededHash(7).bytes(view, 0, 5)).toBe(new SeededHash(7).bytes(view, 0, 5))
    expect(new SeededHash(7).pair(1, 2)).toBe(new SeededHash(7).pair(1, 2))
    expect(new SeededHash(7).pair(1, 2)).not.toBe(new SeededHash(8).pair(1, 2))
  })

  it('SeededHash: of a word is a bijection (no collision among 2^20 neighbours and multiples)', () => {
    const hash = new SeededHash(1)
    const seen = new Set<number>()
    for (let i = 0; i < 1 << 19; i++) {
      seen.add(hash.word(i))
      seen.add(hash.word(((i + (1 << 19)) << 10) | 0))
    }
    // The two series meet where (i + 2^19) × 1,024 wraps round to a small number.
    const values = new Set<number>()
    for (let i = 0; i < 1 << 19; i++) values.add(i).add(((i + (1 << 19)) << 10) | 0)
    expect(seen.size).toBe(values.size)
  })

  it.each([
    ['neighbours', (i: number) => [i, 0]],
    ['multiples of 4,096', (i: number) => [i << 12, i >>> 20]],
    ['upper half only', (i: number) => [0, i]],
    ['both halves alike', (i: number) => [i, i]],
    ['timestamps', (i: number) => [(1e6 * i) | 0, 370_000 + ((i / 4000) | 0)]],
  ] as const)('SeededHash: spreads u64 evenly over upper and lower bits (%s)', (_name, idOf) => {
    const hash = new SeededHash(3)
    const upper = new Int32Array(256)
    const lower = new Int32Array(1024)
    for (let i = 0; i < 1 << 18; i++) {
      const [low, high] = idOf(i) as [number, number]
      const h = hash.pair(low, high)
      upper[h >>> 24] = (upper[h >>> 24] as number) + 1
      lower[h & 1023] = (lower[h & 1023] as number) + 1
    }
    // 1,024 and 256 expected; seven standard deviations.
    expect(Math.max(...upper)).toBeLessThan(1024 + 7 * 32)
    expect(Math.max(...lower)).toBeLessThan(256 + 7 * 16)
  })

  it('SeededHash: spreads numbered texts evenly (account-0 … account-262143)', () => {
    const hash = new SeededHash(5)
    const upper = new Int32Array(256)
    const view = new DataView(new ArrayBuffer(32))
    const bytes = Buffer.from(view.buffer)
    for (let i = 0; i < 1 << 18; i++) {
      const length = bytes.write(`account-${i}`, 0, 'latin1')
      const h = hash.bytes(view, 0, length)
      upper[h >>> 24] = (upper[h >>> 24] as number) + 1
    }
    expect(Math.max(...upper)).toBeLessThan(1024 + 7 * 32)
  })
})
