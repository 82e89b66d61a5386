/** What a stretch of a journal takes on disk, read from its blocks. */
import { paddedBlockBytes } from '../journal/block-layout.js'
import { openFileStorage } from '../journal/file-storage.js'
import { JournalReader, type ReadBound } from '../journal/journal-reader.js'

export interface JournalSize {
  readonly events: number
  readonly blocks: number
  /** Of all transactions, those of the system (catalogues, seals) too. */
  readonly frameBytes: number
  /** With headers and padding. */
  readonly blockBytes: number
}

/** Of the blocks from the one that holds event `fromSequence` up to `bound`. */
export async function journalSize(
  directory: string,
  fromSequence: number,
  bound: ReadBound,
): Promise<JournalSize> {
  // Directly, since pages of a file that is written directly slow its writes down.
  const reader = new JournalReader(openFileStorage(directory), { direct: true })
  let events = 0
  let blocks = 0
  let frameBytes = 0
  let blockBytes = 0
  for await (const { header } of reader.blocks({ fromSequence, bound })) {
    blocks += 1
    events += header.eventCount
    frameBytes += header.payloadBytes
    blockBytes += paddedBlockBytes(header.payloadBytes)
  }
  reader.close()
  return { events, blocks, frameBytes, blockBytes }
}
