/**
 * The journaler's thread: runs the journaler over the file system until it is told to stop or fails.
 * While frames come it goes from block to block; then it spins for a moment, since the next frames
 * are often microseconds away; then it sleeps on the ring.
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

/** A sleep and a wake-up cost about as much; on two cores, longer spinning takes from others. */
const SPIN_US = 50

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
  for (;;) {
    // Read before the ring, so that all that was published before the request is seen by close.
    const isStopRequested = status.isStopRequested
    const hasWritten = journaler.step()
    const nowMs = performance.now()
    journaler.tick(nowMs)
    if (hasWritten) {
      spin(ring, journaler.position, nowMs + SPIN_US / 1000)
      continue
    }
    if (isStopRequested) break
    // An interrupt between the look at the status and this sleep is lost: the owner repeats it.
    ring.waitForFrames(journaler.position, journaler.nextDutyMs(nowMs))
  }
  journaler.close()
}

function spin(ring: EventRingReader, position: number, untilMs: number): void {
  while (ring.publishedPosition() === position && performance.now() < untilMs) {
    // Nothing to do but look again.
  }
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
