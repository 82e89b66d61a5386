/** Every call that the canonical workloads, a backup and its restore make of the system, with every fault, once. */
import { FaultSession } from '../../test/support/faults/fault-session.js'
import { straceProblem } from '../../test/support/faults/strace.js'
import { faultSubjects } from '../../test/support/faults/subjects.js'
import { type SeededRandom, seededRandom } from '../../test/support/seeded-random.js'
import { Coverage } from '../../test/support/simulation/coverage.js'
import type { SuiteResult } from './suite-result.js'

const WRONG_SHOWN_MAX = 20

/** @param minutes what is not tried by then is counted, and left out */
export async function soakSystem(minutes: number): Promise<SuiteResult> {
  const problem = straceProblem()
  if (problem !== undefined) {
    console.log(`skipped: ${problem}`)
    return { isRight: true, counts: {}, skipped: problem }
  }
  const endMs = performance.now() + minutes * 60_000
  const coverage = new Coverage()
  const sessions = faultSubjects().map((subject) => new FaultSession(subject, coverage))
  try {
    const cases = []
    for (const session of sessions) {
      for (const each of await session.cases()) cases.push({ session, each })
    }
    shuffle(cases, seededRandom(1))
    for (const { session, each } of cases) {
      if (performance.now() < endMs) await session.try(each)
      else coverage.add('no time for')
    }
  } finally {
    for (const session of sessions) session.remove()
  }
  for (const missed of sessions.flatMap(({ missed }) => missed)) console.log(`  not met: ${missed}`)
  const wrong = sessions.flatMap(({ wrong }) => wrong)
  for (const each of wrong.slice(0, WRONG_SHOWN_MAX)) console.error(`  ${each}`)
  coverage.add('wrong', wrong.length)
  console.log(`real faults by strace:\n${coverage}`)
  return { isRight: wrong.length === 0, counts: coverage.toJSON() }
}

/** So that a run that has no time for all of them is a sample of all. */
function shuffle(list: unknown[], random: SeededRandom): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const held = list[i]
    list[i] = list[j]
    list[j] = held
  }
}
