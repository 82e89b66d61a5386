/**
 * Makes the snapshots of an engine on a thread of its own, one at a time. The thread starts with the
 * first and ends when there was nothing to do for a while: it has a whole state in its memory.
 */
import type { Piscina } from 'piscina'
import { errorFromMessage } from '../../journal/error-message.js'
import { TidewheelError } from '../../journal/errors.js'
import { threadArguments } from '../../journal/thread-arguments.js'
import type { SnapshotOutcome, SnapshotTask } from './snapshot-task.js'

const IDLE_MS = 1000

export class SnapshotPool {
  private pool: Piscina<SnapshotTask, SnapshotOutcome> | undefined
  private closed = false

  /** Resolves with the name of the file, when it is durable. */
  async build(task: SnapshotTask): Promise<string> {
    const { Piscina } = await import('piscina')
    if (this.closed) throw closedError()
    this.pool ??= new Piscina({
      filename: new URL('./snapshot-task.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      ...threadArguments(),
    })
    const outcome = await this.pool.run(task).catch((error: unknown) => {
      throw this.closed ? closedError() : error
    })
    if ('error' in outcome) throw errorFromMessage(outcome.error)
    return outcome.file
  }

  /**
   * One that is at work is broken off: what it leaves bears a temporary name. Undefined when there
   * is nothing to wait for.
   */
  close(): Promise<void> | undefined {
    this.closed = true
    return this.pool?.destroy()
  }
}

function closedError(): TidewheelError {
  return new TidewheelError(
    'ENGINE_CLOSED',
    'the engine was closed before the snapshot was made; the journal has what would be in it',
  )
}
