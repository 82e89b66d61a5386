/**
 * Damages the archive of a small segment in every way there is, one at a time: each bit flipped,
 * each other length. Nothing of it may be mended or cut: an opening refuses, and writes nothing.
 */
import { archiveName } from '../../../journal/archive-layout.js'
import { ArchivedSegment } from '../../../journal/archived-segment.js'
import { TidewheelError } from '../../../journal/errors.js'
import { archivedJournal } from '../archived-journal.js'
import { MemoryStorage } from '../memory-storage.js'
import { recover } from '../recover.js'
import type { Sample } from './journal-damage.js'

/** Lengths beyond its own that are tried. */
const LONGER_BYTES = 64

export interface ArchiveDamage {
  readonly tried: number
  /** Journals that were opened; the rest was only unpacked. */
  readonly openings: number
  readonly wrong: readonly string[]
}

/** Unpacks each damaged archive; opens a sample of the journals. */
export function damageArchive(opened: Sample): ArchiveDamage {
  const { storage } = archivedJournal()
  const name = archiveName(1)
  const pristine = storage.bytesOf(name)
  const plain = unpack(storage, name)
  const wrong: string[] = []
  let tried = 0
  let openings = 0
  for (const [what, bytes] of changes(pristine)) {
    const damaged = new MemoryStorage()
    for (const [file, kept] of storage.files) damaged.files.set(file, kept)
    damaged.files.set(name, bytes)
    tried++
    const found = unpack(damaged, name)
    if (found !== undefined && Buffer.compare(found, plain ?? found) === 0) {
      wrong.push(`${what}: unpacked without a word`)
    }
    if (tried % opened.modulus !== opened.residue) continue
    openings++
    const outcome = recover(damaged)
    const isRefused = outcome.kind === 'refused' && outcome.error.code === 'JOURNAL_DAMAGED'
    if (!isRefused || outcome.error.file !== name) wrong.push(`${what}: not refused`)
    if (damaged.changes > 0) wrong.push(`${what}: written to`)
  }
  return { tried, openings, wrong }
}

function* changes(pristine: Uint8Array): Generator<[what: string, bytes: Uint8Array]> {
  for (let bit = 0; bit < pristine.byteLength * 8; bit++) {
    const bytes = pristine.slice()
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    yield [`bit ${bit}`, bytes]
  }
  for (let length = 0; length <= pristine.byteLength + LONGER_BYTES; length++) {
    if (length === pristine.byteLength) continue
    const bytes = new Uint8Array(length)
    bytes.set(pristine.subarray(0, length))
    yield [`${length} bytes`, bytes]
  }
}

/** All of the segment; undefined: it is refused. */
function unpack(storage: MemoryStorage, name: string): Uint8Array | undefined {
  try {
    const file = new ArchivedSegment(storage.open(name, 'read'))
    const bytes = new Uint8Array(file.sizeBytes())
    file.read(bytes, 0)
    return bytes
  } catch (error) {
    if (error instanceof TidewheelError && error.code === 'JOURNAL_DAMAGED') return undefined
    throw error
  }
}
