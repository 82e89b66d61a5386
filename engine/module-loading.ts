/**
 * Loads the module of a domain for its declarations alone: for a tool, or to make a snapshot.
 * Meanwhile no engine opens on this thread: a module that opens one when it is loaded would write to
 * the user's own journal, from a tool that was to try the domain out.
 */
import { setImmediate } from 'node:timers/promises'

/** What it waits for at its top level may never come. */
const LOADING_MS_MAX = 30_000

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
    const module = await importInTime(url)
    // What it did not wait for is told a turn later.
    await setImmediate()
    if (failures.length > 0) throw failures[0]
    return module
  } finally {
    process.off('unhandledRejection', note)
    loading--
  }
}

async function importInTime(url: string): Promise<Record<string, unknown>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const seconds = LOADING_MS_MAX / 1000
    const error = new Error(`it has not finished loading after ${seconds} s: what does it await?`)
    timer = setTimeout(() => reject(error), LOADING_MS_MAX)
  })
  try {
    return (await Promise.race([import(url), late])) as Record<string, unknown>
  } finally {
    clearTimeout(timer)
  }
}
