import { describe, expect, it } from 'vitest'
import { FrameCursor, frameProblem } from '../../journal/frames.js'
import { setU64 } from '../../journal/layout.js'
import {
  CATALOGUE_RECORD,
  FIRST_CATALOGUED_TYPE,
  FRAME_HEADER_BYTES,
  ID_BYTES_MAX,
  KEY_BYTES_MAX,
  KEYED_OUTCOME_RECORD,
  LAST_CATALOGUED_TYPE,
  PADDING_COMMAND,
  SEAL_RECORD,
  STREAM_OPENED_RECORD,
} from '../../journal/record-layout.js'
import { endOfNonZero, isZero } from '../../journal/zero-check.js'
import { frameDamage } from '../support/independent-frames.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

interface TestRecord {
  type: number
  payload: Uint8Array
  slot?: number
  version?: number
}

interface TestFrame {
  command: number
  timeUs: number
  records: TestRecord[]
}

/** Written apart from the code under test, with plain numbers. */
function encode(frames: TestFrame[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { command, timeUs, records } of frames) {
    const encoded = records.map(({ type, payload, slot = 0, version = 0 }) => {
      const bytes = new Uint8Array(Math.ceil((16 + payload.length) / 8) * 8)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, 16 + payload.length, true)
      view.setUint16(4, type, true)
      view.setUint32(8, slot, true)
      view.setUint32(12, version % 2 ** 32, true)
      view.setUint16(6, Math.floor(version / 2 ** 32), true)
      bytes.set(payload, 16)
      return bytes
    })
    const header = new Uint8Array(16)
    const view = new DataView(header.buffer)
    view.setUint32(0, 16 + encoded.reduce((sum, bytes) => sum + bytes.length, 0), true)
    view.setUint16(4, command, true)
    view.setUint16(6, records.filter(({ type }) => type >= 16).length, true)
    setU64(view, 8, timeUs)
    parts.push(header, ...encoded)
  }
  return new Uint8Array(Buffer.concat(parts))
}

function problemOf(bytes: Uint8Array, frames = 1, events = 0): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return frameProblem(view, 0, bytes.byteLength, frames, events)
}

function one(type: number, payload: number[] | Uint8Array, version = 0): Uint8Array {
  const record = { type, payload: Uint8Array.from(payload), version }
  return encode([{ command: 1, timeUs: 1, records: [record] }])
}

function randomFrames(random: SeededRandom): TestFrame[] {
  return Array.from({ length: 1 + random.below(4) }, () => ({
    command: random.below(10),
    timeUs: random.below(2 ** 31) * 2 ** 20,
    records: Array.from({ length: random.below(4) }, () => {
      const isOwn = random.below(3) === 0
      return {
        type: isOwn ? CATALOGUE_RECORD : 16 + random.below(100),
        payload: Uint8Array.from({ length: random.below(40) }, () => random.below(256)),
        slot: random.below(2 ** 31),
        version: isOwn
          ? 0
          : random.below(2) * random.below(2 ** 16) * 2 ** 32 + random.below(2 ** 31),
      }
    }),
  }))
}

describe('frame cursor', () => {
  it('frames: walks what was encoded (random frames, against the frames themselves)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const cursor = new FrameCursor()
    for (let round = 0; round < 300; round++) {
      const frames = randomFrames(random)
      const payload = encode(frames)
      const start = 8 * random.below(5)
      const bytes = new Uint8Array(start + payload.length + 24).fill(0xee)
      bytes.set(payload, start)
      const view = new DataView(bytes.buffer)
      cursor.reset(view, start, payload.length)
      const seen: TestFrame[] = []
      while (cursor.nextFrame()) {
        const records: TestRecord[] = []
        while (cursor.nextRecord()) {
          const { recordType: type, slot, version, payloadOffset, payloadBytes } = cursor
          expect(cursor.isEvent).toBe(type >= 16)
          const content = bytes.slice(payloadOffset, payloadOffset + payloadBytes)
          records.push({ type, payload: content, slot, version })
        }
        seen.push({ command: cursor.commandType, timeUs: cursor.timeUs, records })
      }
      expect(cursor.problem, `seed ${seed}`).toBe('')
      expect(seen, `seed ${seed}`).toEqual(frames)
      const events = frames.flatMap(({ records }) => records).filter(({ type }) => type >= 16)
      const problem = frameProblem(view, start, payload.length, frames.length, events.length)
      expect(problem, `seed ${seed}`).toBe('')
    }
  })

  it('frames: goes to the next frame when the records of one are left out', () => {
    const bytes = encode([
      { command: 1, timeUs: 1, records: [{ type: 20, payload: new Uint8Array(9) }] },
      { command: 2, timeUs: 2, records: [{ type: 21, payload: new Uint8Array(1) }] },
    ])
    const cursor = new FrameCursor()
    cursor.reset(new DataView(bytes.buffer), 0, bytes.length)
    expect(cursor.nextFrame() && cursor.nextFrame() && cursor.nextRecord()).toBe(true)
    expect(cursor).toMatchObject({ commandType: 2, recordType: 21, eventCount: 1 })
    expect(cursor.nextRecord() || cursor.nextFrame()).toBe(false)
    expect(cursor.problem).toBe('')
  })

  it('frames: never leads outside (any bytes, any length)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const cursor = new FrameCursor()
    for (let round = 0; round < 10_000; round++) {
      const bytes = encode(randomFrames(random))
      for (let change = random.below(4); change > 0; change--) {
        bytes[random.below(bytes.length)] = random.below(256)
      }
      const view = new DataView(bytes.buffer)
      const claimed = random.below(4) === 0 ? random.below(2 ** 31) : bytes.length
      cursor.reset(view, 0, claimed)
      let steps = 0
      while (cursor.nextFrame()) {
        while (cursor.nextRecord()) {
          steps++
          expect(cursor.payloadOffset + cursor.payloadBytes).toBeLessThanOrEqual(bytes.length)
        }
      }
      expect(steps, `seed ${seed}`).toBeLessThanOrEqual(bytes.length / 16)
      frameProblem(view, 0, claimed, random.below(5), random.below(10))
    }
  })
})

