/** What is in the digest: everything, wherever it falls in the pieces that are hashed at once. */
import { describe, expect, it } from 'vitest'
import { DomainRuntime } from '../../engine/domain-runtime.js'
import { RecordStore } from '../../engine/record-store.js'
import { stateDigest } from '../../engine/state-digest.js'
import probe from '../support/domains/probe.js'
import { seededRandom } from '../support/seeded-random.js'

const PIECE_BYTES = 64 * 1024

describe('state digest', () => {
  it.each([
    // Slots of which 1,024 are more than a piece, and slots of which they are a part of one.
    [0, 3_000, (i: number) => `account ${i}`],
    [1, 20_000, (i: number) => i],
  ])('slab: each byte counts (borders, samples, aggregate %i)', (index, streams, idOf) => {
    const seed = Date.now() >>> 0
    const random = seededRandom(seed)
    const { runtime, store } = filled(index, streams, idOf)
    const bytes = new Uint8Array(store.slab.buffer)
    const first = store.strideBytes
    const end = store.strideBytes * (streams + 1)
    const places = new Set([first, end - 1])
    for (let at = first; at < end; at += PIECE_BYTES / 2) places.add(at + random.below(8))
    for (let i = 0; i < 30; i++) places.add(first + random.below(end - first))
    const digests = new Set([stateDigest(runtime)])
    for (const at of places) {
      bytes[at]! ^= 0x10
      digests.add(stateDigest(runtime))
      bytes[at]! ^= 0x10
    }
    expect(digests.size, `seed ${seed}`).toBe(1 + places.size)
  })

  it('ids: each one counts, and so does how many there are', () => {
    const streams = 20_000
    const digests = new Set<string>()
    for (const other of [-1, 0, 9_000, 9_001, 12_345, streams - 1]) {
      const ids = (i: number): number => (i === other ? 1_000_000 : i)
      digests.add(stateDigest(filled(1, streams, ids).runtime))
    }
    digests.add(stateDigest(filled(1, streams - 1, (i) => i).runtime))
    expect(digests.size).toBe(7)
  })

  it('columns: each text counts, also a long one (borders of pieces)', () => {
    const streams = 3_000
    const { runtime, store } = filled(0, streams, (i) => `account ${i}`)
    const digests = new Set([stateDigest(runtime)])
    for (const slot of [1, 1024, 1025, streams]) {
      for (const text of ['short', 'x'.repeat(PIECE_BYTES), `${'x'.repeat(PIECE_BYTES)}y`]) {
        store.columns[0]!.set(slot, text)
        digests.add(stateDigest(runtime))
      }
    }
    expect(digests.size).toBe(13)
  })
})

function filled(
  index: number,
  streams: number,
  idOf: (i: number) => string | number,
): { runtime: DomainRuntime; store: RecordStore } {
  const runtime = new DomainRuntime(probe)
  const store = runtime.stores[index]
  if (!(store instanceof RecordStore)) throw new Error('the aggregate has record state')
  for (let i = 0; i < streams; i++) store.ids.add(idOf(i))
  return { runtime, store }
}
