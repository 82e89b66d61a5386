/**
 * Replays the files of an engine on a thread of its own, one task at a time: to make a snapshot, or to
 * compare with the live state. The thread starts with the first task and ends when there was nothing
 * to do for a while: it has a whole state in its memory.
 */
import type { Piscina } from 'piscina'
import { type ErrorMessage, errorFromMessage } from '../../journal/error-message.js'
import { TidewheelError } from '../../journal/errors.js'
import type { ComparisonTask, ComparisonVerdict } from '../determinism/comparison-task.js'
import type { SnapshotTask } from './snapshot-task.js'

const IDLE_MS = 1000
const SNAPSHOT = new URL('./snapshot-task.js', import.meta.url).href
const COMPARISON = new URL('../determinism/comparison-task.js', import.meta.url).href

/** An error of ours keeps its code on the way. */
export type ReplayOutcome<T> = { readonly value: T } | { readonly error: ErrorMessage }

export class ReplayPool {
  private pool: Piscina | undefined
  private closed = false

  /** Resolves with the name of the file, when it is durable. */
  snapshot(task: SnapshotTask): Promise<string> {
    return this.run<string>(SNAPSHOT, task)
  }

  compare(task: ComparisonTask): Promise<ComparisonVerdict> {
    return this.run<ComparisonVerdict>(COMPARISON, task)
  }

  /**
   * One that is at work is broken off: what it leaves bears a temporary name. Undefined when there
   * is nothing to wait for.
   */
  close(): Promise<void> | undefined {
    this.closed = true
    return this.pool?.destroy()
  }

  private async run<T>(filename: string, task: unknown): Promise<T> {
    const { Piscina } = await import('piscina')
    if (this.closed) throw closedError()
    this.pool ??= new Piscina({ minThreads: 0, maxThreads: 1, idleTimeout: IDLE_MS })
    const outcome = (await this.pool.run(task, { filename }).catch((error: unknown) => {
      throw this.closed ? closedError() : error
    })) as ReplayOutcome<T>
    if ('error' in outcome) throw errorFromMessage(outcome.error)
    return outcome.value
  }
}

function closedError(): TidewheelError {
  return new TidewheelError(
    'ENGINE_CLOSED',
    'the engine was closed before its files were replayed; nothing is lost with it',
  )
}
