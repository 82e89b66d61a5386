/**
 * Whole directories: one file of a small sealed journal is changed, and the journal opened and
 * verified. An input is a byte that says which file, and the file's bytes.
 *
 * Without mended checksums an opening may not lose an event without a word. With them, whoever
 * changed the bytes is a forger, and only has to be survived.
 */
import { crc32 } from 'node:zlib'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CHECKSUM,
  BLOCK_MAGIC,
  BLOCK_PAYLOAD_BYTES,
  BLOCK_PAYLOAD_CHECKSUM,
} from '../../../journal/block-layout.js'
import { assert } from '../../../journal/errors.js'
import { ReadWindow } from '../../../journal/read-window.js'
import {
  SEGMENT_DATA,
  SEGMENT_HEADER_CHECKSUM,
  SEGMENT_SALT,
  SEGMENT_SECOND_HEADER,
} from '../../../journal/segment-layout.js'
import { verifySegment } from '../../../journal/verify-segment.js'
import { sealedJournal } from '../journal-builder.js'
import { MemoryStorage } from '../memory-storage.js'
import { opened, recover, tear, upTo } from '../recover.js'
import type { SeededRandom } from '../seeded-random.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import { mutateInPlace } from './mutation.js'

const EVENTS = 12
const NAMES_SEPARATOR = '\n'

export function journalTargets(): FuzzTarget[] {
  const { storage } = sealedJournal()
  const window = new ReadWindow()
  const names = [...storage.files.keys()].sort()
  const fields = {
    makeValid: (random: SeededRandom) => fileInput(storage, names, random.below(names.length)),
    mutate: mutateWhereUsed,
  }
  return [
    {
      ...fields,
      name: 'opening, checksums not mended',
      inputs: 60_000,
      decode: (bytes) => expectNoSilentLoss(withFile(storage, names, bytes)),
    },
    {
      ...fields,
      name: 'opening, checksums mended',
      inputs: 60_000,
      mend: mendFile,
      decode: (bytes) => void opened(recover(withFile(storage, names, bytes))),
    },
    {
      ...fields,
      name: 'verifying a segment',
      inputs: EVERY_DECODER,
      mend: mendFile,
      decode(bytes) {
        const name = names[bytes[0]! % names.length] as string
        if (name !== 'manifest') verifySegment(withFile(storage, names, bytes), name, window)
      },
    },
    namesTarget(storage, names),
    keptCopyTarget(),
  ]
}

function fileInput(storage: MemoryStorage, names: readonly string[], index: number): Uint8Array {
  const file = storage.bytesOf(names[index] as string)
  const bytes = new Uint8Array(1 + file.length)
  bytes[0] = index
  bytes.set(file, 1)
  return bytes
}

/** Shares the files that are not changed: each input has those to itself that an opening may mend. */
function withFile(
  storage: MemoryStorage,
  names: readonly string[],
  bytes: Uint8Array,
): MemoryStorage {
  const changed = storage.copy()
  const name = names[(bytes[0] ?? 0) % names.length] as string
  changed.files.set(name, bytes.slice(1))
  return changed
}

/** Mostly in the parts that are not padding: the first hundred bytes of each 4 KiB. */
function mutateWhereUsed(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  if (random.below(4) === 0) {
    const file = mutateInPlace(bytes.slice(1), random)
    const changed = new Uint8Array(1 + file.length)
    changed[0] = bytes[0] as number
    changed.set(file, 1)
    return changed
  }
  const sectors = Math.max(1, Math.floor(bytes.length / BLOCK_ALIGNMENT_BYTES))
  for (let left = 1 + random.below(3); left > 0; left--) {
    const start = 1 + random.below(sectors) * BLOCK_ALIGNMENT_BYTES
    const end = Math.min(bytes.length, start + 300)
    // Changes that keep the length work on the memory itself.
    const part = mutateInPlace(bytes.slice(start, end), random)
    bytes.set(part.subarray(0, end - start), start)
  }
  return bytes
}

