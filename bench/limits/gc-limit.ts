/**
 * The limit of garbage: collections in the hand-written loop of the same transfers (transfer-limit.ts),
 * and the longest pause of any while their bytes are written on the same schedule
 * (write-schedule-limit.ts). Both allocate nothing for a transfer.
 */
import { join } from 'node:path'
import type { Contender } from '../benchmark.js'
import type { GcOptions, GcResult } from '../benchmarks/transfer-gc.js'
import { collectionsDuring } from '../collections.js'
import { prepare as prepareTransfers } from './transfer-limit.js'
import { TRANSFER_BYTES } from './transfer-slab.js'
import { prepareWrites } from './write-schedule-limit.js'

export async function prepare(options: GcOptions): Promise<Contender<GcResult>> {
  const { directory } = options
  const loop = await prepareTransfers({ ...options, directory: join(directory, 'loop') })
  const writes = await prepareWrites({
    ...options,
    warmUpSeconds: 0,
    directory: join(directory, 'writes'),
    commandBytes: TRANSFER_BYTES,
  })
  return {
    async round() {
      const { young } = await collectionsDuring(() => loop.round())
      const { longestPauseMs } = await collectionsDuring(() => writes.round())
      return { young, pauseMs: longestPauseMs }
    },
    async end() {
      await writes.end()
      await loop.end()
    },
  }
}
