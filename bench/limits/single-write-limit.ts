/**
 * The limit of one awaited transfer at a time: nothing but one synced write of 4 KiB after the other,
 * to a preallocated file, with fresh bytes each time. No second thread, no event loop.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { BLOCK_ALIGNMENT_BYTES } from '../../journal/block-layout.js'
import { alignedBuffer } from '../../journal/storage.js'
import type { Contender } from '../benchmark.js'
import { type Percentiles, percentilesOf } from '../percentiles.js'
import type { TransferOptions } from '../transfer-workload.js'
import { closeRaw, openRaw, prepareFiles, writeSynced } from './raw-file.js'

const FILE_BYTES = 16 * 1024 * 1024

export async function prepare(options: TransferOptions): Promise<Contender<Percentiles>> {
  const { directory, transfers, warmUp } = options
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const [name] = prepareFiles(directory, 1, FILE_BYTES)
  const file = openRaw(name!)
  const block = alignedBuffer(BLOCK_ALIGNMENT_BYTES)
  let written = 0
  const write = (count: number): Percentiles => {
    const latenciesUs = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      const startedMs = performance.now()
      block[0] = i
      writeSynced(file, block, written % FILE_BYTES)
      written += BLOCK_ALIGNMENT_BYTES
      latenciesUs[i] = (performance.now() - startedMs) * 1000
    }
    return percentilesOf(latenciesUs)
  }
  write(warmUp)
  return {
    round: async () => write(transfers),
    async end() {
      closeRaw(file)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
