/** Modules as users write them, in a folder of their own: for tools that load them by path. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** URL of what users import as 'tidewheel'. */
export const TIDEWHEEL = new URL('../../engine/index.js', import.meta.url).href

export class UserModules {
  readonly folder = mkdtempSync(join(tmpdir(), 'tidewheel-modules-'))

  /** Path of the module, which is written. */
  write(name: string, code: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, code)
    return path
  }

  /** A domain of one aggregate with one event, whose `evolve` has this body. */
  domain(name: string, evolve: string): string {
    return this.write(
      name,
      `import { domain, int, text } from '${TIDEWHEEL}'
       const shop = domain('shop', import.meta.url)
       export default shop
       export const Item = shop.aggregate('Item', { id: text, state: { sold: int, note: int } })
       let counter = 0
       export const Sold = Item.event('Sold', { by: int }, (item, event) => { item.sold += event.by; ${evolve} })
       export const Sell = shop.command('Sell', { item: Item.id, by: int }, (command, tx) => {
         tx.emit(Sold, command.item, { by: command.by % 1000 })
       })`,
    )
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
