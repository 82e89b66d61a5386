/** Garbage collections of this thread, as V8 reports them. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'

export interface Collections {
  /** Of the young generation. */
  readonly young: number
  /** Of any kind; 0 when there was none. */
  readonly longestPauseMs: number
}

/** Counts while `work` runs. */
export async function collectionsDuring(work: () => Promise<unknown>): Promise<Collections> {
  let young = 0
  let longestPauseMs = 0
  const take = (entries: readonly PerformanceEntry[]): void => {
    for (const entry of entries) {
      if (kindOf(entry) === constants.NODE_PERFORMANCE_GC_MINOR) young++
      longestPauseMs = Math.max(longestPauseMs, entry.duration)
    }
  }
  const observer = new PerformanceObserver((list) => take(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  await work()
  // What V8 has told Node reaches the observer in a turn of the event loop of its own.
  await new Promise((resolve) => setTimeout(resolve, 10))
  take(observer.takeRecords())
  observer.disconnect()
  return { young, longestPauseMs }
}

/** Node's types leave out what entries of garbage collections carry. */
function kindOf(entry: PerformanceEntry): number | undefined {
  return (entry as { readonly detail?: { readonly kind?: number } }).detail?.kind
}
