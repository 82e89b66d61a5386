import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { randomCommand } from '../../engine/drill/random-commands.js'
import { type Domain, Engine } from '../../engine/index.js'
import { createRandom } from '../../engine/random.js'
import { checkReplay } from '../../engine/replay-check.js'
import exchange from '../../examples/exchange/exchange.js'
import payments from '../../examples/payments/payments.js'
import { fingerprint, linesOf, runCli } from '../support/cli.js'
import showcase from '../support/domains/showcase.js'
import { UserModules } from '../support/user-modules.js'

const modules = new UserModules()
afterAll(() => modules.remove())

const EXCHANGE = fileURLToPath(new URL('../../examples/exchange/exchange.js', import.meta.url))

/** A journal of made-up commands, some with a key, closed. Returns the digest of the live state. */
async function fill(path: string, domain: Domain, commands = 2000): Promise<string> {
  const engine = await Engine.open(path, domain, { keyCountMax: 100 })
  const random = createRandom(Uint32Array.of(5))
  for (let i = 0; i < commands; i++) {
    const { command, value } = randomCommand(domain, random)
    const options = i % 3 === 0 ? { key: `k${i}` } : undefined
    while (engine.submit(command, value, options) === 0) await engine.room()
  }
  await engine.synced()
  const digest = await engine.digest()
  await engine.close()
  return digest
}

async function domainOf(path: string): Promise<Domain> {
  return ((await import(pathToFileURL(path).href)) as { default: Domain }).default
}

/** A journal of one event of a domain whose `evolve` has this body. Returns the domain's module. */
async function sold(name: string, path: string, evolve: string): Promise<string> {
  const module = modules.domain(`${name}.mjs`, evolve)
  const domain = await domainOf(module)
  const engine = await Engine.open(path, domain)
  await engine.execute(domain.commands[0]!, { item: 'calm', by: 1 })
  await engine.close()
  return module
}

function verify(directory: string, domain: string, ...args: string[]) {
  return runCli(['verify', directory, '--replay', '--domain', domain, ...args])
}

describe('checkReplay', () => {
  it.each([exchange, payments, showcase])('%#: the digest of the live state', async (domain) => {
    const path = join(modules.folder, domain.name)
    const digest = await fill(path, domain)
    const before = fingerprint(path)
    const check = await checkReplay(path, domain)
    expect(check).toMatchObject({ digest, difference: undefined })
    expect(check.events).toBeGreaterThan(0)
    expect(fingerprint(path)).toEqual(before)
  })

  it('clock: is as it was afterwards', async () => {
    const path = join(modules.folder, 'clocked')
    await fill(path, exchange, 10)
    const { Date: before } = globalThis
    await checkReplay(path, exchange)
    expect(globalThis.Date).toBe(before)
  })
})

describe('tidewheel verify --replay', () => {
  it('digest: printed, in JSON too, and compared (a noted one)', async () => {
    const path = join(modules.folder, 'noted')
    const digest = await fill(path, exchange)
    const before = fingerprint(path)
    const right = await verify(path, EXCHANGE, '--expect', digest)
    expect(right).toMatchObject({ code: 0, stderr: '' })
    expect(right.stdout).toContain(`${digest} after `)
    const json = JSON.parse(linesOf((await verify(path, EXCHANGE, '--json')).stdout)[0] ?? '')
    expect(json).toMatchObject({ ok: true, replay: { digest } })

    const other = `${digest.startsWith('0') ? '1' : '0'}${digest.slice(1)}`
    const wrong = await verify(path, EXCHANGE, '--expect', other)
    expect(wrong.code).toBe(1)
    expect(wrong.stdout).toContain(`the digest is not ${other}`)
    expect(fingerprint(path)).toEqual(before)
  })

  it.each([
    ['the clock, as a number of days', 'item.note = Math.floor(Date.now() / 86_400_000)'],
    ['the clock, as a new Date', 'item.note = new Date().getTime()'],
    ['its process', 'item.note = process.pid'],
    ['randomness', 'item.note = Math.floor(Math.random() * 1e9)'],
    ['a variable of the module', 'item.note = counter++'],
  ])('evolve that asks for %s: the first stream is named, exit code 1', async (_what, evolve) => {
    const name = evolve.replaceAll(/\W/g, '')
    const module = modules.domain(
      `${name}.mjs`,
      `if (event.by === 77 || item.note !== 0) { ${evolve} }`,
    )
    const domain = await domainOf(module)
    const path = join(modules.folder, name)
    const engine = await Engine.open(path, domain)
    const sell = domain.commands[0]!
    await engine.execute(sell, { item: 'calm', by: 1 })
    await engine.execute(sell, { item: 'moody', by: 77 })
    await engine.execute(sell, { item: 'calm', by: 2 })
    await engine.close()

    const run = await verify(path, module)
    expect(run.stdout).toMatch(/^REPLAY: two replays differ, first at Item moody: /m)
    expect(run.stdout).toContain('"sold":77')
    expect(run.code).toBe(1)
    const json = JSON.parse(linesOf((await verify(path, module, '--json')).stdout)[0] ?? '')
    expect(json).toMatchObject({ ok: false, replay: { aggregate: 'Item', id: 'moody' } })
  })

  it('domain: one of another journal is refused', async () => {
    const path = join(modules.folder, 'foreign')
    await fill(path, payments, 10)
    const run = await verify(path, EXCHANGE)
    expect(run.stderr).toMatch(/belongs to the domain/)
    expect(run.code).toBe(1)
  })

  it('module that ends the process, at once or in an evolve: nothing is said to be verified', async () => {
    const path = join(modules.folder, 'ended')
    const file = await sold('ended', path, `if (process.argv[1].includes('cli')) process.exit(0)`)
    const exits = modules.write('exits.mjs', `process.exit(0)\nexport { default } from '${file}'`)
    for (const module of [exits, file]) {
      const run = await verify(path, module)
      expect(run.stderr).toMatch(/did not come to its end/)
      expect(run.stdout).not.toContain('OK')
      expect(run.code).toBe(1)
    }
  })

  it('module that never finishes loading, or goes on for ever: an end, and a reason', async () => {
    const path = join(modules.folder, 'lasting')
    const file = await sold('lasting', path, '')
    const waits = modules.write(
      'waits.mjs',
      `export { default } from '${file}'\nawait new Promise(() => {})`,
    )
    const run = await verify(path, waits)
    expect(run.stderr).toMatch(/has not finished loading after 30 s/)
    expect(run.code).toBe(1)
    const lasts = modules.write(
      'lasts.mjs',
      `export { default } from '${file}'\nsetInterval(() => undefined, 1000)`,
    )
    expect(await verify(path, lasts)).toMatchObject({ code: 0, stderr: '' })
  }, 60_000)
})
