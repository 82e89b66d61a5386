/**
 * Where the time of a contender's rounds goes: `npm run bench -- NAME --profile FOLDER`. V8's own
 * sampling profiler runs while a round does, on the thread that submits, and sees through what it has
 * inlined. What was sampled is printed as a table and kept as a file that Chrome's DevTools open.
 *
 * A profiled round is a few percent slower, so its figures are not for comparison; the shares are.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender } from './benchmark.js'

/** Set by `--profile`, for the processes of the contenders: the folder. */
export const PROFILE_VARIABLE = 'TIDEWHEEL_BENCH_PROFILE'

const INTERVAL_US = 100
const FUNCTIONS_SHOWN = 24
/** What `npm run build` makes: where the names of files begin. */
const ROOT = new URL('../', import.meta.url).href

interface Share {
  readonly what: string
  readonly share: number
}

/** The same contender, whose rounds are profiled; `end` prints and keeps the last one's. */
export function profiled(
  contender: Contender<unknown>,
  module: string,
  folder: string,
): Contender<unknown> {
  const session = new Session()
  let profile: Profiler.Profile | undefined
  return {
    async round() {
      session.connect()
      await session.post('Profiler.enable')
      await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US })
      await session.post('Profiler.start')
      try {
        return await contender.round()
      } finally {
        profile = (await session.post('Profiler.stop')).profile
        session.disconnect()
      }
    },
    async end() {
      await contender.end()
      if (profile === undefined) return
      mkdirSync(folder, { recursive: true })
      const name = basename(fileURLToPath(module), '.js')
      const file = join(folder, `${name}-${process.pid}.cpuprofile`)
      writeFileSync(file, JSON.stringify(profile))
      console.log(`  ${name}: self time by function (${file})\n${tableOf(sharesOf(profile))}`)
    },
  }
}

/** Each function's own part of the time, largest first; what it calls is not in it. */
export function sharesOf({ nodes, samples = [] }: Profiler.Profile): Share[] {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const counts = new Map<string, number>()
  for (const id of samples) {
    const name = names.get(id) ?? '(unknown)'
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts]
    .map(([what, count]) => ({ what, share: count / samples.length }))
    .sort((a, b) => b.share - a.share)
}

function nameOf({ functionName, url }: { functionName: string; url: string }): string {
  if (functionName.startsWith('(')) return functionName
  // Code that the engine generates has no file.
  const file = url === '' ? 'generated or built in' : url.replace(ROOT, '')
  return `${functionName || '(anonymous)'}, ${file}`
}

function tableOf(shares: readonly Share[]): string {
  const shown = shares.slice(0, FUNCTIONS_SHOWN)
  const rest = shares.slice(FUNCTIONS_SHOWN).reduce((sum, { share }) => sum + share, 0)
  return [...shown, { what: 'all others', share: rest }]
    .map(({ what, share }) => `    ${(share * 100).toFixed(1).padStart(5)} %  ${what}`)
    .join('\n')
}
