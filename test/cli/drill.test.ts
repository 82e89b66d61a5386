import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { DrillResult } from '../../engine/drill/drill-run.js'
import { linesOf, runCli } from '../support/cli.js'
import { TIDEWHEEL, UserModules } from '../support/user-modules.js'

const modules = new UserModules()
afterAll(() => modules.remove())

const EXCHANGE = fileURLToPath(new URL('../../examples/exchange/exchange.js', import.meta.url))
const PAYMENTS_URL = new URL('../../examples/payments/payments.js', import.meta.url).href
const PAYMENTS = fileURLToPath(PAYMENTS_URL)
const SHORT = ['--kills', '1', '--seconds', '1', '--json']

function resultOf(stdout: string): DrillResult & { readonly ok: boolean } {
  return JSON.parse(linesOf(stdout).at(-1) ?? '') as DrillResult & { readonly ok: boolean }
}

function drill(...args: string[]) {
  return runCli(['drill', ...args])
}

const good = modules.domain('good.mjs', '')
const start = `import { Sell } from './good.mjs'\n`

describe('tidewheel drill', () => {
  it('exchange: nothing lost, nothing twice, one state (killed twice, commands made up)', async () => {
    const html = join(modules.folder, 'drill.html')
    const data = join(modules.folder, 'kept')
    const output = ['--json', '--html', html, '--data', data]
    const faults = ['--faults', 'torn,flip']
    const load = ['--kills', '2', '--seconds', '1', ...faults]
    const run = await drill('--domain', EXCHANGE, ...load, ...output)
    expect(run.code, run.stderr).toBe(0)
    const result = resultOf(run.stdout)
    expect(result).toMatchObject({ ok: true, lost: 0, duplicated: 0, digestMatches: true })
    expect(result.kills).toHaveLength(2)
    const [flip, torn] = result.faults
    expect(flip).toMatchObject({ fault: 'flip', outcome: 'refused', isRight: true, lost: 0 })
    expect(flip?.said).toMatch(/^JOURNAL_DAMAGED: block 1 .*0000000001\.segment, offset 8192/)
    expect(torn).toMatchObject({ fault: 'torn', outcome: 'opened', isRight: true, lost: 0 })
    expect(torn).toMatchObject({ digestMatches: true, said: expect.stringMatching(/^cut at /) })
    expect(run.stdout).toMatch(
      /flip: one bit flipped.*\n {4}refused.*right: yes\n {4}JOURNAL_DAMAGED/,
    )
    expect(result.acknowledged).toBeGreaterThan(0)
    expect(Object.keys(result.rejections).length).toBeGreaterThan(0)
    expect(run.stdout).toMatch(/^PASS: /m)
    expect(readFileSync(html, 'utf8')).toMatch(/<h1>Drill of [^<]*exchange\.js<\/h1>[\s\S]*PASS/)
    expect(readFileSync(html, 'utf8')).toMatch(/<h2>Faults[\s\S]*one bit flipped[\s\S]*refused/)

    const replayed = ['verify', data, '--replay', '--domain', EXCHANGE, '--expect', result.digest]
    expect(await runCli(replayed)).toMatchObject({ code: 0, stderr: '' })
    const nowhere = await drill('--domain', EXCHANGE, '--html', join(html, 'none'))
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('give --html') })
    const again = await drill('--domain', EXCHANGE, '--data', data)
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('is not empty') })
  })

  it('payments: the same, with commands from a module', async () => {
    const commands = modules.write(
      'deposits.mjs',
      `import { Deposit, OpenAccount } from '${PAYMENTS_URL}'
       let opened = 0
       export default (random) => opened < 10
         ? { command: OpenAccount, value: { account: ++opened, currency: 'EUR' } }
         : { command: Deposit, value: { account: Math.ceil(random() * 11), amount: Math.floor(random() * 9) } }`,
    )
    const faults = ['--faults', 'missing,full,snapshot']
    const run = await drill('--domain', PAYMENTS, '--commands', commands, ...SHORT, ...faults)
    expect(run.code, run.stderr).toBe(0)
    const result = resultOf(run.stdout)
    const [missing, snapshot, full] = result.faults
    expect(missing).toMatchObject({ outcome: 'refused', isRight: true })
    expect(snapshot).toMatchObject({ fault: 'snapshot', isRight: true })
    expect(full).toMatchObject({ outcome: 'opened', lost: 0, digestMatches: true, isRight: true })
    expect(full?.said).toContain('STORAGE_FAILED')
    expect(result).toMatchObject({ ok: true, lost: 0, duplicated: 0, digestMatches: true })
    expect(result.events).toBeGreaterThan(10)
  })

  it('lost: exit code 1 (an acknowledgement left before its command was even sent)', async () => {
    const mark = join(modules.folder, 'lied')
    // When it is first loaded it writes what the engine's process writes after a receipt; it hangs
    // when it is asked for a command, until the kill.
    const commands = modules.write(
      'liar.mjs',
      `${start}
       import { existsSync, writeFileSync, writeSync } from 'node:fs'
       const isFirst = !existsSync(${JSON.stringify(mark)})
       if (isFirst) {
         writeFileSync(${JSON.stringify(mark)}, '')
         const batch = new DataView(new ArrayBuffer(16))
         batch.setUint32(0, 1, true)
         batch.setUint32(4, 1, true)
         batch.setFloat64(8, 1, true)
         writeSync(4, new Uint8Array(batch.buffer))
       }
       export default () => {
         while (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
         return { command: Sell, value: { item: 'a', by: 1 } }
       }`,
    )
    const run = await drill('--domain', good, '--commands', commands, ...SHORT)
    expect(existsSync(mark)).toBe(true)
    expect(resultOf(run.stdout)).toMatchObject({ ok: false, lost: 1, duplicated: 0 })
    expect(run.stdout).toMatch(/^FAIL: /m)
    expect(run.code).toBe(1)
  })

  it.each([
    [
      'evolve counts its calls',
      `let calls = 0
       const Item = shop.aggregate('Item', { id: text, state: { sold: int } })
       const Sold = Item.event('Sold', {}, (item) => { item.sold = ++calls })`,
    ],
    [
      'restore drops an entry',
      `const Item = shop.aggregate('Item', { id: text, state: object({
         create: () => ({ sold: [] }),
         snapshot: ({ sold }) => sold,
         restore: (sold) => ({ sold: sold.slice(1) }),
       }) })
       const Sold = Item.event('Sold', {}, ({ sold }) => { if (sold.length < 9) sold.push(1) })`,
    ],
  ])('state: exit code 1 when a snapshot gives another one (%s)', async (what, declaration) => {
    const module = modules.write(
      `${what.replaceAll(' ', '-')}.mjs`,
      `import { domain, int, object, text } from '${TIDEWHEEL}'
       const shop = domain('shop', import.meta.url)
       export default shop
       ${declaration}
       // As many events as fill a segment on a slow machine as well: without one there is no snapshot.
       shop.command('Sell', { item: Item.id }, ({ item }, tx) => {
         for (let i = 0; i < 6; i++) tx.emit(Sold, item, {})
       })`,
    )
    const run = await drill('--domain', module, ...SHORT)
    const result = resultOf(run.stdout)
    // All recoveries replay from the first event on, and agree.
    expect(result).toMatchObject({ ok: false, lost: 0, duplicated: 0, digestMatches: true })
    expect(result.replay.problem).toMatch(/^the journal and \d+\.snapshot differ, first at Item/)
    expect(run.stdout).toMatch(/replay +DIFFERS: /)
    expect(run.stdout).toMatch(/^FAIL: /m)
    expect(run.code).toBe(1)
  })

  it('state: exit code 1 when recoveries differ (evolve asks the clock)', async () => {
    const clock = modules.domain('clock.mjs', 'item.note = Date.now()')
    const args = ['--kills', '2', '--seconds', '1', '--faults', 'torn', '--json']
    const run = await drill('--domain', clock, ...args)
    const result = resultOf(run.stdout)
    expect(result.faults[0]).toMatchObject({ digestMatches: false, isRight: false, lost: 0 })
    expect(result).toMatchObject({ ok: false, lost: 0, digestMatches: false })
    // All but those before the first event.
    expect(result.kills.map(({ digestMatches }) => digestMatches)).toContain(false)
    expect(run.stdout).toContain('verify --replay')
    expect(run.code).toBe(1)
  })

  it.each([
    ['is missing', 'none.mjs', undefined, /there is no file .*none\.mjs/],
    ['is TypeScript', 'a.ts', 'export default 1', /compile it/],
    ['throws', 'throws.mjs', `throw new Error('out of tea')`, /out of tea/],
    ['has no domain', 'empty.mjs', 'export default {}', /exports no domain as default/],
    [
      'has a domain of another copy',
      'copy.mjs',
      `export default { name: 'a', moduleUrl: 'b', commands: [] }`,
      /another copy of tidewheel/,
    ],
    [
      'has no commands',
      'bare.mjs',
      `import { domain } from '${TIDEWHEEL}'; export default domain('bare', import.meta.url)`,
      /has no commands/,
    ],
    [
      'opens an engine',
      'opens.mjs',
      `import { Engine } from '${TIDEWHEEL}'; import shop from './good.mjs'; export default shop
       await Engine.open('./opened', shop)`,
      /opens an engine/,
    ],
    [
      'opens an engine and does not wait',
      'floats.mjs',
      `import { Engine } from '${TIDEWHEEL}'; import shop from './good.mjs'; export default shop
       Engine.open('./opened', shop)`,
      /opens an engine/,
    ],
  ])('domain: one that %s is refused with the reason', async (_what, name, code, reason) => {
    const path = code === undefined ? join(modules.folder, name) : modules.write(name, code)
    const { code: exitCode, stderr } = await drill('--domain', path, ...SHORT)
    expect(stderr).toMatch(reason)
    expect(linesOf(stderr)).toHaveLength(1)
    expect(exitCode).toBe(1)
  })

  it.each([
    ['is no function', 'export default 7', /exports no function/],
    ['throws', `export default () => { throw new Error('no more') }`, /no more/],
    ['gives no command', 'export default () => ({})', /did not return \{ command, value \}/],
    [
      'gives a value that does not fit',
      `${start} export default () => ({ command: Sell, value: { item: 'a', by: 'much' } })`,
      /command 1 of the load cannot be sent: .*by/,
    ],
  ])('commands: a module that %s is refused with the reason', async (what, code, reason) => {
    const path = modules.write(`${what.replaceAll(' ', '-')}.mjs`, code)
    const run = await drill('--domain', good, '--commands', path, ...SHORT)
    expect(run.stderr).toMatch(reason)
    expect(run.code).toBe(1)
  })

  it('commands: a module that gives others after the kill is found out', async () => {
    // It swallows the acknowledgements, too, so that everything is sent again.
    const path = modules.write(
      'moody.mjs',
      `${start}
       import { writeSync } from 'node:fs'
       let begun = false
       export default () => {
         if (!begun) writeSync(4, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1))
         begun = true
         return { command: Sell, value: { item: 'a', by: process.pid } }
       }`,
    )
    const run = await drill('--domain', good, '--commands', path, '--kills', '5', '--seconds', '5')
    expect(run.stderr).toMatch(/command 1 of the load was another one after the kill/)
    expect(run.code).toBe(1)
  })
})
