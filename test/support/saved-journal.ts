/** Journals of the domain `saved`, written by a real engine with seeded commands. */
import { Engine, type EngineOptions } from '../../engine/index.js'
import saved, { Change, Count, Fill, Pad } from './domains/saved.js'
import { type SeededRandom, seededRandom } from './seeded-random.js'

/** The smallest that an engine takes is 1 MiB and the headers. */
export const SAVED_SEGMENT_BYTES = 1024 * 1024 + 8192
const PADDING = new Uint8Array(250 * 1024)
const WORDS = ['', 'ä', 'plain', '𝕏 astral', '__proto__', 'x'.repeat(300)]

export function openSaved(path: string, options: EngineOptions = {}): Promise<Engine> {
  return Engine.open(path, saved, {
    segmentBytes: SAVED_SEGMENT_BYTES,
    // What is on disk is not what is tested with these, and syncs take long.
    durability: 'os',
    ...options,
  })
}

/** Runs commands until the journal has come to this segment. */
export async function growTo(engine: Engine, segment: number, seed: number): Promise<void> {
  const random = seededRandom(seed)
  while (engine.journalPosition().segmentNumber < segment) {
    for (let i = 0; i < 20; i++) await runAny(engine, random)
    await engine.execute(Pad, { small: random.below(5), padding: PADDING })
  }
}

export async function runAny(engine: Engine, random: SeededRandom): Promise<void> {
  const word = (): string => WORDS[random.below(WORDS.length)] as string
  const options = random.below(3) === 0 ? { key: `key-${random.below(500)}` } : {}
  const digits = String(random.below(40)).padStart(12, '0')
  const id = `00000000-0000-4000-8000-${digits}`
  const small = random.below(20)
  switch (random.below(3)) {
    case 0: {
      const wide = BigInt(random.below(10)) << BigInt(random.below(60))
      await engine.execute(Count, { small, wide, unique: id }, options)
      break
    }
    case 1:
      await engine.execute(
        Fill,
        {
          full: word() + random.below(8),
          flag: random.below(2) === 0,
          signed: random.below(1000) - 500,
          small: random.below(2 ** 31),
          money: random.below(1000) - 2 ** 40,
          wide: 2n ** 64n - 1n - BigInt(random.below(9)),
          ratio: random.below(100) / 7,
          token: id,
          title: word(),
          blob: Uint8Array.from({ length: random.below(9) }, (_, i) => i),
          note: [null, word(), { list: [random.below(9), true, 1n << 60n] }, []][random.below(4)],
          colour: (['red', 'green', 'blue'] as const)[random.below(3)] ?? 'red',
          unit: small,
        },
        options,
      )
      break
    default: {
      const name = WORDS[random.below(3)] as string
      const change = { tree: random.below(9), bag: `b${word()}`, name, value: random.below(1e6) }
      await engine.execute(Change, change, options)
    }
  }
}
