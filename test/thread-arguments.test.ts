import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { threadArguments } from '../journal/thread-arguments.js'

const engine = new URL('../engine/index.js', import.meta.url).href
const folder = mkdtempSync(join(tmpdir(), 'tidewheel-arguments-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('threadArguments', () => {
  it('nothing is given that a thread inherits anyway (no --input-type)', () => {
    expect(threadArguments([])).toEqual({})
    expect(threadArguments(['--expose-gc', '-e', 'code'])).toEqual({})
  })

  it('only what loads modules is left beside --input-type', () => {
    const given = ['--expose-gc', '--import', './a.js', '--input-type=module', '-C=dev']
    expect(threadArguments([...given, '-e', '-C'])).toEqual({
      execArgv: ['--import', './a.js', '-C=dev', '-C'],
    })
    expect(threadArguments(['--input-type', 'module'])).toEqual({ execArgv: [] })
  })
})

describe('a program given as text', () => {
  it.each(['inline', 'thread'])('runs an engine (processor %s)', (processor) => {
    const module = join(folder, 'shop.mjs')
    writeFileSync(
      module,
      `import { domain, text, int } from ${JSON.stringify(engine)}
       const shop = domain('shop', import.meta.url)
       export default shop
       export const Item = shop.aggregate('Item', { id: text, state: { count: int } })
       const Sold = Item.event('Sold', { by: int }, (item, event) => { item.count += event.by })
       export const Sell = shop.command('Sell', { item: Item.id, by: int }, (command, tx) => {
         tx.emit(Sold, command.item, { by: command.by })
       })`,
    )
    const code = `import { Engine } from ${JSON.stringify(engine)}
      import shop, { Sell } from ${JSON.stringify(pathToFileURL(module).href)}
      const path = ${JSON.stringify(join(folder, processor))}
      const engine = await Engine.open(path, shop, { processor: '${processor}', segmentBytes: 2 ** 21 })
      console.log((await engine.execute(Sell, { item: 'a', by: 1 })).accepted)
      await engine.close()`
    const args = ['--max-old-space-size=500', '--input-type=module', '-e', code]
    const options = { cwd: dirname(fileURLToPath(import.meta.url)), encoding: 'utf8' as const }
    expect(execFileSync(process.execPath, args, options)).toBe('true\n')
  })
})
