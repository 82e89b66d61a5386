/**
 * `transfer.tuned`: `transfer.throughput` in processes that are started with what the guide
 * recommends for speed: a larger budget for V8's inlining, and huge pages for large memory. The limit
 * is started with the same.
 */
import type { Benchmark } from '../benchmark.js'
import { compare, limitModule } from '../compare.js'
import type { ProcessTuning } from '../isolated.js'
import { TRANSFER_SIZES } from './transfer-throughput.js'

const TUNING: ProcessTuning = {
  nodeArguments: ['--max-inlined-bytecode-size-cumulative=2000'],
  environment: { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
}

export const transferTuned: Benchmark = {
  name: 'transfer.tuned',
  async run(options) {
    const row = await compare(options, {
      name: this.name,
      unit: 'durable commands/s',
      better: 'more',
      engine: new URL('./transfer-throughput.js', import.meta.url).href,
      limit: limitModule('transfer-limit'),
      options: TRANSFER_SIZES[options.size],
      config: {
        mode: 'inline',
        producers: 1,
        node: TUNING.nodeArguments.join(' '),
        ...TUNING.environment,
      },
      tuning: TUNING,
    })
    return [row]
  },
}
