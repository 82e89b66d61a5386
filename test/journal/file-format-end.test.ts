/**
 * What docs/file-format.md says of the end of a journal is what an opening does: a second
 * implementation that follows the page alone (test/support/independent-blocks.ts) decides the same
 * on journals that are damaged at random.
 */
import { describe, expect, it } from 'vitest'
import { DURABILITY_DISK, DURABILITY_OS } from '../../journal/block-layout.js'
import { segmentName } from '../../journal/segment-layout.js'
import { readIndependently } from '../support/independent-blocks.js'
import { JournalBuilder } from '../support/journal-builder.js'
import type { MemoryStorage } from '../support/memory-storage.js'
import { recover } from '../support/recover.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

const SECTOR_BYTES = 512
const ROUNDS = 3000

/** A few segments of up to four blocks each, some of a level at which syncs lag behind. */
function buildJournal(random: SeededRandom): JournalBuilder {
  const levels = [DURABILITY_DISK, DURABILITY_DISK, DURABILITY_OS]
  const builder = new JournalBuilder({
    segmentBytes: 24 * 1024,
    durability: levels[random.below(3)] as number,
  })
  const blocks = 2 + random.below(8)
  for (let i = 0; i < blocks; i++) {
    const syncedThrough = Math.max(0, builder.blockNumber - (random.below(3) === 0 ? 2 : 0))
    const payloadBytes = random.below(3) === 0 ? 4000 : 16
    // A segment without blocks, which no writer leaves behind.
    if (random.below(60) === 0) builder.roll().roll()
    builder.block({ events: 1 + random.below(2), payloadBytes, syncedThrough })
  }
  if (random.below(2) === 0) builder.seal()
  if (random.below(2) === 0) builder.prepare(builder.segmentNumber + 1)
  return builder
}

/** What crashes, disks and people do to files; mostly near the end. */
function damage(builder: JournalBuilder, random: SeededRandom): string {
  const { storage, built } = builder
  const block = builder.at(built.length - random.below(Math.min(3, built.length)))
  const bytes = storage.files.get(block.file)
  if (bytes === undefined || bytes.length < block.offset) return 'nothing: the file is gone'
  const within = block.offset + random.below(block.lengthBytes)
  switch (random.below(10)) {
    case 0:
      bytes[within] = (bytes[within] as number) ^ (1 << random.below(8))
      return `flipped a bit at ${within} of ${block.file}`
    case 1: {
      const sector = Math.floor(within / SECTOR_BYTES) * SECTOR_BYTES
      bytes.fill(0, sector, sector + SECTOR_BYTES)
      return `zeroed a sector at ${sector} of ${block.file}`
    }
    case 2:
      bytes.fill(0, within, block.offset + block.lengthBytes)
      return `zeroed block ${block.number} from ${within}`
    case 3:
      bytes.fill(0, block.offset, block.offset + block.lengthBytes)
      return `zeroed block ${block.number}`
    case 4: {
      const target = builder.at(1 + random.below(built.length))
      const copy = bytes.slice(block.offset, block.offset + block.lengthBytes)
      const place = target.offset + 4096 * random.below(2)
      const file = storage.files.get(target.file)
      if (file !== undefined && place + copy.length <= file.length) file.set(copy, place)
      return `copied block ${block.number} to ${place} of ${target.file}`
    }
    case 5: {
      const cut = within - random.below(2) * block.offset
      storage.files.set(block.file, bytes.slice(0, cut))
      return `cut ${block.file} to ${cut}`
    }
    case 6:
      return damageFile(storage, random)
    case 7:
      return keepCopy(storage, builder, random)
    case 8: {
      const last = segmentName(builder.segmentNumber + random.below(2))
      const at = 4096 * random.below(6) + random.below(70)
      const other = storage.files.get(last)
      if (other !== undefined && at < other.length) other[at] = 1 + random.below(255)
      return `wrote to ${at} of ${last}`
    }
    default:
      return 'left it alone'
  }
}

function damageFile(storage: MemoryStorage, random: SeededRandom): string {
  const names = [...storage.files.keys()]
  const name = names[random.below(names.length)]
  if (name === undefined) return 'nothing: there are no files'
  if (random.below(2) === 0) {
    storage.files.delete(name)
    return `removed ${name}`
  }
  const bytes = storage.bytesOf(name)
  const at = random.below(Math.max(1, Math.min(64, bytes.length)))
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
  return `flipped a bit at ${at} of ${name}`
}

/** As an opening leaves it that dies while it cuts: a copy of the tail, then some of it zeroed. */
function keepCopy(storage: MemoryStorage, builder: JournalBuilder, random: SeededRandom): string {
  const block = builder.at(builder.built.length)
  const bytes = storage.files.get(block.file)
  if (bytes === undefined) return 'nothing: the file is gone'
  storage.files.set(`${block.file}.torn-${block.offset}`, bytes.slice(block.offset))
  bytes.fill(0, block.offset, block.offset + random.below(block.usedBytes))
  return `kept block ${block.number} aside, and zeroed some of it`
}

describe('file format: the end of a damaged journal', () => {
  it(`decides like an opening (${ROUNDS} damaged journals)`, () => {
    const rows = new Map<string, number>()
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = seededRandom(seed)
      const builder = buildJournal(random)
      const done = [damage(builder, random)]
      while (random.below(2) === 0) done.push(damage(builder, random))
      const what = `seed ${seed}: ${done.join('; ')}`
      const { blocks, ending, row } = readIndependently(builder.storage.copy().files)
      const last = blocks.at(-1)
      const sequence = last === undefined ? 0 : last.baseSequence + last.eventCount - 1
      const outcome = recover(builder.storage)
      if (outcome.kind === 'refused') {
        const { error } = outcome
        const isNoJournal = error.code === 'NOT_A_JOURNAL' || error.code === 'INVALID_OPTION'
        expect(ending, `${what}: ${error.message}`).toBe(isNoJournal ? 'none' : 'refuse')
      } else {
        const { cut, created } = outcome.report
        const expected = created ? 'none' : cut === undefined ? 'end' : 'cut'
        expect(ending, what).toBe(expected)
        expect(sequence, what).toBe(outcome.sequences.length)
      }
      const key = `${ending} ${row}`
      rows.set(key, (rows.get(key) ?? 0) + 1)
    }
    // Every row of the page's table was met.
    expect([...rows.keys()].sort()).toEqual(
      expect.arrayContaining([
        ...['end 1', 'refuse 2', 'refuse 3', 'refuse 4', 'cut 5', 'cut 6', 'refuse 7'],
        ...['cut 8', 'refuse 9', 'refuse 0'],
      ]),
    )
  })
})
