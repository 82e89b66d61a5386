/**
 * The segment that the journaler is writing: its open file, with what its header says.
 */
import { TidewheelError } from './errors.js'
import { readSegmentHeader } from './segment.js'
import { segmentName } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'

export interface ActiveSegment {
  readonly file: StorageFile
  readonly number: number
  readonly sizeBytes: number
  readonly salt: number
  /** Whether the file system counts links, so that a deleted file shows. */
  readonly isWatched: boolean
}

export function openActiveSegment(
  storage: Storage,
  journalId: Uint8Array,
  number: number,
  direct: boolean,
): ActiveSegment {
  const name = segmentName(number)
  const file = storage.open(name, 'write', { direct })
  try {
    const header = readSegmentHeader(file)
    const isOurs =
      header !== undefined && header.number === number && equalBytes(header.journalId, journalId)
    if (!isOurs || file.sizeBytes() !== header.sizeBytes) {
      throw new TidewheelError(
        'JOURNAL_DAMAGED',
        'this segment was to be written next, and its header is not the one that belongs there. Find out what changed it; open the engine again, which examines the whole journal',
        { file: name, offset: 0 },
      )
    }
    const { sizeBytes, salt } = header
    return { file, number, sizeBytes, salt, isWatched: file.isLinked() }
  } catch (error) {
    file.close()
    throw error
  }
}

/**
 * A directory that is deleted under a running engine takes its files along, and what is written to
 * them afterwards is gone with the process.
 * @throws TidewheelError STORAGE_FAILED
 */
export function refuseDeleted({ file, number, isWatched }: ActiveSegment): void {
  if (!isWatched || file.isLinked()) return
  throw new TidewheelError(
    'STORAGE_FAILED',
    'the journal was deleted while the engine ran: what it would write now would be lost. The engine has stopped. Bring the directory back from a backup or a replica, then open the engine again; what was answered within the last second may be lost',
    { file: segmentName(number) },
  )
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
