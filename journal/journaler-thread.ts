/**
 * The journaler's thread: runs the journaler over the file system until it is told to stop or fails.
 * While frames come it goes from block to block. Where they came soon after the last block, it spins
 * for a moment after this one too; otherwise, or in vain, it sleeps on the ring.
 *
 * Started by waiting-journaler.ts, before there is anything to do; the first message says what.
 */
import { parentPort } from 'node:worker_threads'
import { Doorbell } from './doorbell.js'
import { EventRingReader } from './event-ring.js'
import { openFileStorage } from './file-storage.js'
import { Journaler } from './journaler.js'
import { failureMessage, type JournalerData, type JournalerMessage } from './journaler-messages.js'
import { JournalerStatus } from './journaler-status.js'
import { PreparedSegmentSource } from './prepared-segment-source.js'
import { SegmentPreparation } from './segment-preparation.js'
import { SyncedEdgeWriter } from './synced-edge.js'

/**
 * Waking a thread costs the processor's 5 to 15 µs, many times what a command does: under load,
 * frames find the journaler awake. A thread that spins takes from others, so it does only where the
 * last gap was as short (docs/decisions/0025).
 */
const SPIN_MS = 0.4

function post(message: JournalerMessage): void {
  parentPort?.postMessage(message)
}

function openJournaler(data: JournalerData, ring: EventRingReader): Journaler {
  const storage = openFileStorage(data.path, { direct: data.direct })
  const { end, preamble, durability, segmentBytes } = data
  const segments = new PreparedSegmentSource({
    storage,
    journalId: end.journalId,
    segmentBytes,
    preparation: new SegmentPreparation(data.preparation),
    onReport: (text) => post({ kind: 'report', text }),
  })
  return new Journaler({
    storage,
    ring,
    segments,
    edge: new SyncedEdgeWriter(data.edge),
    doorbell: new Doorbell(data.doorbell),
    end,
    preamble,
    durability,
    direct: data.direct,
  })
}

function run(data: JournalerData, status: JournalerStatus): void {
  const ring = new EventRingReader(data.ring)
  const journaler = openJournaler(data, ring)
  post({ kind: 'started' })
  let writtenMs = performance.now()
  /** Between the last block and the frames that came after it. */
  let gapMs = Number.POSITIVE_INFINITY
  for (;;) {
    // Read before the ring, so that all that was published before the request is seen by close.
    const isStopRequested = status.isStopRequested
    const hasWritten = journaler.step()
    const nowMs = performance.now()
    journaler.tick(nowMs)
    if (hasWritten) {
      writtenMs = nowMs
      if (gapMs < SPIN_MS) gapMs = spin(ring, journaler.position, nowMs)
      continue
    }
    if (isStopRequested) break
    // An interrupt between the look at the status and this sleep is lost: the owner repeats it.
    ring.waitForFrames(journaler.position, journaler.nextDutyMs(nowMs))
    gapMs = performance.now() - writtenMs
  }
  journaler.close()
}

/** Until there is something beyond `position`, but no longer than worthwhile. Returns how long it was. */
function spin(ring: EventRingReader, position: number, startMs: number): number {
  let gapMs = 0
  while (ring.publishedPosition() === position && gapMs < SPIN_MS) {
    gapMs = performance.now() - startMs
  }
  return gapMs
}

parentPort?.once('message', (data: JournalerData) => {
  const status = new JournalerStatus(data.status)
  try {
    run(data, status)
    status.setStopped()
  } catch (error) {
    status.setFailed()
    post(failureMessage(error))
  }
  // Whoever sleeps until something is synced has to see how it ended.
  new Doorbell(data.doorbell).ring()
})
