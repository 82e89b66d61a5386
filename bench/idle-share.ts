import { setTimeout as sleep } from 'node:timers/promises'

/** What all threads of this process take of a core while it sleeps, in percent. */
export async function idleShare(seconds: number): Promise<number> {
  const before = process.cpuUsage()
  const startedMs = performance.now()
  await sleep(seconds * 1000)
  const { user, system } = process.cpuUsage(before)
  return (100 * (user + system)) / 1000 / (performance.now() - startedMs)
}
