/**
 * A thread of its own for work on files, one piece at a time. It starts with the first and ends when
 * there was nothing to do for a while.
 */
import type { Piscina } from 'piscina'
import { type ErrorMessage, errorFromMessage, errorMessageOf } from '../journal/error-message.js'
import { TidewheelError } from '../journal/errors.js'
import { threadArguments } from '../journal/thread-arguments.js'

const IDLE_MS = 1000

/** What a task module gives back: an error of ours keeps its code on the way. */
export type TaskOutcome<Result> = { readonly result: Result } | { readonly error: ErrorMessage }

/** For task modules. */
export async function outcomeOf<Result>(work: () => Promise<Result>): Promise<TaskOutcome<Result>> {
  try {
    return { result: await work() }
  } catch (error) {
    return { error: errorMessageOf(error) }
  }
}

export class TaskPool<Task, Result> {
  private readonly script: URL
  private readonly whenClosed: string
  private pool: Piscina<Task, TaskOutcome<Result>> | undefined
  private closed = false

  /**
   * @param script a module whose default export takes a task and gives its outcome
   * @param whenClosed says to whoever asked for it why it is not done
   */
  constructor(script: URL, whenClosed: string) {
    this.script = script
    this.whenClosed = whenClosed
  }

  async run(task: Task): Promise<Result> {
    const { Piscina } = await import('piscina')
    if (this.closed) throw this.closedError()
    this.pool ??= new Piscina({
      filename: this.script.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      ...threadArguments(),
    })
    const outcome = await this.pool.run(task).catch((error: unknown) => {
      throw this.closed ? this.closedError() : error
    })
    if ('error' in outcome) throw errorFromMessage(outcome.error)
    return outcome.result
  }

  /** What is at work is broken off. Undefined when there is nothing to wait for. */
  close(): Promise<void> | undefined {
    this.closed = true
    return this.pool?.destroy()
  }

  private closedError(): TidewheelError {
    return new TidewheelError('ENGINE_CLOSED', this.whenClosed)
  }
}
