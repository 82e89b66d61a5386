/**
 * Archives of segments: the decoder alone, mostly with checksums that are right again, and a small
 * journal that is opened with a changed archive.
 */
import { setImmediate } from 'node:timers/promises'
import { crc32, deflateRawSync } from 'node:zlib'
import {
  ARCHIVE_CHUNK_CHECKSUM,
  ARCHIVE_DIRECTORY_CHECKSUM,
  ARCHIVE_ENTRY_BYTES,
  ARCHIVE_HEADER_BYTES,
  ARCHIVE_HEADER_CHECKSUM,
  ARCHIVE_STORED_BYTES,
  archiveName,
} from '../../../journal/archive-layout.js'
import { ArchivedSegment } from '../../../journal/archived-segment.js'
import { assert } from '../../../journal/errors.js'
import { archivedJournal } from '../archived-journal.js'
import { MemoryStorage } from '../memory-storage.js'
import { recover, upTo } from '../recover.js'
import type { SeededRandom } from '../seeded-random.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import { mutateInPlace } from './mutation.js'

const EVENTS = 12
const CHUNKS = 2
const CHUNKS_START = ARCHIVE_HEADER_BYTES + CHUNKS * ARCHIVE_ENTRY_BYTES
/** No more of a segment is read: it may say that it has 2 GiB. */
const READ_BYTES = 512 * 1024
const BOMB = deflateRawSync(new Uint8Array(4 * 1024 * 1024), { level: 1 })

export function archiveTargets(): FuzzTarget[] {
  const { storage } = archivedJournal()
  const name = archiveName(1)
  const intact = storage.bytesOf(name)
  const buffer = new Uint8Array(READ_BYTES)
  return [
    {
      name: 'archived segment',
      inputs: EVERY_DECODER,
      makeValid: (random) => (random.below(8) === 0 ? withBomb(intact) : intact.slice()),
      mutate: mutateInPlace,
      mend,
      async decode(bytes) {
        // Node gives back what a broken stream held with the next turn of the event loop.
        await setImmediate()
        const one = new MemoryStorage()
        one.files.set(name, bytes)
        const segment = new ArchivedSegment(one.open(name, 'read'))
        const sizeBytes = segment.sizeBytes()
        assert(segment.read(buffer, 0) === Math.min(sizeBytes, READ_BYTES), 'as long as it says')
        const last = segment.read(buffer, sizeBytes - 4096)
        assert(last === 4096, 'up to its end')
      },
    },
    {
      name: 'opening, with an archive, checksums not mended',
      inputs: 15_000,
      makeValid: () => intact.slice(),
      mutate: mutateInPlace,
      decode(bytes) {
        const changed = storage.copy()
        changed.files.set(name, bytes)
        const outcome = recover(changed)
        if (outcome.kind === 'refused') throw outcome.error
        assert(outcome.sequences.join() === upTo(EVENTS).join(), 'no event is lost')
      },
    },
  ]
}

/** In the place of the second chunk, with its length. */
function withBomb(intact: Uint8Array): Uint8Array {
  const first = viewOf(intact).getUint32(ARCHIVE_HEADER_BYTES + ARCHIVE_STORED_BYTES, true)
  const bytes = new Uint8Array(CHUNKS_START + first + BOMB.byteLength)
  bytes.set(intact.subarray(0, CHUNKS_START + first))
  bytes.set(BOMB, CHUNKS_START + first)
  const entry = ARCHIVE_HEADER_BYTES + ARCHIVE_ENTRY_BYTES
  viewOf(bytes).setUint32(entry + ARCHIVE_STORED_BYTES, BOMB.byteLength, true)
  return bytes
}

/** Gives chunks, directory and header the checksums that a writer would have given them. */
function mend(bytes: Uint8Array, random: SeededRandom): void {
  if (bytes.length < CHUNKS_START) return
  const view = viewOf(bytes)
  let at = CHUNKS_START
  for (let entry = ARCHIVE_HEADER_BYTES; entry < CHUNKS_START; entry += ARCHIVE_ENTRY_BYTES) {
    // The last one ends with the file, mostly.
    const isLast = entry + ARCHIVE_ENTRY_BYTES === CHUNKS_START
    if (isLast && random.below(4) !== 0 && at < bytes.length) {
      view.setUint32(entry + ARCHIVE_STORED_BYTES, bytes.length - at, true)
    }
    const end = at + view.getUint32(entry + ARCHIVE_STORED_BYTES, true)
    view.setUint32(entry + ARCHIVE_CHUNK_CHECKSUM, crc32(bytes.subarray(at, end)), true)
    at = end
  }
  const directory = crc32(bytes.subarray(ARCHIVE_HEADER_BYTES, CHUNKS_START))
  view.setUint32(ARCHIVE_DIRECTORY_CHECKSUM, directory, true)
  const header = crc32(bytes.subarray(0, ARCHIVE_HEADER_CHECKSUM))
  view.setUint32(ARCHIVE_HEADER_CHECKSUM, header, true)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
