/**
 * A thread of its own for work on files, one piece at a time. It starts with the first and ends when
 * there was nothing to do for a while.
 *
 *   run ─▶ piece of work ─▶ result
 *                      ├──▶ TidewheelError of the task, as it was thrown
 *                      └──▶ THREAD_FAILED: another error of the task; or no thread came up, or it has
 *                           ended: then the next run tries anew
 */
import { createRequire } from 'node:module'
import type { Piscina } from 'piscina'
import { type ErrorMessage, errorFromMessage, errorMessageOf } from './error-message.js'
import { causeOf, TidewheelError } from './errors.js'
import { threadArguments } from './thread-arguments.js'

const require = createRequire(import.meta.url)
/** Looked up at once: that it was not found would be remembered too. */
const PISCINA = require.resolve('piscina')
const IDLE_MS = 1000

/** What a task module gives back: an error of ours keeps its code on the way. */
export type TaskOutcome<Result> = { readonly result: Result } | { readonly error: ErrorMessage }

/** For task modules. */
export async function outcomeOf<Result>(
  work: () => Result | Promise<Result>,
): Promise<TaskOutcome<Result>> {
  try {
    return { result: await work() }
  } catch (error) {
    return { error: errorMessageOf(error) }
  }
}

/**
 * Loading it takes longer than opening a small journal, and most engines need none. Not by `import`,
 * which remembers for ever that a file could not be read.
 */
function loadPiscina(): typeof import('piscina') {
  return require(PISCINA) as typeof import('piscina')
}

interface Started<Task, Result> {
  readonly pool: Piscina<Task, TaskOutcome<Result>>
  /** Rejects when its thread fails outside of a piece of work, which then is never answered. */
  readonly failed: Promise<never>
}

export class TaskPool<Task, Result> {
  private readonly script: URL
  private readonly whenClosed: string
  private started: Started<Task, Result> | undefined
  private closed = false
  /** Of the piece of work before. */
  private turn: Promise<unknown> = Promise.resolve()

  /**
   * @param script a module whose default export takes a task and gives its outcome
   * @param whenClosed says to whoever asked for it why it is not done
   */
  constructor(script: URL, whenClosed: string) {
    this.script = script
    this.whenClosed = whenClosed
  }

  /** @throws TidewheelError as the task throws it, THREAD_FAILED, ENGINE_CLOSED */
  run(task: Task): Promise<Result> {
    const result = this.turn.then(() => this.work(task))
    this.turn = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  /** What is at work is broken off. Undefined when there is nothing to wait for. */
  close(): Promise<void> | undefined {
    this.closed = true
    return this.started?.pool.destroy()
  }

  private async work(task: Task): Promise<Result> {
    if (this.closed) throw this.closedError()
    let failure: unknown
    try {
      this.started ??= this.start(loadPiscina().Piscina)
      const { pool, failed } = this.started
      const outcome = await Promise.race([pool.run(task), failed])
      if ('result' in outcome) return outcome.result
      failure = errorFromMessage(outcome.error)
    } catch (error) {
      failure = error
    }
    if (this.closed) throw this.closedError()
    if (failure instanceof TidewheelError) throw failure
    // The thread may come up in the end; or it has a module that could not be loaded, and stays so.
    await this.started?.pool.destroy()
    this.started = undefined
    throw threadError(failure)
  }

  private start(Pool: typeof Piscina): Started<Task, Result> {
    const pool: Piscina<Task, TaskOutcome<Result>> = new Pool({
      filename: this.script.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      ...threadArguments(),
    })
    const failed = new Promise<never>((_, reject) => {
      // Stays, since a second one that nobody listens to would end the process.
      pool.on('error', reject)
    })
    // Between two pieces of work nobody waits for it; the next one learns it.
    failed.catch(() => undefined)
    return { pool, failed }
  }

  private closedError(): TidewheelError {
    return new TidewheelError('ENGINE_CLOSED', this.whenClosed)
  }
}

function threadError(cause: unknown): TidewheelError {
  return new TidewheelError(
    'THREAD_FAILED',
    `a thread for work on the journal's files could not do it: ${causeOf(cause)}. The journal is as it was and an engine on it runs on; check the limits of the process (open files, threads, memory), and ask for it again`,
    { cause },
  )
}
