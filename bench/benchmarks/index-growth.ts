/**
 * `index.growth.…`: the longest that adding one id takes while an index of that type grows to 10
 * million ids. The limit is the same loop over a table that has its size from the start
 * (limits/growth-limit.ts): what the system's interruptions and fresh pages of memory cost anyone.
 */
import { createIdIndex } from '../../engine/memory/id-index.js'
import type { Benchmark, Contender, Row } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import { ScatteredId } from '../ids.js'
import { FRESH_REPEATS } from '../interleaved.js'
import { longestMs } from '../longest.js'

const SIZES = {
  smoke: { ids: 20_000 },
  quick: { ids: 600_000 },
  full: { ids: 10_000_000 },
} as const

/** Into another index, before the clock starts: V8 compiles, and stops for that. */
export const WARM_UP_IDS = 200_000

const TYPES = ['u32', 'u64', 'text'] as const

export interface GrowthOptions {
  readonly ids: number
  readonly type: (typeof TYPES)[number]
}

export const indexGrowth: Benchmark = {
  name: 'index.growth',
  async run(options) {
    const rows: Row[] = []
    for (const type of TYPES) {
      const row = await compare(options, {
        name: `${this.name}.${type}`,
        unit: 'ms at most',
        better: 'less',
        engine: import.meta.url,
        limit: limitModule('growth-limit'),
        options: { ...SIZES[options.size], type },
        config: {},
        // No journal is written: nothing of the machine is used up.
        repeats: { ...FRESH_REPEATS[options.size], restSeconds: 0 },
      })
      rows.push(row)
    }
    return rows
  },
}

export async function prepare({ ids, type }: GrowthOptions): Promise<Contender<number>> {
  longestMs(WARM_UP_IDS, addTo(createIdIndex(type), type))
  return {
    async round() {
      const index = createIdIndex(type)
      const pauseMs = longestMs(ids, addTo(index, type))
      if (index.count !== ids) throw new Error(`${index.count} ids of ${ids}`)
      return pauseMs
    },
    async end() {
      // The round has checked itself.
    },
  }
}

function addTo(index: { add(id: unknown): number }, type: GrowthOptions['type']) {
  const id = new ScatteredId()
  return (count: number): void => {
    if (type === 'u32') return void index.add(count)
    if (type === 'text') return void index.add(`account-${count}`)
    id.set(count)
    index.add(id.bigint)
  }
}
