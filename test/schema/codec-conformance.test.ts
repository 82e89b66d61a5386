/** The generated codec against the interpreting one: same bytes, same values, same refusals. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignWord } from '../../journal/layout.js'
import { type Codec, FixedSink, PAST_LIMIT } from '../../journal/schema/codec.js'
import { compileCodec } from '../../journal/schema/compiled-codec.js'
import { NaiveCodec } from '../../journal/schema/naive-codec.js'
import { type Flavour, layOut } from '../../journal/schema/payload-layout.js'
import { FakeStreams, type Sample, sample } from './arbitrary-fields.js'

const OFFSET = 24
const flavours = fc.constantFrom<Flavour>('command', 'event')

/** In shared memory, as in a ring, and dirty. */
function dirtyView(): DataView {
  const memory = new SharedArrayBuffer(64 * 1024)
  new Uint8Array(memory).fill(0xee)
  return new DataView(memory)
}

function codecsFor({ fields }: Sample, flavour: Flavour): { naive: Codec; compiled: Codec } {
  const layout = layOut('sample', fields, flavour)
  return { naive: new NaiveCodec(layout), compiled: compileCodec(layout) }
}

function bytesIn(view: DataView): string {
  return Buffer.from(view.buffer).toString('latin1')
}

/** What decoding must give: the value with -0 as 0 and u64 as bigint, which tests compare loosely. */
function normal(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return `${member}`
    if (member instanceof Uint8Array) return `bytes ${Buffer.from(member).toString('hex')}`
    return typeof member === 'number' ? `${member === 0 ? 0 : member}` : member
  })
}

describe('codecs', () => {
  it('same bytes, same calls of the resolver, and the value comes back', () => {
    fc.assert(
      fc.property(sample, flavours, (given, flavour) => {
        const { naive, compiled } = codecsFor(given, flavour)
        const [naiveView, compiledView] = [dirtyView(), dirtyView()]
        const [naiveStreams, compiledStreams] = [new FakeStreams(), new FakeStreams()]
        const limit = naiveView.byteLength
        const length = naive.encode(
          given.value,
          new FixedSink(naiveView, naiveStreams).at(OFFSET, limit),
        )
        expect(
          compiled.encode(
            given.value,
            new FixedSink(compiledView, compiledStreams).at(OFFSET, limit),
          ),
        ).toBe(length)
        expect(bytesIn(compiledView)).toBe(bytesIn(naiveView))
        expect(compiledStreams.calls).toEqual(naiveStreams.calls)
        expect(naive.check(naiveView, OFFSET, length)).toBeUndefined()
        expect(compiled.check(naiveView, OFFSET, length)).toBeUndefined()
        const decoded = compiled.decode(naiveView, OFFSET, length, naiveStreams)
        expect(decoded).toStrictEqual(naive.decode(naiveView, OFFSET, length, naiveStreams))
        expect(Object.keys(decoded)).toEqual(Object.keys(given.fields))
        expect(normal(decoded)).toBe(normal(given.value))
      }),
      { numRuns: 400 },
    )
  })

  it('a limit is kept to the byte: one less and nothing is written', () => {
    fc.assert(
      fc.property(sample, flavours, (given, flavour) => {
        const { naive, compiled } = codecsFor(given, flavour)
        const view = dirtyView()
        const streams = new FakeStreams()
        const length = naive.encode(
          given.value,
          new FixedSink(view, streams).at(OFFSET, view.byteLength),
        )
        const limit = OFFSET + alignWord(length)
        for (const codec of [naive, compiled]) {
          const fresh = dirtyView()
          const untouched = bytesIn(fresh)
          expect(
            codec.encode(given.value, new FixedSink(fresh, streams).at(OFFSET, limit - 1)),
          ).toBe(PAST_LIMIT)
          expect(bytesIn(fresh)).toBe(untouched)
          expect(codec.encode(given.value, new FixedSink(fresh, streams).at(OFFSET, limit))).toBe(
            length,
          )
        }
      }),
      { numRuns: 100 },
    )
  })

  it('the same refusal, word for word, before the resolver is asked (any value in any field)', () => {
    const wrong = fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>(Number.NaN, -0, 2 ** 53, 2 ** 32, -1, '\ud800', '', 2n ** 64n, -1n),
      fc.constantFrom<unknown>(undefined, () => 1, Symbol('s'), new Date(0), [undefined]),
    )
    fc.assert(
      fc.property(sample, flavours, fc.nat(), wrong, (given, flavour, pick, value) => {
        const names = Object.keys(given.fields)
        const name = names[pick % names.length]
        const damaged = name === undefined ? value : { ...given.value, [name]: value }
        const { naive, compiled } = codecsFor(given, flavour)
        const outcome = (codec: Codec): string => {
          const streams = new FakeStreams()
          const view = dirtyView()
          const untouched = bytesIn(view)
          try {
            return `${codec.encode(damaged, new FixedSink(view, streams).at(OFFSET, view.byteLength))} bytes`
          } catch (error) {
            expect(streams.calls).toEqual([])
            expect(bytesIn(view)).toBe(untouched)
            return String(error)
          }
        }
        const expected = outcome(naive)
        expect(outcome(compiled)).toBe(expected)
        expect(expected).toMatch(/^\d+ bytes$|^TidewheelError: INVALID_(COMMAND|EVENT): sample/)
      }),
      { numRuns: 400 },
    )
  })

  it('check: never throws, agrees, and lets through only what decodes (mutated bytes)', () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) })
    let passed = 0
    let refused = 0
    fc.assert(
      fc.property(
        sample,
        flavours,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: -9, max: 9 }),
        (given, flavour, mutations, longer) => {
          const { naive, compiled } = codecsFor(given, flavour)
          const view = dirtyView()
          const streams = new FakeStreams()
          const length = naive.encode(
            given.value,
            new FixedSink(view, streams).at(OFFSET, view.byteLength),
          )
          const isTruncated = mutations.length === 3
          for (const { at, byte } of mutations) {
            if (length > 0) view.setUint8(OFFSET + (at % length), byte)
          }
          const claimed = isTruncated ? Math.max(0, length + longer) : length
          const verdict = naive.check(view, OFFSET, claimed)
          expect(compiled.check(view, OFFSET, claimed)).toBe(verdict)
          if (verdict !== undefined) {
            refused++
            return
          }
          passed++
          const decoded = compiled.decode(view, OFFSET, claimed, streams)
          expect(decoded).toStrictEqual(naive.decode(view, OFFSET, claimed, streams))
          // What passed is what an encoder could have written: commands go round.
          if (flavour === 'command') {
            const again = dirtyView()
            compiled.encode(decoded, new FixedSink(again).at(OFFSET, again.byteLength))
            expect(naive.decode(again, OFFSET, claimed, streams)).toStrictEqual(decoded)
          }
        },
      ),
      { numRuns: 1_000 },
    )
    expect(passed).toBeGreaterThan(50)
    expect(refused).toBeGreaterThan(50)
  })

  it('check: random bytes and lengths beyond the memory are refused, not followed', () => {
    fc.assert(
      fc.property(
        sample,
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(300),
        (given, bytes, claimed) => {
          const { naive, compiled } = codecsFor(given, 'event')
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
          const verdict = naive.check(view, 0, claimed)
          expect(compiled.check(view, 0, claimed)).toBe(verdict)
          if (claimed > bytes.length) expect(verdict).toBeDefined()
        },
      ),
      { numRuns: 400 },
    )
  })
})
