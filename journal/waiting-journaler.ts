/**
 * The journaler's thread before it has anything to do. It is started as soon as the directory is
 * locked, and loads its code while the caller reads and repairs the files: a thread takes 30–50 ms to
 * come up, and nobody need wait for that afterwards.
 *
 *   caller    lock ─┬─▶ recovery ──┬─▶ good: begin, the first message
 *                   │              └─▶ refused: discard
 *   thread          └─▶ load code ───▶ wait for the first message
 *
 * Until that message it knows of no directory, and so touches none.
 */
import { Worker } from 'node:worker_threads'
import { assert } from './errors.js'
import type { JournalerData } from './journaler-messages.js'
import { threadArguments } from './thread-arguments.js'

export class WaitingJournaler {
  readonly worker = new Worker(new URL('./journaler-thread.js', import.meta.url), {
    name: 'tidewheel journaler',
    ...threadArguments(),
  })
  private hasBegun = false

  constructor() {
    this.worker.unref()
  }

  /** Gives it its work. Whoever does has to watch how it fares. */
  begin(data: JournalerData): void {
    assert(!this.hasBegun, 'a journaler begins once')
    this.hasBegun = true
    this.worker.postMessage(data)
  }

  /** Nothing came of the opening. Does nothing to one that has begun. */
  discard(): void {
    if (this.hasBegun) return
    // What the opening was refused for is what the user has to know.
    this.worker.on('error', () => undefined)
    void this.worker.terminate()
  }
}
