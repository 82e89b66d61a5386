/**
 * Damages a small journal in every way there is, one at a time, and opens each: three segments
 * with blocks and a prepared one, cleanly closed, 80 KiB. An opening refuses and writes nothing, or
 * gives every event and says what it mended or cut; anything else is a silent loss.
 *
 * Which of the bits and lengths are tried is for a {@link Sample} to say; `EVERYTHING` tries all.
 */
import { MANIFEST_NAME } from '../../../journal/manifest-layout.js'
import {
  SEGMENT_HEADER_BYTES,
  SEGMENT_SECOND_HEADER,
  segmentName,
} from '../../../journal/segment-layout.js'
import { type JournalBuilder, sealedJournal } from '../journal-builder.js'
import { MemoryStorage } from '../memory-storage.js'
import { recover, upTo } from '../recover.js'

/** Three blocks a segment: eight with events and the seal fill three. */
export const SMALL_SEGMENTS = { segmentBytes: 20 * 1024 }
const BLOCKS = 8
const EVENTS = 20
/** Lengths beyond a file's own that are tried. */
const LONGER_BYTES = 512

/** The numbers n with n mod `modulus` = `residue`. */
export interface Sample {
  readonly modulus: number
  readonly residue: number
}

export const EVERYTHING: Sample = { modulus: 1, residue: 0 }

export class DamageTally {
  tried = 0
  refused = 0
  repaired = 0
  cut = 0
  /** Opened as if nothing had happened, with every event: the damage was to what nobody needs. */
  unharmed = 0
  readonly wrong: string[] = []

  toString(): string {
    const { tried, refused, repaired, cut, unharmed, wrong } = this
    const counts = { tried, refused, repaired, cut, unharmed, 'silent losses': wrong.length }
    return Object.entries(counts)
      .map(([name, count]) => `${count.toLocaleString('en')} ${name}`)
      .join(', ')
  }

  /** @param events that must all be there when it opens */
  judge(storage: MemoryStorage, what: string, events = EVENTS, mayBeUnharmed = false): void {
    this.tried++
    storage.changes = 0
    const outcome = recover(storage)
    if (outcome.kind === 'refused') {
      this.refused++
      if (storage.changes > 0) this.wrong.push(`${what}: refused, but wrote`)
      return
    }
    const { sequences, report } = outcome
    if (sequences.join() !== upTo(events).join()) {
      this.wrong.push(`${what}: ${sequences.length} of ${events} events`)
    }
    if (report.cut !== undefined) this.cut++
    else if (report.repaired.length > 0) this.repaired++
    else if (mayBeUnharmed) this.unharmed++
    else this.wrong.push(`${what}: opened without a word`)
  }
}

/** Every bit of the bytes that mean something, and a sample of those that are always zero. */
export function flipBits(zeros: Sample): DamageTally {
  const builder = sealedJournal(SMALL_SEGMENTS, BLOCKS)
  const { storage } = builder
  const tally = new DamageTally()
  for (const [name, pristine] of new Map(storage.files)) {
    const used = usedBytes(builder, name)
    for (let bit = 0; bit < pristine.byteLength * 8; bit++) {
      if (!used.has(bit >> 3) && bit % zeros.modulus !== zeros.residue) continue
      tally.judge(withFlippedBit(storage, name, bit), `${name} byte ${bit >> 3} bit ${bit & 7}`)
    }
  }
  return tally
}

/** As a crash leaves it: the last block is not sealed, so damage to it looks like a torn write. */
export function flipLastBlock(): DamageTally {
  const builder = sealedJournal(SMALL_SEGMENTS, BLOCKS).block({ events: 2 })
  const { offset, usedBytes: lengthBytes, file } = builder.at(BLOCKS + 2)
  const tally = new DamageTally()
  for (let bit = offset * 8; bit < (offset + lengthBytes) * 8; bit++) {
    tally.judge(withFlippedBit(builder.storage, file, bit), `${file} bit ${bit}`)
  }
  return tally
}

/** Every length of every file, also somewhat longer. */
export function changeLengths(sample: Sample): DamageTally {
  const { storage } = sealedJournal(SMALL_SEGMENTS, BLOCKS)
  const tally = new DamageTally()
  for (const [name, pristine] of new Map(storage.files)) {
    const size = pristine.byteLength
    for (let length = 0; length <= size + LONGER_BYTES; length++) {
      const isNearBoundary = Math.min(length % 4096, 4096 - (length % 4096)) < 4
      const isTried = isNearBoundary || length % sample.modulus === sample.residue
      if (length === size || !isTried) continue
      const bytes = new Uint8Array(length)
      bytes.set(pristine.subarray(0, length))
      tally.judge(withFile(storage, name, bytes), `${name} of ${length} bytes`)
    }
  }
  return tally
}

/** Segments that are missing, doubled, exchanged, or of another journal. */
export function misplaceSegments(): DamageTally {
  const { storage } = sealedJournal(SMALL_SEGMENTS, BLOCKS)
  const foreign = sealedJournal({ ...SMALL_SEGMENTS, seed: 2 }, BLOCKS).storage
  const names = [...storage.files.keys()].filter((name) => name !== MANIFEST_NAME)
  const tally = new DamageTally()
  for (const [i, name] of names.entries()) {
    const missing = withFile(storage, name, new Uint8Array(0))
    missing.files.delete(name)
    // Nothing lay in the one that was prepared ahead.
    const isPrepared = i === names.length - 1
    tally.judge(missing, `${name} is missing`, EVENTS, isPrepared)
    tally.judge(withFile(storage, name, foreign.bytesOf(name)), `${name} is foreign`)
    for (const other of [...names, segmentName(names.length + 1)]) {
      if (other === name) continue
      tally.judge(withFile(storage, other, storage.bytesOf(name)), `${other} is a copy of ${name}`)
      if (!storage.files.has(other)) continue
      const swapped = withFile(storage, other, storage.bytesOf(name))
      swapped.files.set(name, storage.bytesOf(other).slice())
      tally.judge(swapped, `${name} and ${other} are exchanged`)
    }
  }
  return tally
}

/** Bytes that are not always zero: of headers, blocks and manifest. */
export function usedBytes(builder: JournalBuilder, name: string): Set<number> {
  const used = new Set<number>()
  const add = (from: number, lengthBytes: number): void => {
    for (let at = from; at < from + lengthBytes; at++) used.add(at)
  }
  if (name === MANIFEST_NAME) add(0, 32)
  add(0, SEGMENT_HEADER_BYTES)
  add(SEGMENT_SECOND_HEADER, SEGMENT_HEADER_BYTES)
  for (const block of builder.built) if (block.file === name) add(block.offset, block.usedBytes)
  return used
}

function withFlippedBit(storage: MemoryStorage, name: string, bit: number): MemoryStorage {
  const bytes = storage.bytesOf(name).slice()
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
  return withFile(storage, name, bytes)
}

/**
 * Shares the other files: an opening changes them in place only where it mends, which is what a
 * damaged file of its own is for.
 */
function withFile(storage: MemoryStorage, name: string, bytes: Uint8Array): MemoryStorage {
  const changed = new MemoryStorage()
  for (const [file, pristine] of storage.files) changed.files.set(file, pristine)
  changed.files.set(name, bytes)
  return changed
}
