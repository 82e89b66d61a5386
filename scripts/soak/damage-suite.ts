/** Every bit and every length of a small journal, once: minutes, whatever time is asked for. */
import { damageArchive } from '../../test/support/damage/archive-damage.js'
import {
  changeLengths,
  type DamageTally,
  EVERYTHING,
  flipBits,
  flipLastBlock,
  misplaceSegments,
} from '../../test/support/damage/journal-damage.js'
import type { SuiteResult } from './suite-result.js'

const SUITES: readonly (readonly [string, () => DamageTally])[] = [
  ['every bit of a sealed journal', () => flipBits(EVERYTHING)],
  ['every bit of a last block that a crash left', flipLastBlock],
  ['every length of every file', () => changeLengths(EVERYTHING)],
  ['segments missing, doubled, exchanged or foreign', misplaceSegments],
]
const WRONG_SHOWN_MAX = 20

/** Each journal with a damaged archive is opened. */
function soakArchive(counts: Record<string, number>): boolean {
  const { tried, openings, wrong } = damageArchive(EVERYTHING)
  const name = 'every bit and every length of an archive'
  console.log(`${name}: ${tried} tried, ${openings} opened, ${wrong.length} not refused`)
  for (const one of wrong.slice(0, WRONG_SHOWN_MAX)) console.error(`  ${one}`)
  const outcomes = { tried, opened: openings, 'not refused': wrong.length }
  for (const [outcome, count] of Object.entries(outcomes)) counts[`${name}: ${outcome}`] = count
  return wrong.length === 0
}

export function soakDamage(): SuiteResult {
  const counts: Record<string, number> = {}
  let isRight = soakArchive(counts)
  for (const [name, run] of SUITES) {
    const tally = run()
    console.log(`${name}: ${tally}`)
    for (const each of tally.wrong.slice(0, WRONG_SHOWN_MAX)) console.error(`  ${each}`)
    const { tried, refused, repaired, cut, unharmed, wrong } = tally
    const outcomes = { tried, refused, repaired, cut, unharmed, 'silent losses': wrong.length }
    for (const [outcome, count] of Object.entries(outcomes)) counts[`${name}: ${outcome}`] = count
    isRight &&= tally.wrong.length === 0
  }
  return { isRight, counts }
}