/** Gives both headers and all blocks the checksums that a writer would have given them. */
function mendFile(input: Uint8Array, random: SeededRandom): void {
  const bytes = input.subarray(1)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < SEGMENT_DATA) return
  for (const copy of [0, SEGMENT_SECOND_HEADER]) {
    if (random.below(4) === 0) continue
    const header = bytes.subarray(copy, copy + SEGMENT_HEADER_CHECKSUM)
    view.setUint32(copy + SEGMENT_HEADER_CHECKSUM, crc32(header), true)
  }
  const salt = view.getUint32(SEGMENT_SALT, true)
  for (
    let at = SEGMENT_DATA;
    at + BLOCK_HEADER_BYTES <= bytes.length;
    at += BLOCK_ALIGNMENT_BYTES
  ) {
    if (view.getUint32(at, true) !== BLOCK_MAGIC) continue
    const end = at + BLOCK_HEADER_BYTES + view.getUint32(at + BLOCK_PAYLOAD_BYTES, true)
    const payload = bytes.subarray(at + BLOCK_HEADER_BYTES, end)
    view.setUint32(at + BLOCK_PAYLOAD_CHECKSUM, crc32(payload, salt), true)
    const header = bytes.subarray(at, at + BLOCK_HEADER_CHECKSUM)
    view.setUint32(at + BLOCK_HEADER_CHECKSUM, crc32(header, salt), true)
  }
}

function expectNoSilentLoss(storage: MemoryStorage): void {
  const outcome = recover(storage)
  if (outcome.kind === 'refused') throw outcome.error
  const { sequences, report } = outcome
  assert(sequences.join() === upTo(sequences.length).join(), 'the first events, in order')
  // The seal and the block before it, damaged together, look like one torn block.
  assert(sequences.length === EVENTS || report.cut !== undefined, 'no event is lost without a word')
}

/** Without the manifest nobody knows of a newest segment that is gone too; that is in the report. */
function expectPrefix(storage: MemoryStorage): void {
  const outcome = recover(storage)
  if (outcome.kind === 'refused') throw outcome.error
  const { sequences, report } = outcome
  assert(sequences.join() === upTo(sequences.length).join(), 'the first events, in order')
  const isTold = report.created || report.repaired.length > 0
  assert(sequences.length === EVENTS || isTold, 'what is missing is told')
}

/** The files of a journal under other names. */
function namesTarget(storage: MemoryStorage, names: readonly string[]): FuzzTarget {
  const text = Buffer.from(['lock', 'manifest.new', ...names].join(NAMES_SEPARATOR), 'latin1')
  const others: Uint8Array[] = [Uint8Array.from([0x31, 0x0a]), new Uint8Array(9)]
  const contents = [...others, ...names.map((name) => storage.bytesOf(name))]
  return {
    name: 'names in the directory',
    inputs: 30_000,
    makeValid: () => Uint8Array.from(text),
    decode(bytes) {
      const named = new MemoryStorage()
      const given = Buffer.from(bytes).toString('latin1').split(NAMES_SEPARATOR)
      for (const [i, name] of given.entries()) {
        named.files.set(name, (contents[i % contents.length] as Uint8Array).slice())
      }
      expectPrefix(named)
    },
  }
}

/** A cut that was interrupted: the torn bytes are there, and the copy beside them is the input. */
function keptCopyTarget(): FuzzTarget {
  const builder = sealedJournal().block({ events: 2 })
  tear(builder, 7)
  const torn = builder.storage.copy()
  recover(builder.storage)
  const name = [...builder.storage.files.keys()].find((file) => file.includes('.torn-'))
  assert(name !== undefined, 'the opening has kept what it cut')
  const copy = builder.storage.bytesOf(name)
  return {
    name: 'kept copy',
    inputs: 30_000,
    makeValid: () => copy.slice(),
    mutate: mutateInPlace,
    decode(bytes) {
      const storage = torn.copy()
      storage.files.set(name, bytes)
      const outcome = recover(storage)
      assert(outcome.kind === 'opened', 'a copy never keeps a journal from being opened')
      assert(outcome.sequences.join() === upTo(EVENTS).join(), 'all events before the torn block')
    },
  }
}
