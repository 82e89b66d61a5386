import { describe, expect, it } from 'vitest'
import { bytesOver, readText, textBytes, writeText } from '../../journal/schema/text-bytes.js'
import { seededRandom } from '../support/seeded-random.js'

describe('text', () => {
  it.each([1, 2, 3])('text: comes back as it was written, read lately or not (seed %i)', (seed) => {
    const random = seededRandom(seed)
    const view = new DataView(new ArrayBuffer(4096))
    const bytes = bytesOver(view)
    // Few heads and tails, so that texts meet others of their length that end alike. In Latin-1 the
    // bytes of é would be those of the two characters after it.
    const parts = ['', 'a', 'b', 'AAPL', 'account-', 'é', '\u00c3\u00a9', '\u{1f600}', '\0']
    for (let i = 0; i < 20_000; i++) {
      const head = parts[random.below(parts.length)]!.repeat(random.below(4))
      const tail = ['', '0001', '0002', 'zzzz'][random.below(4)]!
      const text = `${head}${parts[random.below(parts.length)]}${tail}`
      const lengthBytes = textBytes(text)
      expect(lengthBytes).toBe(Buffer.byteLength(text))
      const start = random.below(1000)
      writeText(bytes, start, text, lengthBytes)
      expect(readText(bytes, start, start + lengthBytes)).toBe(text)
    }
  })

  it('text: what was read stays as it is when its bytes change', () => {
    const bytes = bytesOver(new DataView(new ArrayBuffer(64)))
    writeText(bytes, 0, 'INSTRUMENT-1', 12)
    const first = readText(bytes, 0, 12)
    writeText(bytes, 0, 'DERIVATIVE-1', 12)
    expect([first, readText(bytes, 0, 12)]).toEqual(['INSTRUMENT-1', 'DERIVATIVE-1'])
  })
})
