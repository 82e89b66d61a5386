/**
 * `idle.cpu@inline`, `idle.cpu@thread`: what an open engine with nothing to do takes of a core, all
 * threads of the process together. The limit is a process of Node that opens nothing
 * (limits/idle-limit.ts).
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine } from '../../engine/index.js'
import { type Benchmark, type Contender, type Row, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import ledger, { Account, Deposit } from '../domains/ledger.js'
import { idleShare } from '../idle-share.js'
import { interleaved, REPEATS } from '../interleaved.js'

const SIZES = {
  smoke: { seconds: 0.2 },
  quick: { seconds: 0.5 },
  full: { seconds: 10 },
} as const

export interface IdleOptions {
  readonly directory: string
  readonly mode: 'inline' | 'thread'
  readonly seconds: number
}

/** Until the last block is sealed and all threads sleep. */
const SETTLE_MS = 500

export const idleCpu: Benchmark = {
  name: 'idle.cpu',
  async run({ size, directory }) {
    const rows: Row[] = []
    for (const mode of ['inline', 'thread'] as const) {
      const options = { ...SIZES[size], mode, directory: join(directory, 'engine') }
      const [runs = [], limitRuns = []] = await interleaved<number, IdleOptions>(
        [
          { module: import.meta.url, options },
          { module: limitModule('idle-limit'), options },
        ],
        REPEATS[size],
      )
      const config = { ...SIZES[size], mode, durability: 'disk' }
      const unit = '% of a core'
      const name = `${this.name}@${mode}`
      rows.push(rowOf({ name, unit, better: 'less', runs, limitRuns, config }))
    }
    return rows
  },
}

export async function prepare(options: IdleOptions): Promise<Contender<number>> {
  const { directory, mode, seconds } = options
  rmSync(directory, { recursive: true, force: true })
  const engine = await Engine.open(directory, ledger, { processor: mode })
  await engine.execute(Deposit, { account: 1, amount: 100 })
  await sleep(SETTLE_MS)
  return {
    round: () => idleShare(seconds),
    async end() {
      const account = await engine.query(Account, 1)
      await engine.close()
      rmSync(directory, { recursive: true, force: true })
      if (account?.balance !== 100) throw new Error('the idle engine does not answer')
    },
  }
}
