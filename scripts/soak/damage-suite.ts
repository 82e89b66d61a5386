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

const SUITES: readonly (readonly [string, () => DamageTally])[] = [
  ['every bit of a sealed journal', () => flipBits(EVERYTHING)],
  ['every bit of a last block that a crash left', flipLastBlock],
  ['every length of every file', () => changeLengths(EVERYTHING)],
  ['segments missing, doubled, exchanged or foreign', misplaceSegments],
]
const WRONG_SHOWN_MAX = 20

/** Each journal with a damaged archive is opened. */
function soakArchive(): boolean {
  const { tried, openings, wrong } = damageArchive(EVERYTHING)
  console.log(
    `every bit and every length of an archive: ${tried} tried, ${openings} opened, ${wrong.length} not refused`,
  )
  for (const one of wrong.slice(0, WRONG_SHOWN_MAX)) console.error(`  ${one}`)
  return wrong.length === 0
}

/** @returns whether nothing was lost silently */
export function soakDamage(): boolean {
  let isRight = soakArchive()
  for (const [name, run] of SUITES) {
    const tally = run()
    console.log(`${name}: ${tally}`)
    for (const wrong of tally.wrong.slice(0, WRONG_SHOWN_MAX)) console.error(`  ${wrong}`)
    isRight &&= tally.wrong.length === 0
  }
  return isRight
}
