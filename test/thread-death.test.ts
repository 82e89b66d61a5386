/** A thread, or the process, that ends on its own: by a bug of the domain, or for want of memory. */
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { type CommandType, type Domain, Engine } from '../engine/index.js'
import { EngineBench, failureOf } from './support/engine-fixture.js'
import type { Said } from './support/faults/fault-verdict.js'
import { modelDigests } from './support/faults/ledger-model.js'
import { memoryGroup } from './support/faults/memory-group.js'
import { checkReopened } from './support/faults/reopened.js'
import { runProcess } from './support/faults/run-process.js'
import { workloadNamed } from './support/faults/workloads.js'
import { TIDEWHEEL, UserModules } from './support/user-modules.js'

/** Enough for an engine, and little more. */
const GROUP_BYTES = 200 * 1024 * 1024

const modules = new UserModules()
const bench = new EngineBench('thread')
afterAll(async () => {
  await bench.clear()
  modules.remove()
})

describe('thread death', () => {
  it.each([
    ['throws outside of a handler', `setImmediate(() => { throw new Error('a bug') })`],
    ['exits', 'setImmediate(() => process.exit(3))'],
  ])('a processor thread that %s: the engine stops, and opens again', async (what, deed) => {
    const module = modules.write(
      `${what.replaceAll(' ', '-')}.mjs`,
      `import { domain, int, text } from '${TIDEWHEEL}'
       const shop = domain('shop', import.meta.url)
       export default shop
       const Item = shop.aggregate('Item', { id: text, state: { sold: int } })
       const Sold = Item.event('Sold', { by: int }, (item, event) => { item.sold += event.by })
       shop.command('Sell', { item: Item.id, by: int }, (command, tx) => {
         if (command.by === 666) { ${deed} }
         tx.emit(Sold, command.item, { by: command.by })
       })`,
    )
    const domain = ((await import(pathToFileURL(module).href)) as { default: Domain }).default
    const Sell = domain.commands[0] as CommandType<{ item: string; by: number }>
    const path = bench.path()
    const engine = await bench.open(path, {}, domain)
    for (let by = 1; by <= 5; by++) await engine.execute(Sell, { item: 'a', by })
    const fatal = engine.execute(Sell, { item: 'a', by: 666 }).then(
      () => undefined,
      (error) => error,
    )
    const failed = await failureOf(
      (async () => {
        for (;;) await engine.execute(Sell, { item: 'a', by: 0 })
      })(),
    )
    expect(failed.code).toBe('ENGINE_STOPPED')
    const unknown = await fatal
    if (unknown !== undefined)
      expect(unknown).toMatchObject({ code: 'ENGINE_STOPPED', outcome: 'unknown' })
    await engine.close().catch((error) => expect(error.code).toMatch(/STOPPED|STORAGE_FAILED/))
    const again = await Engine.open(path, domain, { logger: bench.logger })
    const events = []
    for await (const event of again.readAll()) events.push((event.data as { by: number }).by)
    expect(events.slice(0, 5)).toEqual([1, 2, 3, 4, 5])
    await again.close()
  })

  it('out of memory: every answer is there, as after kill -9', async () => {
    const hoarder = writeHoarder(
      'hoard.push(...Array.from({ length: 10_000 }, (_, i) => "text " + n + i))',
    )
    const path = bench.path()
    const words = [process.execPath, '--max-old-space-size=24', hoarder, path]
    const { ended, lines } = await runProcess(words)
    expect(['SIGABRT', 'SIGTRAP', 133, 134]).toContain(ended)
    await checkAnswers(path, lines)
  })

  it('out of memory: the kernel kills it, and every answer is there', async (test) => {
    const group = memoryGroup(GROUP_BYTES)
    if (typeof group === 'string') {
      console.warn(`SKIPPED: killed by the kernel for want of memory; ${group}`)
      return test.skip(group)
    }
    try {
      const hoarder = writeHoarder('hoard.push(Buffer.alloc(4_000_000, n))')
      const path = bench.path()
      const { ended, lines } = await runProcess(group.command([process.execPath, hoarder, path]))
      expect(ended).toBe('SIGKILL')
      await checkAnswers(path, lines)
    } finally {
      await group.remove()
    }
  })
})

/** A process that keeps more with each command, and says what was answered. */
function writeHoarder(keep: string): string {
  const url = new URL('./support/faults/workloads.js', import.meta.url).href
  return modules.write(
    'hoarder.mjs',
    `import { writeSync } from 'node:fs'
     import { openLedger, sendCommand, workloadNamed } from '${url}'
     const engine = await openLedger(process.argv[2])
     const hoard = []
     for (let n = 1; ; n++) {
       const { sequence } = await sendCommand(engine, workloadNamed('append'), n)
       writeSync(1, JSON.stringify(['answered', n, sequence]) + '\\n')
       ${keep}
     }`,
  )
}

async function checkAnswers(path: string, lines: readonly string[]): Promise<void> {
  expect(lines.length).toBeGreaterThan(3)
  const append = workloadNamed('append')
  const said = lines.map((line) => JSON.parse(line) as Said)
  await checkReopened(path, append, await modelDigests(append, lines.length + 10), said)
}
