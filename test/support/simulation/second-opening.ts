/** What a simulation looks at when it opens a journal a second time, without an engine. */
import { FrameCursor } from '../../../journal/frames.js'
import type { JournalEnd } from '../../../journal/journal-end.js'
import { ReadWindow } from '../../../journal/read-window.js'
import { SYSTEM_COMMAND } from '../../../journal/record-layout.js'
import { recoverJournal } from '../../../journal/recovery.js'
import type { RecoveryReport } from '../../../journal/recovery-report.js'
import { SEGMENT_BYTES_MIN } from '../../../journal/segment-layout.js'
import type { Storage } from '../../../journal/storage.js'

interface FoundJournal {
  /** Transactions of commands. */
  readonly frames: number
  readonly end: JournalEnd
  readonly report: RecoveryReport
}

const WINDOW = new ReadWindow()

/** Opens the journal alone, and counts the transactions of commands. */
export function countFrames(storage: Storage): FoundJournal {
  const cursor = new FrameCursor()
  let frames = 0
  const options = { durability: 'disk', segmentBytes: SEGMENT_BYTES_MIN, window: WINDOW } as const
  const { end, report } = recoverJournal(storage, options, (view, frameOffset, payloadBytes) => {
    cursor.reset(view, frameOffset, payloadBytes)
    while (cursor.nextFrame()) if (cursor.commandType !== SYSTEM_COMMAND) frames++
  })
  return { frames, end, report }
}

/** But for the epoch, which counts what was opened: an opening that wrote no block may not count. */
export function describeEnd(end: JournalEnd | undefined): string {
  if (end === undefined) return 'none'
  const { journalId, previousHash } = end
  const bytes = Buffer.concat([journalId, previousHash]).toString('hex')
  const { segmentNumber, fileOffset, blockNumber, sequence, sealed = false } = end
  return [bytes, segmentNumber, fileOffset, blockNumber, sequence, sealed].join(' ')
}