describe('frame check', () => {
  it('frames: accepts the journal’s own records', () => {
    expect(problemOf(one(CATALOGUE_RECORD, [1, 2, 3]))).toBe('')
    expect(problemOf(one(SEAL_RECORD, []))).toBe('')
    expect(problemOf(one(STREAM_OPENED_RECORD, [1, 0, 2, 0, 7, 8]))).toBe('')
    const keyed = [...new Uint8Array(8), 1, 0, 2, 0, 1, 0, 65, 66, 67, 0xff]
    expect(problemOf(one(KEYED_OUTCOME_RECORD, keyed))).toBe('')
    expect(problemOf(one(0xfffe, []), 1, 1)).toBe('')
  })

  it('frames: an event has any version, another record has none', () => {
    for (const version of [1, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
      expect(problemOf(one(FIRST_CATALOGUED_TYPE, [], version), 1, 1)).toBe('')
      expect(problemOf(one(LAST_CATALOGUED_TYPE, [], version), 1, 1)).toBe('')
      const own = one(SEAL_RECORD, [], version)
      expect(problemOf(own)).toBe('a stream version in a record that is no event')
      expect(frameDamage(Buffer.from(own), 1, 0)).toBe(true)
    }
  })

  it.each([
    ['a frame whose header is cut off', new Uint8Array(8)],
    ['a frame that is shorter than its header', patched([0], 8)],
    ['a frame whose length is not a multiple of 8', patched([0], 33)],
    ['a frame that is longer than the block', patched([0], 48)],
    ['a record whose header is cut off', cutRecord()],
    ['a record that is shorter than its header', patched([16], 15)],
    ['a record that is longer than its frame', patched([16], 25)],
    ['a padding frame', encode([{ command: PADDING_COMMAND, timeUs: 0, records: [] }])],
    ['unknown type', one(0, [])],
    ['unknown type', one(5, [])],
    ['unknown type', one(15, [])],
    ['unknown type', one(0xffff, [])],
    ['a stream version in a record that is no event', patched([16 + 6], 1)],
    ['a stream version in a record that is no event', patched([16 + 12], 1)],
    ['another number of events than it has', patched([6], 1)],
    ['a seal record with a payload', one(SEAL_RECORD, [1])],
    ['stream-opened record that is cut off', one(STREAM_OPENED_RECORD, [1, 0, 0])],
    ['stream-opened record that its id does not fill', one(STREAM_OPENED_RECORD, [1, 0, 2, 0, 7])],
    ['stream-opened record that its id does not fill', one(STREAM_OPENED_RECORD, [1, 0, 0, 0, 7])],
    ['stream-opened record whose id is too long', longId()],
    ['keyed-outcome record that is cut off', one(KEYED_OUTCOME_RECORD, new Uint8Array(13))],
    ['keyed-outcome record of unknown kind', keyed({ kind: 2 })],
    ['keyed-outcome record of unknown kind', keyed({ reserved: 1 })],
    ['shorter than its key', keyed({ keyBytes: 2, codeBytes: 2 })],
    ['keyed-outcome record whose key is too long', keyed({ keyBytes: KEY_BYTES_MAX + 1 })],
  ])('frames: refuses (%s)', (problem, bytes) => {
    expect(problemOf(bytes)).toContain(problem)
  })

  it('frames: refuses counts that differ from the block header’s', () => {
    const bytes = one(16, [])
    expect(problemOf(bytes, 1, 1)).toBe('')
    expect(problemOf(bytes, 2, 1)).toMatch(/number of frames/)
    expect(problemOf(bytes, 1, 2)).toMatch(/number of events/)
  })
})

describe('zero check', () => {
  it('zeros: finds the last byte that is not zero (random, around the piece size)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const bytes = new Uint8Array(200_000)
    for (let round = 0; round < 500; round++) {
      const from = random.below(70_000)
      const to = from + random.below(bytes.length - from)
      const at = random.below(bytes.length)
      bytes[at] = 1
      const isInside = at >= from && at < to
      expect(isZero(bytes, from, to), `seed ${seed}`).toBe(!isInside)
      expect(endOfNonZero(bytes, from, to), `seed ${seed}`).toBe(isInside ? at + 1 : from)
      bytes[at] = 0
    }
  })
})

/** A seal frame (16 + 16 bytes) with one u32 or byte changed. */
function patched([offset]: [number], value: number): Uint8Array {
  const bytes = one(SEAL_RECORD, [])
  bytes[offset] = value
  return bytes
}

function cutRecord(): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + 8)
  bytes[0] = bytes.length
  return bytes
}

function longId(): Uint8Array {
  const payload = new Uint8Array(4 + ID_BYTES_MAX + 1)
  new DataView(payload.buffer).setUint16(2, ID_BYTES_MAX + 1, true)
  return one(STREAM_OPENED_RECORD, payload)
}

function keyed(fields: {
  kind?: number
  reserved?: number
  keyBytes?: number
  codeBytes?: number
}): Uint8Array {
  const payload = new Uint8Array(14 + 3)
  const view = new DataView(payload.buffer)
  view.setUint8(8, fields.kind ?? 1)
  view.setUint8(9, fields.reserved ?? 0)
  view.setUint16(10, fields.keyBytes ?? 0, true)
  view.setUint16(12, fields.codeBytes ?? 0, true)
  return one(KEYED_OUTCOME_RECORD, payload)
}
