/**
 * Loads the module of a domain for its declarations alone: for a tool, or to make a snapshot.
 * Meanwhile no engine opens on this thread: a module that opens one when it is loaded would write to
 * the user's own journal, from a tool that was to try the domain out.
 */
import { setImmediate } from 'node:timers/promises'

let loading = 0

/** Asked by `Engine.open`. */
export function isModuleLoading(): boolean {
  return loading > 0
}

/** Loads, and takes what the module left to reject by itself as its failure. */
export async function loadModule(url: string): Promise<Record<string, unknown>> {
  const failures: unknown[] = []
  const note = (reason: unknown): void => {
    failures.push(reason)
  }
  loading++
  process.on('unhandledRejection', note)
  try {
    const module = (await import(url)) as Record<string, unknown>
    // What it did not wait for is told a turn later.
    await setImmediate()
    if (failures.length > 0) throw failures[0]
    return module
  } finally {
    process.off('unhandledRejection', note)
    loading--
  }
}
