/**
 * Makes indexes on a thread of its own, which starts with the first one and ends when there was
 * nothing to do for a while. It keeps the process alive only while it is at work on a segment.
 */
import type { Piscina } from 'piscina'
import type { StreamIndexTask } from './stream-index-task.js'
import type { IndexBuilder } from './stream-indexes.js'
import { threadArguments } from './thread-arguments.js'

const IDLE_MS = 5000

export class StreamIndexPool implements IndexBuilder {
  private pool: Piscina<StreamIndexTask, void> | undefined
  private closed = false

  async build(task: StreamIndexTask): Promise<void> {
    // Loading the pool takes longer than opening a small journal, and most engines need none.
    const { Piscina } = await import('piscina')
    if (this.closed) return
    this.pool ??= new Piscina({
      filename: new URL('./stream-index-task.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
      ...threadArguments(),
    })
    await this.pool.run(task)
  }

  /** A build that is at work is broken off: what it leaves bears a temporary name. */
  async close(): Promise<void> {
    this.closed = true
    await this.pool?.destroy()
  }
}
