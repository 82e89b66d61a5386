import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockHash, readBlockHeader, writeBlockHeader } from '../../journal/block-header.js'
import {
  BLOCK_FORMAT,
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CHECKSUM,
  BLOCK_PAYLOAD_BYTES_MAX,
} from '../../journal/block-layout.js'

const HEADER = {
  durability: 1,
  journalId: Uint8Array.from({ length: 16 }, (_, index) => index + 1),
  epoch: 0x01020304,
  segmentNumber: 0x05060708,
  blockNumber: 0x0a_0000_0009,
  baseSequence: 0x0c_0000_000b,
  frameCount: 1,
  eventCount: 1,
  payloadBytes: 32,
  fileOffset: 8192,
  previousHash: Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index),
  syncedThrough: 0x0a_0000_0008,
}
const SALT = 0xfeedbeef

function block(): Uint8Array {
  const bytes = new Uint8Array(4096)
  bytes.fill(0x11, BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + 32)
  writeBlockHeader(bytes, HEADER, SALT)
  return bytes
}

describe('block header', () => {
  it('block header: has these bytes (golden)', () => {
    const hex = Buffer.from(block().subarray(0, BLOCK_HEADER_BYTES)).toString('hex')
    expect(hex).toBe(
      '5457424b0100' + // magic, format
        '0100' + // durability, reserved
        '0102030405060708090a0b0c0d0e0f10' + // journal id
        '0403020108070605' + // epoch, segment number
        '090000000a000000' + // block number
        '0b0000000c000000' + // base sequence
        '0100000001000000' + // frames, events
        '2000000000200000' + // payload bytes, file offset
        '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f' +
        '080000000a000000' + // syncedThrough
        '00000000000000000000000000000000' + // reserved
        '4617302d4989fa9b', // checksums, as Python's zlib has them
    )
  })

  it('block header: reads what was written, at any place in a buffer', () => {
    const bytes = new Uint8Array(8192)
    bytes.set(block(), 4096)
    const header = readBlockHeader(bytes, 4096, SALT)
    const payloadChecksum = crc32(new Uint8Array(32).fill(0x11), SALT)
    expect(header).toEqual({ ...HEADER, payloadChecksum })
  })

  it('block header: keeps what it read when the buffer is used again', () => {
    const bytes = Buffer.from(block())
    const header = readBlockHeader(bytes, 0, SALT)
    bytes.fill(0)
    expect(header).toMatchObject({ journalId: HEADER.journalId, previousHash: HEADER.previousHash })
  })

  it('block header: is none (every flipped bit, another salt, cut off)', () => {
    for (let bit = 0; bit < BLOCK_HEADER_BYTES * 8; bit++) {
      const bytes = block()
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(readBlockHeader(bytes, 0, SALT)).toBeUndefined()
    }
    expect(readBlockHeader(block(), 0, SALT + 1)).toBeUndefined()
    expect(readBlockHeader(block().subarray(0, 127), 0, SALT)).toBeUndefined()
    expect(readBlockHeader(block(), 4096 - 127, SALT)).toBeUndefined()
  })

  it('block header: is none (impossible values under a right checksum)', () => {
    const patches: [offset: number, bytes: number[]][] = [
      [6, [0]],
      [6, [3]],
      [7, [1]],
      [24, [0, 0, 0, 0]],
      [28, [0, 0, 0, 0]],
      [32, [0, 0, 0, 0, 0, 0, 0, 0]],
      [32, [0, 0, 0, 0, 0, 0, 0x20, 0]],
      [40, [0, 0, 0, 0, 0, 0, 0, 0]],
      [40, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0]],
      [48, [0, 0, 0, 0]],
      [48, [2, 0, 0, 0]],
      [52, [2, 0, 0, 0]],
      [56, [0x1f, 0, 0, 0]],
      [56, [0x88, 0xff, 0x0f, 0]],
      [60, [0, 0x10, 0, 0]],
      [60, [1, 0x20, 0, 0]],
      [60, [0, 0, 0, 0x80]],
      [96, [9, 0, 0, 0, 10, 0, 0, 0]],
      [104, [1]],
      [119, [1]],
      [BLOCK_FORMAT, [0, 0]],
    ]
    for (const [offset, patch] of patches) {
      const bytes = block()
      bytes.set(patch, offset)
      setChecksum(bytes)
      expect(readBlockHeader(bytes, 0, SALT), `at ${offset}: ${patch}`).toBeUndefined()
    }
  })

  it('block header: of a later format throws', () => {
    const bytes = block()
    bytes[BLOCK_FORMAT] = 2
    setChecksum(bytes)
    expect(() => readBlockHeader(bytes, 0, SALT)).toThrow(/FORMAT_TOO_NEW/)
  })

  it('block header: refuses to write what it would not read', () => {
    const bytes = new Uint8Array(2 * 1024 * 1024)
    for (const wrong of [
      { payloadBytes: BLOCK_PAYLOAD_BYTES_MAX + 8 },
      { payloadBytes: 33 },
      { blockNumber: 0 },
      { syncedThrough: HEADER.blockNumber },
      { fileOffset: 100 },
    ]) {
      expect(() => writeBlockHeader(bytes, { ...HEADER, ...wrong }, SALT)).toThrow(/assertion/)
    }
  })

  it('block header: reads back any possible header', () => {
    fc.assert(
      fc.property(
        fc.record({
          durability: fc.constantFrom(1, 2),
          epoch: fc.integer({ min: 1, max: 0xffffffff }),
          segmentNumber: fc.integer({ min: 1, max: 0xffffffff }),
          blockNumber: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
          baseSequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 1 }),
          journalId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
          previousHash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
          back: fc.integer({ min: 1, max: 1000 }),
        }),
        ({ back, ...values }) => {
          const syncedThrough = Math.max(0, values.blockNumber - back)
          const header = { ...HEADER, ...values, syncedThrough }
          const bytes = new Uint8Array(4096)
          writeBlockHeader(bytes, header, SALT)
          expect(readBlockHeader(bytes, 0, SALT)).toMatchObject(header)
        },
      ),
    )
  })

  it('block hash: changes with every bit of header and payload', () => {
    const bytes = block().subarray(0, BLOCK_HEADER_BYTES + 32)
    const hashes = new Set([Buffer.from(blockHash(bytes)).toString('hex')])
    for (let bit = 0; bit < bytes.byteLength * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      hashes.add(Buffer.from(blockHash(flipped)).toString('hex'))
    }
    expect(hashes.size).toBe(bytes.byteLength * 8 + 1)
  })
})

function setChecksum(bytes: Uint8Array): void {
  const checksum = crc32(bytes.subarray(0, BLOCK_HEADER_CHECKSUM), SALT)
  new DataView(bytes.buffer).setUint32(BLOCK_HEADER_CHECKSUM, checksum, true)
}
