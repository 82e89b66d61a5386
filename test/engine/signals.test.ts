/** A service that closes its engine on a signal, as the guide says. */
import { expect, it } from 'vitest'
import { openFileStorage } from '../../journal/file-storage.js'
import { Credited } from '../support/domains/probe.js'
import { describeModes } from '../support/engine-fixture.js'
import { startProcess } from '../support/processes/start.js'
import { opened, recover } from '../support/recover.js'

describeModes('signals', (bench) => {
  it('SIGTERM under load: what was taken is answered and kept, the journal is sealed, exit code 0', async () => {
    const path = bench.path()
    const child = startProcess('serve', bench.mode, path)
    await child.hasSaid(1000)
    child.child.kill('SIGTERM')
    expect(await child.ended).toBe(0)
    expect(child.lines[0]).toBe('ready')
    expect(child.lines.at(-1)).toBe('ENGINE_CLOSED undefined')
    const answers = child.lines.slice(1, -1)
    expect(answers.length).toBeGreaterThan(900)

    const { end, report } = opened(recover(openFileStorage(path)))
    expect([end.sealed, report.cut]).toEqual([true, undefined])
    const engine = await bench.open(path)
    const kept: string[] = []
    for await (const event of engine.readAll()) {
      if (!Credited.is(event) || event.id !== 'served') continue
      kept.push(`${event.data.amount} ${event.sequence}`)
    }
    // No answer is missing, and nothing was kept without one.
    expect(kept.sort().join()).toBe(answers.sort().join())
    await bench.close(engine)
  })
})
