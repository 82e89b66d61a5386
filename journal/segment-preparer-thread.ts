/**
 * The thread of the segment preparer. It owns nothing that the journal needs: if it fails, the
 * journal goes on in sparse segments, and nobody watches the room on the disk. It has a lower priority
 * than those who answer: of a million commands a second on two cores, the 90th percentile of the
 * answer then takes a tenth less, the 99th as well (docs/decisions/0030).
 *
 * Started by journaler-link.ts.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Doorbell } from './doorbell.js'
import { causeOf } from './errors.js'
import { openFileStorage } from './file-storage.js'
import type { JournalerMessage, SegmentPreparerData } from './journaler-messages.js'
import { lowerThreadPriority } from './low-priority.js'
import { SegmentPreparation } from './segment-preparation.js'
import { SegmentPreparer } from './segment-preparer.js'

/** How often it looks whether a full disk has room again. */
const ROOM_CHECK_MS = 500

function run(data: SegmentPreparerData): void {
  lowerThreadPriority()
  const preparation = new SegmentPreparation(data.preparation)
  const preparer = new SegmentPreparer({
    storage: openFileStorage(data.path, { direct: data.direct }),
    journalId: data.journalId,
    segmentBytes: data.segmentBytes,
    preparation,
  })
  const doorbell = new Doorbell(data.doorbell)
  try {
    let wasShort = preparer.isShort
    while (!preparation.isStopRequested) {
      // Read before the work is looked for, so that what changes meanwhile ends the wait.
      const signal = preparation.signalValue
      const hasWorked = preparer.step()
      const { isShort } = preparer
      // Whoever takes commands has to know.
      if (isShort !== wasShort) doorbell.ring()
      wasShort = isShort
      if (hasWorked || preparation.isStopRequested) continue
      preparation.waitForSignal(signal, isShort ? ROOM_CHECK_MS : Infinity)
    }
  } finally {
    preparer.close()
  }
}

const data = workerData as SegmentPreparerData
try {
  run(data)
} catch (error) {
  const message: JournalerMessage = {
    kind: 'report',
    text: `segments are not prepared ahead any more, so that writes are slower: ${causeOf(error)}`,
  }
  parentPort?.postMessage(message)
} finally {
  new SegmentPreparation(data.preparation).setEnded()
}
