import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoTime, json, jsonLine } from '../../engine/cli/json-lines.js'
import { LineOutput, OutputError } from '../../engine/cli/line-output.js'
import { printable } from '../../engine/cli/printable.js'
import { plainData } from '../schema/arbitrary-fields.js'

/** The same rules, through JSON.stringify. */
function naive(value: unknown): unknown {
  const text = JSON.stringify({ value }, function (this: Record<string, unknown>, name, given) {
    const original = this[name]
    if (original instanceof Uint8Array) return Buffer.from(original).toString('base64')
    if (typeof original === 'bigint') return original.toString()
    if (typeof original === 'number' && !Number.isFinite(original)) return String(original)
    return given as unknown
  })
  return (JSON.parse(text) as { value: unknown }).value
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come out.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

describe('json lines', () => {
  it('json: is JSON of the same value, safe for a terminal (any plain data)', () => {
    fc.assert(
      fc.property(plainData, (value) => {
        const text = json(value)
        expect(JSON.parse(text)).toEqual(naive(value))
        expect(text).not.toMatch(UNSAFE)
      }),
    )
  })

  it('json: escapes each character that a terminal could obey', () => {
    for (let code = 0; code < 0x1_0000; code++) {
      const character = String.fromCharCode(code)
      const text = json(character)
      expect(JSON.parse(text)).toBe(character)
      if (UNSAFE.test(text) || UNSAFE.test(printable(character))) {
        throw new Error(`U+${code.toString(16)} comes out as it is`)
      }
    }
  })

  it('jsonLine: has the members in this order', () => {
    const event = {
      sequence: 7,
      time: 1_767_225_600_000_001,
      type: 'T',
      stream: 'S',
      id: 2n ** 64n - 1n,
      version: 3,
      data: { b: new Uint8Array([1, 2, 255]), r: -Infinity, n: undefined },
    }
    expect(jsonLine(event)).toBe(
      '{"sequence":7,"time":"2026-01-01T00:00:00.000001Z","stream":"S","id":"18446744073709551615","version":3,"type":"T","data":{"b":"AQL/","r":"-Infinity","n":null}}',
    )
  })

  it('isoTime: keeps microseconds (random times, also far from each other)', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (timeUs) => {
        const text = isoTime(timeUs)
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
        expect(Date.parse(`${text.slice(0, 19)}Z`)).toBe(Math.floor(timeUs / 1_000_000) * 1000)
        expect(Number(text.slice(20, 26))).toBe(timeUs % 1_000_000)
      }),
    )
    expect(isoTime(0)).toBe('1970-01-01T00:00:00.000000Z')
  })
})

type Callback = (error?: Error | null) => void

/** A stream that says when it has taken a piece. */
class SlowStream {
  readonly pieces: string[] = []
  finish: Callback = () => undefined

  on(): this {
    return this
  }

  write(piece: string, callback: Callback): boolean {
    this.pieces.push(piece)
    this.finish = callback
    return true
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: said the system`), { code })
}

describe('line output', () => {
  it('LineOutput: waits for a slow reader before it takes more', async () => {
    const stream = new SlowStream()
    const output = new LineOutput(stream as unknown as NodeJS.WritableStream)
    expect(output.write('short')).toBeUndefined()
    let isThrough = false
    const full = output.write('x'.repeat(70_000))?.then(() => {
      isThrough = true
    })
    await Promise.resolve()
    expect(stream.pieces).toEqual([`short\n${'x'.repeat(70_000)}\n`])
    expect(isThrough).toBe(false)
    stream.finish()
    await full
    expect(isThrough).toBe(true)
  })

  it('LineOutput: is closed by EPIPE, and fails with the reason for anything else', async () => {
    const stream = new SlowStream()
    const output = new LineOutput(stream as unknown as NodeJS.WritableStream)
    void output.write('a')
    const failing = output.flush()
    stream.finish(failure('ENOSPC'))
    await expect(failing).rejects.toThrow(OutputError)
    await expect(failing).rejects.toThrow('ENOSPC')
    void output.write('b')
    const closing = output.flush()
    stream.finish(failure('EPIPE'))
    await closing
    expect(output.isClosed).toBe(true)
    void output.write('c')
    await output.flush()
    expect(stream.pieces).toEqual(['a\n', 'b\n'])
  })
})
