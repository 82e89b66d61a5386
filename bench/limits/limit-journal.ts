/**
 * The hand-written loops' end of their journal (limit-journal-thread.ts): a ring of bytes that are on
 * disk when the synced position has passed them. One thread writes.
 *
 *   offset = journal.makeRoom(most that the batch can take)
 *   …write at offset in journal.view…
 *   journal.publish(bytes written)
 */
import { mkdirSync, rmSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import {
  LIMIT_CONTROL_BYTES,
  LIMIT_PARKED,
  LIMIT_PUBLISHED,
  LIMIT_STOP,
  LIMIT_SYNCED,
  LIMIT_UNIT_BYTES,
  type LimitJournalData,
} from './limit-journal-layout.js'

const RING_BYTES = 8 * 1024 * 1024
/** As the engine's segments. */
const FILE_BYTES = 64 * 1024 * 1024

export class LimitJournal {
  readonly view: DataView
  readonly bytes: Uint8Array
  /** Bytes written so far; also the position of the next. */
  position = 0
  private synced = 0
  private readonly cells: Int32Array
  private readonly directory: string
  private readonly ended: Promise<number>

  static async start(directory: string): Promise<LimitJournal> {
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    const data = new SharedArrayBuffer(RING_BYTES)
    const control = new SharedArrayBuffer(LIMIT_CONTROL_BYTES)
    const workerData: LimitJournalData = { directory, fileBytes: FILE_BYTES, data, control }
    const worker = new Worker(new URL('./limit-journal-thread.js', import.meta.url), { workerData })
    await new Promise((resolve) => worker.once('online', resolve))
    const ended = new Promise<number>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    return new LimitJournal(directory, data, control, ended)
  }

  private constructor(
    directory: string,
    data: SharedArrayBuffer,
    control: SharedArrayBuffer,
    ended: Promise<number>,
  ) {
    this.directory = directory
    this.view = new DataView(data)
    this.bytes = new Uint8Array(data)
    this.cells = new Int32Array(control)
    this.ended = ended
  }

  /** Position up to which everything is on disk. */
  syncedPosition(): number {
    // Pairs with the store in the thread; the two are never 2³² units apart.
    const units = Atomics.load(this.cells, LIMIT_SYNCED)
    const known = this.synced / LIMIT_UNIT_BYTES
    this.synced += ((units - (known | 0)) | 0) * LIMIT_UNIT_BYTES
    return this.synced
  }

  /** Offset of contiguous room for `lengthBytes`; spins while the disk is behind. */
  makeRoom(lengthBytes: number): number {
    const toEnd = RING_BYTES - (this.position & (RING_BYTES - 1))
    // What is skipped at the ring's end goes to disk too: at most one batch in 8 MiB.
    if (toEnd < lengthBytes) this.position += toEnd
    const room = RING_BYTES - lengthBytes
    if (this.position - this.synced > room) {
      while (this.position - this.syncedPosition() > room) {
        // The disk is behind.
      }
    }
    return this.position & (RING_BYTES - 1)
  }

  /** Hands the next `lengthBytes`, a multiple of 8, to the journal. */
  publish(lengthBytes: number): void {
    this.position += lengthBytes
    // Pairs with the load in the thread.
    Atomics.store(this.cells, LIMIT_PUBLISHED, (this.position / LIMIT_UNIT_BYTES) | 0)
    if (Atomics.load(this.cells, LIMIT_PARKED) === 1) this.wake()
  }

  /** Spins until all of it is on disk. */
  drain(): void {
    while (this.syncedPosition() !== this.position) {
      // The last blocks are being written.
    }
  }

  /** Checks that no byte is missing, and removes the files. */
  async end(): Promise<void> {
    Atomics.store(this.cells, LIMIT_STOP, 1)
    this.wake()
    const syncedBytes = await this.ended
    if (syncedBytes !== this.position) throw new Error('bytes are missing in the limit’s journal')
    rmSync(this.directory, { recursive: true, force: true })
  }

  private wake(): void {
    // Pairs with the wait in the thread.
    Atomics.notify(this.cells, LIMIT_PUBLISHED)
  }
}
