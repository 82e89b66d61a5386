/** The drill of users, with every fault, on both reference domains in turn. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DRILL_FAULTS } from '../../engine/drill/drill-damage.js'
import { isRight, runDrill } from '../../engine/drill/drill-run.js'
import { Coverage } from '../../test/support/simulation/coverage.js'
import type { SuiteResult } from './suite-result.js'

const DOMAINS = ['exchange', 'payments'] as const
const KILLS = 5
const LIFE_MS = 2000
const RATE = 20_000
/** Some lives end in the first segment, some roll. */
const SEGMENT_BYTES = 4 * 1024 * 1024

export async function soakDrill(minutes: number): Promise<SuiteResult> {
  const endMs = performance.now() + minutes * 60_000
  const coverage = new Coverage()
  let allRight = true
  do {
    for (const name of DOMAINS) allRight = (await drill(name, coverage)) && allRight
  } while (performance.now() < endMs && allRight)
  console.log(`drills:\n${coverage}`)
  return { isRight: allRight, counts: coverage.toJSON() }
}

async function drill(name: (typeof DOMAINS)[number], coverage: Coverage): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'tidewheel-soak-drill-'))
  const moduleUrl = new URL('../../engine/drill/user-flow.js', import.meta.url).href
  const domain = fileURLToPath(new URL(`../../examples/${name}/${name}.js`, import.meta.url))
  try {
    const result = await runDrill(
      {
        directory: join(folder, 'journal'),
        flow: { moduleUrl, options: { domain, commands: undefined } },
        segmentBytes: SEGMENT_BYTES,
        rate: RATE,
        killAfterMs: Array.from({ length: KILLS }, () => Math.random() * 2 * LIFE_MS),
        endAfterMs: LIFE_MS,
        faults: DRILL_FAULTS,
      },
      { onLine: () => undefined, onNote: () => undefined },
    )
    coverage.add(`${name}: drills`)
    coverage.add(`${name}: kills`, result.kills.length)
    coverage.add(`${name}: acknowledged`, result.acknowledged)
    coverage.add(`${name}: acknowledged and lost`, result.lost)
    coverage.add(`${name}: applied twice`, result.duplicated)
    for (const each of result.faults) {
      coverage.add(`${name}: ${each.fault} ${each.outcome}`)
      if (!each.isRight) console.error(`  ${name}: ${JSON.stringify(each)}`)
    }
    return isRight(result)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
