/**
 * Archives on a thread of its own, one journal at a time, never on the processor's.
 *
 * After a call that the system refused there are no more until the journal is opened again: the
 * name of an archive may not be on disk then, although a second sync says so, and the plain segment
 * must not go.
 */
import type { ArchiveReport } from './archive.js'
import type { ArchiveTask } from './archive-task.js'
import { TidewheelError } from './errors.js'
import { TaskPool } from './task-pool.js'

export class ArchivePool {
  private failure: TidewheelError | undefined
  private readonly pool = new TaskPool<ArchiveTask, ArchiveReport>(
    new URL('./archive-task.js', import.meta.url),
    'the engine was closed before all segments were archived; the others are as they were',
  )

  /** @throws TidewheelError as archiveJournal, THREAD_FAILED, ENGINE_CLOSED */
  async run(task: ArchiveTask): Promise<ArchiveReport> {
    if (this.failure !== undefined) throw this.failure
    try {
      return await this.pool.run(task)
    } catch (error) {
      if (error instanceof TidewheelError && error.code === 'STORAGE_FAILED') this.failure = error
      throw error
    }
  }

  /**
   * A segment that is at work is broken off: it stays plain, or both forms are there. Undefined when
   * there is nothing to wait for.
   */
  close(): Promise<void> | undefined {
    return this.pool.close()
  }
}
