/** The structures of the journal's files that have checksums of their own, one by one. */
import { crc32 } from 'node:zlib'
import { readBlockHeader } from '../../../journal/block-header.js'
import { BLOCK_HEADER_BYTES, BLOCK_HEADER_CHECKSUM } from '../../../journal/block-layout.js'
import { assert } from '../../../journal/errors.js'
import { FrameCursor, frameProblem } from '../../../journal/frames.js'
import { decodeManifest } from '../../../journal/manifest.js'
import { MANIFEST_CHECKSUM, MANIFEST_NAME } from '../../../journal/manifest-layout.js'
import { decodeSegmentHeader } from '../../../journal/segment-header.js'
import { SEGMENT_HEADER_BYTES, SEGMENT_HEADER_CHECKSUM } from '../../../journal/segment-layout.js'
import { pageChecksum, StreamIndexEncoder } from '../../../journal/stream-index-encoder.js'
import { StreamIndexFile } from '../../../journal/stream-index-file.js'
import {
  INDEX_HEADER_CHECKSUM,
  INDEX_PAGE_BYTES,
  INDEX_PAGE_CHECKSUM,
  INDEX_PAGES,
  INDEX_PLACE_BYTES,
  streamKey,
} from '../../../journal/stream-index-layout.js'
import { sealedJournal } from '../journal-builder.js'
import { MemoryStorage } from '../memory-storage.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import { type JournalSample, lastOf } from './journal-sample.js'
import { mutateInPlace } from './mutation.js'

const HASH = new Uint8Array(32).fill(7)
const SEGMENT_BYTES = 1024 * 1024

/** Puts the CRC-32 of what lies before it at `at`. */
function sign(bytes: Uint8Array, at: number, seed = 0): void {
  if (bytes.length < at + 4) return
  const checksum = crc32(bytes.subarray(0, at), seed)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, checksum, true)
}

export function formatTargets(sample: JournalSample): FuzzTarget[] {
  const builder = sealedJournal()
  const { offset } = builder.at(1)
  const salt = builder.salt(1)
  const segment = builder.bytesAround(1)
  const blockHeader = segment.slice(offset, offset + BLOCK_HEADER_BYTES)
  const manifest = builder.storage.bytesOf(MANIFEST_NAME)
  return [
    {
      name: 'block header',
      inputs: EVERY_DECODER,
      makeValid: () => blockHeader.slice(),
      mutate: mutateInPlace,
      mend: (bytes) => sign(bytes, BLOCK_HEADER_CHECKSUM, salt),
      decode(bytes) {
        readBlockHeader(bytes, 0, salt)
        readBlockHeader(bytes, lastOf(bytes) - 8, salt)
      },
    },
    {
      name: 'segment header',
      inputs: EVERY_DECODER,
      makeValid: () => segment.slice(0, SEGMENT_HEADER_BYTES),
      mutate: mutateInPlace,
      mend: (bytes) => sign(bytes, SEGMENT_HEADER_CHECKSUM),
      decode: (bytes) => void decodeSegmentHeader(bytes),
    },
    {
      name: 'manifest',
      inputs: EVERY_DECODER,
      makeValid: () => manifest.slice(),
      mutate: mutateInPlace,
      mend: (bytes) => sign(bytes, MANIFEST_CHECKSUM),
      decode: (bytes) => void decodeManifest(bytes),
    },
    framesTarget(sample),
    indexTarget(),
  ]
}

/** Header counts are taken from the intact block, and sometimes from what the walk counts. */
function framesTarget({ blocks }: JournalSample): FuzzTarget {
  const cursor = new FrameCursor()
  return {
    name: 'frames and records',
    inputs: EVERY_DECODER,
    makeValid: (random) => blocks[random.below(blocks.length)]!.payload.slice(),
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let frames = 0
      let events = 0
      cursor.reset(view, 0, bytes.length)
      while (cursor.nextFrame()) {
        frames++
        while (cursor.nextRecord()) {
          assert(cursor.payloadOffset + cursor.payloadBytes <= bytes.length, 'inside of the bytes')
          if (cursor.isEvent) events++
        }
      }
      const problem = frameProblem(view, 0, bytes.length, frames, events)
      assert(problem !== '' || cursor.problem === '', 'what passes can be walked')
    },
  }
}

function indexTarget(): FuzzTarget {
  const encoder = new StreamIndexEncoder()
  for (let slot = 1; slot <= 900; slot++) {
    const place = 2 + (slot % 40)
    for (let more = 0; more <= slot % 3; more++) {
      encoder.add(16 + (slot % 2), slot, (place + more * 3) * INDEX_PLACE_BYTES)
    }
  }
  const intact = Uint8Array.from(encoder.encode(HASH))
  return {
    name: 'stream index',
    inputs: EVERY_DECODER,
    makeValid: () => intact.slice(),
    mutate: mutateInPlace,
    mend(bytes, random) {
      if (bytes.length < INDEX_PAGE_BYTES) return
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const pages = Math.floor(bytes.length / INDEX_PAGE_BYTES) - 1
      // Its own header, so that changed pages are looked at.
      if (random.below(4) !== 0) bytes.set(intact.subarray(0, INDEX_PAGE_BYTES))
      if (random.below(4) !== 0) view.setUint32(INDEX_PAGES, pages, true)
      sign(bytes, INDEX_HEADER_CHECKSUM)
      const header = view.getUint32(INDEX_HEADER_CHECKSUM, true)
      for (let page = 1; page <= pages; page++) {
        const start = page * INDEX_PAGE_BYTES
        const checksum = pageChecksum(bytes.subarray(start, start + INDEX_PAGE_BYTES), header, page)
        view.setUint32(start + INDEX_PAGE_CHECKSUM, checksum, true)
      }
    },
    decode(bytes) {
      const storage = new MemoryStorage()
      storage.files.set('index', bytes)
      const index = new StreamIndexFile(storage.open('index', 'read'), HASH)
      if (index.problem !== '') return
      const found = index.find(
        streamKey(16 + (lastOf(bytes) % 2), bytes[100] as number),
        SEGMENT_BYTES,
      )
      assert((found === undefined) === (index.problem !== ''), 'offsets, or a problem')
      for (const [i, offset] of (found ?? []).entries()) {
        const isInOrder = offset > (found?.[i - 1] ?? 0) && offset < SEGMENT_BYTES
        assert(isInOrder && offset % INDEX_PLACE_BYTES === 0, 'places of blocks, in order')
      }
    },
  }
}
