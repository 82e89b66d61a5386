/**
 * Makes what comes from the system's randomness (journal ids, salts, seeds of generators) a function
 * of a seed, for the whole process, until it is restored. The engine asks node:crypto and does not
 * know the difference; so a run that failed can be repeated to the byte.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { type SeededRandom, seededRandom } from '../seeded-random.js'

type Crypto = Pick<typeof import('node:crypto'), 'randomBytes' | 'randomInt' | 'randomFillSync'>

/** Returns what gives the system its randomness back. */
export function seedEntropy(seed: number): () => void {
  // Through require, since only that object can be changed; the names that modules have imported
  // follow it.
  const crypto = createRequire(import.meta.url)('node:crypto') as Record<string, unknown>
  const { randomBytes, randomInt, randomFillSync } = crypto
  Object.assign(crypto, seededCrypto(seededRandom(seed)))
  syncBuiltinESMExports()
  return () => {
    Object.assign(crypto, { randomBytes, randomInt, randomFillSync })
    syncBuiltinESMExports()
  }
}

/** The synchronous forms that the engine uses. */
function seededCrypto(random: SeededRandom): Record<keyof Crypto, unknown> {
  const fill = <View extends NodeJS.ArrayBufferView>(view: View): View => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256)
    return view
  }
  return {
    randomBytes: (lengthBytes: number) => fill(Buffer.alloc(lengthBytes)),
    randomInt: (max: number) => random.below(max),
    randomFillSync: fill,
  }
}
