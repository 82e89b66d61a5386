/**
 * Compares what the drill saw acknowledged with what the journal holds. Every command had a key, so
 * the journal says of each, accepted or rejected, that it was processed, and at which sequence; it
 * says so exactly once, or the command was applied twice.
 */
import { openFileStorage } from '../../journal/file-storage.js'
import { FrameCursor } from '../../journal/frames.js'
import { JournalReader } from '../../journal/journal-reader.js'
import {
  KEYED_OUTCOME_KEY_BYTES,
  KEYED_OUTCOME_KIND,
  KEYED_OUTCOME_RECORD,
  KEYED_OUTCOME_TEXTS,
  OUTCOME_ACCEPTED,
} from '../../journal/record-layout.js'
import type { AcknowledgementLog } from './acknowledgements.js'

export interface Audit {
  /** Commands that the journal holds the outcome of. */
  readonly commands: number
  readonly events: number
  /** Acknowledged, and not in the journal with the same outcome and sequence. */
  readonly lost: number
  /** Commands that the journal holds more than one outcome of. */
  readonly duplicated: number
}

export async function auditJournal(
  directory: string,
  acknowledgements: AcknowledgementLog,
): Promise<Audit> {
  const reader = new JournalReader(openFileStorage(directory))
  const cursor = new FrameCursor()
  const seen = new Uint8Array(acknowledgements.count + 1)
  let commands = 0
  let duplicated = 0
  let confirmed = 0
  let events = 0
  for await (const block of reader.blocks({ fromSequence: 1, fromSegmentStart: true })) {
    cursor.reset(block.view, block.frameOffset, block.payloadBytes)
    while (cursor.nextFrame()) {
      events += cursor.eventCount
      while (cursor.nextRecord()) {
        if (cursor.recordType !== KEYED_OUTCOME_RECORD) continue
        const command = commandOf(cursor)
        commands++
        // Behind the last acknowledged command there is nothing to compare with.
        if (command >= seen.length) continue
        if (seen[command] !== 0) duplicated++
        else if (agrees(acknowledgements, command, cursor, events)) confirmed++
        seen[command] = 1
      }
    }
  }
  reader.close()
  return { commands, events, lost: acknowledgements.count - confirmed, duplicated }
}

function agrees(
  acknowledgements: AcknowledgementLog,
  command: number,
  cursor: FrameCursor,
  sequence: number,
): boolean {
  const accepted =
    cursor.view.getUint8(cursor.recordOffset + KEYED_OUTCOME_KIND) === OUTCOME_ACCEPTED
  return (
    acknowledgements.sequenceOf(command) === sequence &&
    acknowledgements.wasAccepted(command) === accepted
  )
}

/** The key is 'c' and the command's number. */
function commandOf(cursor: FrameCursor): number {
  const { view, recordOffset } = cursor
  const lengthBytes = view.getUint16(recordOffset + KEYED_OUTCOME_KEY_BYTES, true)
  let command = 0
  for (let i = 1; i < lengthBytes; i++) {
    command = command * 10 + view.getUint8(recordOffset + KEYED_OUTCOME_TEXTS + i) - 0x30
  }
  return command
}
