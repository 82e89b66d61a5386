/**
 * The limit of opening from a snapshot: one hand-written loop over the same files, in a process that has
 * just started.
 *
 * Included: reading the snapshot, its checksums and the hash at its end, ids → slots, the slots; then
 * what limits/recovery-limit.ts does with the journal behind it. Left out: as there, and checks of what
 * the snapshot says.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  BLOCK_HEADER_BYTES,
  BLOCK_PAYLOAD_BYTES,
  paddedBlockBytes,
} from '../../journal/block-layout.js'
import { readCatalogueRecord } from '../../journal/catalogue.js'
import { segmentName } from '../../journal/segment-layout.js'
import {
  CATALOGUE_CHUNK,
  CHUNK_CHECKSUM,
  CHUNK_ENTRIES,
  CHUNK_FIRST,
  CHUNK_HEADER_BYTES,
  CHUNK_KIND,
  CHUNK_PAYLOAD_BYTES,
  END_CHUNK,
  IDS_CHUNK,
  SLAB_CHUNK,
  SNAPSHOT_FILE_OFFSET,
  SNAPSHOT_HEADER_BYTES,
  SNAPSHOT_HEADER_CHECKSUM,
  SNAPSHOT_SEGMENT_NUMBER,
} from '../../journal/snapshot-layout.js'
import type { Contender } from '../benchmark.js'
import type { SnapshotJournal } from '../snapshot-journal.js'
import { RecoveryLoop } from './recovery-limit.js'

const SLOT_BYTES = 16
/** Of an id: its length, and a u32. */
const ID_ENTRY_BYTES = 6

export async function prepare(journal: SnapshotJournal): Promise<Contender<number>> {
  const { directory } = journal
  return {
    async round() {
      const startedMs = performance.now()
      const loop = new RecoveryLoop(journal.accounts)
      const last = loadSnapshot(loop, join(directory, journal.file))
      const segment = join(directory, segmentName(last.segmentNumber))
      loop.run(directory, last.segmentNumber, endOfBlock(segment, last.fileOffset))
      const seconds = (performance.now() - startedMs) / 1000
      loop.verify({ accounts: journal.accounts, events: journal.eventsBehind })
      return seconds
    },
    async end() {
      // Each round has checked itself.
    },
  }
}

/** Returns where the last block lies that the snapshot covers. */
function loadSnapshot(
  loop: RecoveryLoop,
  file: string,
): { segmentNumber: number; fileOffset: number } {
  const bytes = readFileSync(file)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const headerChecksum = view.getUint32(SNAPSHOT_HEADER_CHECKSUM, true)
  if (crc32(bytes.subarray(0, SNAPSHOT_HEADER_CHECKSUM)) !== headerChecksum) throw damaged()
  const slots = Buffer.from(loop.versions.buffer)
  let chunk = SNAPSHOT_HEADER_BYTES
  for (let place = 1; ; place++) {
    const payload = chunk + CHUNK_HEADER_BYTES
    const payloadBytes = view.getUint32(chunk + CHUNK_PAYLOAD_BYTES, true)
    const end = payload + payloadBytes
    const checksum = crc32(
      bytes.subarray(payload, end),
      crc32(bytes.subarray(chunk, chunk + CHUNK_CHECKSUM), (headerChecksum + place) >>> 0),
    )
    if (checksum !== view.getUint32(chunk + CHUNK_CHECKSUM, true)) throw damaged()
    const kind = view.getUint16(chunk + CHUNK_KIND, true)
    const first = view.getUint32(chunk + CHUNK_FIRST, true)
    if (kind === IDS_CHUNK) {
      const entries = view.getUint32(chunk + CHUNK_ENTRIES, true)
      for (let i = 0; i < entries; i++) {
        loop.index[view.getUint32(payload + i * ID_ENTRY_BYTES + 2, true)] = first + i
      }
    } else if (kind === SLAB_CHUNK) {
      bytes.copy(slots, first * SLOT_BYTES, payload, end)
    } else if (kind === CATALOGUE_CHUNK) {
      const { entries } = readCatalogueRecord(view, payload, payloadBytes)
      loop.credited = entries.find(({ name }) => name === 'Credited')!.number
    } else if (kind === END_CHUNK) {
      const hash = createHash('sha256').update(bytes.subarray(0, chunk)).digest()
      if (!hash.equals(bytes.subarray(payload, end))) throw damaged()
      break
    }
    chunk = end
  }
  return {
    segmentNumber: view.getUint32(SNAPSHOT_SEGMENT_NUMBER, true),
    fileOffset: view.getUint32(SNAPSHOT_FILE_OFFSET, true),
  }
}

function endOfBlock(segment: string, fileOffset: number): number {
  const header = Buffer.alloc(BLOCK_HEADER_BYTES)
  const fd = openSync(segment, 'r')
  readSync(fd, header, 0, BLOCK_HEADER_BYTES, fileOffset)
  closeSync(fd)
  return fileOffset + paddedBlockBytes(header.readUInt32LE(BLOCK_PAYLOAD_BYTES))
}

function damaged(): Error {
  return new Error('the snapshot is damaged')
}
