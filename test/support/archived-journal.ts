/** Small journals whose sealed segments are archived, in memory. */
import { type ArchiveReport, archiveJournal } from '../../journal/archive.js'
import { archivedSegmentOf } from '../../journal/archive-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { segmentNumberOf } from '../../journal/segment-layout.js'
import type { Storage } from '../../journal/storage.js'
import { JournalBuilder, sealedJournal } from './journal-builder.js'

const window = new ReadWindow()

export function archive(storage: Storage, before = Number.MAX_SAFE_INTEGER): ArchiveReport {
  return archiveJournal(storage, before, window)
}

/** Three segments, the first two archived, and one prepared ahead; 12 events. */
export function archivedJournal(): JournalBuilder {
  const builder = sealedJournal()
  archive(builder.storage)
  return builder
}

/** Four segments of about ten chunks each, with blocks of many sizes that cross their edges. */
export function largeJournal(): JournalBuilder {
  const builder = new JournalBuilder({ segmentBytes: 2 * 1024 * 1024 })
  for (let block = 0; builder.segmentNumber < 4; block++) {
    builder.block({ events: 1 + (block % 30), payloadBytes: 8 * (1 + ((block * 997) % 1800)) })
  }
  return builder.block().seal()
}

/** `1a 2a 3`: the segments that are there, and in which form. */
export function forms(storage: Storage): string {
  return storage
    .list()
    .filter((name) => segmentNumberOf(name) + archivedSegmentOf(name) > 0)
    .map((name) => segmentNumberOf(name) || `${archivedSegmentOf(name)}a`)
    .join(' ')
}
