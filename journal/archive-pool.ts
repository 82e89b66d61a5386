/**
 * Archives on a thread of its own, one journal at a time, never on the processor's. The thread
 * starts with the first task and ends when there was nothing to do for a while.
 *
 * After a call that the system refused there are no more until the journal is opened again: the
 * name of an archive may not be on disk then, although a second sync says so, and the plain segment
 * must not go.
 */
import type { Piscina } from 'piscina'
import type { ArchiveReport } from './archive.js'
import type { ArchiveOutcome, ArchiveTask } from './archive-task.js'
import { errorFromMessage } from './error-message.js'
import { TidewheelError } from './errors.js'
import { threadArguments } from './thread-arguments.js'

const IDLE_MS = 1000

export class ArchivePool {
  private pool: Piscina<ArchiveTask, ArchiveOutcome> | undefined
  private closed = false
  private failure: Error | undefined

  /** @throws TidewheelError as archiveJournal, ENGINE_CLOSED */
  async run(task: ArchiveTask): Promise<ArchiveReport> {
    const { Piscina } = await import('piscina')
    if (this.closed) throw closedError()
    if (this.failure !== undefined) throw this.failure
    this.pool ??= new Piscina({
      filename: new URL('./archive-task.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      ...threadArguments(),
    })
    const outcome = await this.pool.run(task).catch((error: unknown) => {
      throw this.closed ? closedError() : error
    })
    if ('report' in outcome) return outcome.report
    const { error: message } = outcome
    const error = errorFromMessage(message)
    if (message.code === 'STORAGE_FAILED') this.failure = error
    throw error
  }

  /**
   * A segment that is at work is broken off: it stays plain, or both forms are there. Undefined when
   * there is nothing to wait for.
   */
  close(): Promise<void> | undefined {
    this.closed = true
    return this.pool?.destroy()
  }
}

function closedError(): TidewheelError {
  return new TidewheelError(
    'ENGINE_CLOSED',
    'the engine was closed before all segments were archived; the others are as they were',
  )
}
