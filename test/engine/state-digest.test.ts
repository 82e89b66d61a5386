/** What is in the digest: everything, wherever it falls in the pieces that are hashed at once. */
import { describe, expect, it } from 'vitest'
import { DomainRuntime } from '../../engine/domain-runtime.js'
import { RecordStore } from '../../engine/record-store.js'
import { stateDigest } from '../../engine/state-digest.js'
import probe from '../support/domains/probe.js'
import { seededRandom } from '../support/seeded-random.js'

/** Their slots take several pieces of 64 KiB. */
const STREAMS = 3000
const PIECE_BYTES = 64 * 1024

describe('state digest', () => {
  it('is another one for each byte of a slab, and for each text of a column (borders, samples)', () => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const runtime = new DomainRuntime(probe)
    const [store] = runtime.stores
    if (!(store instanceof RecordStore)) throw new Error('the first aggregate has record state')
    for (let i = 0; i < STREAMS; i++) store.ids.add(`account ${i}`)
    const { strideBytes, columns } = store
    const bytes = new Uint8Array(store.slab.buffer)
    const first = strideBytes
    const end = strideBytes * (STREAMS + 1)
    const borders = [first, end - 1, first + PIECE_BYTES - 1, first + PIECE_BYTES]
    const samples = Array.from({ length: 30 }, () => first + random.below(end - first))
    const digests = new Set([stateDigest(runtime)])
    for (const at of [...borders, ...samples]) {
      const held = bytes[at]!
      bytes[at] = held ^ 0x10
      digests.add(stateDigest(runtime))
      bytes[at] = held
    }
    expect(digests.size, `seed ${seed}`).toBe(1 + new Set([...borders, ...samples]).size)
    const text = 'x'.repeat(PIECE_BYTES + 1)
    for (const slot of [1, 1024, 1025, STREAMS]) {
      const before = digests.size
      columns[0]!.set(slot, text)
      digests.add(stateDigest(runtime))
      columns[0]!.set(slot, `${text.slice(1)}y`)
      digests.add(stateDigest(runtime))
      expect(digests.size, `slot ${slot}`).toBe(before + 2)
    }
    // Another length before the same bytes is another state.
    store.ids.removeLast()
    expect(digests).not.toContain(stateDigest(runtime))
  })
})
