import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { parseDecimal } from '../scripts/feeds/decimal.js'
import { type BrokenLine, LINE_LENGTH_MAX, readFeedLines } from '../scripts/feeds/feed-lines.js'

const folder = mkdtempSync(join(tmpdir(), 'tidewheel-feed-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function linesOf(name: string, content: string | Buffer) {
  const file = join(folder, name)
  writeFileSync(file, content)
  const broken: BrokenLine[] = []
  const lines: (readonly [number, string])[] = []
  for await (const { line, text } of readFeedLines(file, (each) => broken.push(each))) {
    lines.push([line, text])
  }
  return { lines, broken }
}

describe('feed lines', () => {
  it.each([
    ['nothing', '', []],
    ['one line without an end', 'a', [[1, 'a']]],
    [
      'blank lines, which count',
      'a\n\nb\n',
      [
        [1, 'a'],
        [2, ''],
        [3, 'b'],
      ],
    ],
    [
      'carriage returns',
      'a\r\nb\r\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
  ])('numbers lines (%s)', async (name, content, expected) => {
    expect(await linesOf(`${name}.log`, content)).toEqual({ lines: expected, broken: [] })
    const packed = gzipSync(content)
    expect(await linesOf(`${name}.log.gz`, packed)).toEqual({ lines: expected, broken: [] })
  })

  it('keeps characters whole where chunks meet', async () => {
    const text = '€'.repeat(300_000)
    const { lines } = await linesOf('wide.log', `${text}\n${text}`)
    expect(lines.map(([, each]) => each === text)).toEqual([true, true])
  })

  it('reports a line that is too long and goes on after it (both sides of the limit)', async () => {
    const longest = 'x'.repeat(LINE_LENGTH_MAX)
    const content = `${longest}\n${longest}x\n${longest.repeat(3)}\nlast`
    const { lines, broken } = await linesOf('long.log', content)
    expect(lines).toEqual([
      [1, longest],
      [4, 'last'],
    ])
    const reason = `is longer than ${LINE_LENGTH_MAX} characters`
    expect(broken).toEqual([
      { line: 2, reason },
      { line: 3, reason },
    ])
  })

  it('reads what it can of compressed data that is cut off, and says where it ends', async () => {
    const whole = gzipSync('first\nsecond\n'.repeat(20_000), { level: 0 })
    const { lines, broken } = await linesOf('cut.log.gz', whole.subarray(0, whole.length / 2))
    expect(lines.length).toBeGreaterThan(1_000)
    expect(broken).toHaveLength(1)
    expect(broken[0]).toMatchObject({ line: lines.length + 1 })
    expect(broken[0]?.reason).toMatch(/damaged or cut off/)
  })

  it('fails where there is no file', async () => {
    const read = readFeedLines(join(folder, 'absent.log'), () => {}).next()
    await expect(read).rejects.toThrow('ENOENT')
  })
})

describe('decimal', () => {
  it.each([
    ['236.47', 2, 23_647],
    ['236', 2, 23_600],
    ['0.1', 2, 10],
    ['.5', 1, 5],
    ['5.', 1, 50],
    ['-1.25', 2, -125],
    ['0.00000001', 8, 1],
    ['90071992.54740991', 8, Number.MAX_SAFE_INTEGER],
    ['1.7885566900000001', 16, undefined],
    ['-0', 0, 0],
  ])('reads %s with %i places exactly', (text, decimals, expected) => {
    expect(parseDecimal(text, decimals)).toBe(expected)
  })

  it.each(['', '.', '-', '+1', '1e3', '0x1', ' 1', '1 ', '1.2.3', '1,5', '--1', 'NaN', '٣'])(
    'refuses "%s"',
    (text) => {
      expect(parseDecimal(text, 2)).toBe(undefined)
    },
  )

  it('refuses what would lose digits (one place or one unit too many)', () => {
    expect(parseDecimal('1.001', 2)).toBe(undefined)
    expect(parseDecimal('9007199254740992', 0)).toBe(undefined)
    expect(parseDecimal('90071992547409.92', 2)).toBe(undefined)
    expect(parseDecimal('9'.repeat(400), 2)).toBe(undefined)
  })
})
