/**
 * The limit of amplification: what synced writes on the same schedule (write-schedule-limit.ts) put on
 * disk for each byte of a transfer. No header, no seal: only padding.
 */
import type { Contender } from '../benchmark.js'
import type { AmplificationOptions } from '../benchmarks/journal-amplification.js'
import { commandCount } from '../open-loop.js'
import { TRANSFER_BYTES } from './transfer-slab.js'
import { prepareWrites } from './write-schedule-limit.js'

export async function prepare(options: AmplificationOptions): Promise<Contender<number>> {
  const writes = await prepareWrites({ ...options, commandBytes: TRANSFER_BYTES })
  return {
    async round() {
      const { bytes } = await writes.round()
      return bytes / (commandCount(options) * TRANSFER_BYTES)
    },
    end: () => writes.end(),
  }
}
