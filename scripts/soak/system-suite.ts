/** Every call that the canonical workloads make of the system, with every fault, once. */
import { FaultSession } from '../../test/support/faults/fault-session.js'
import { straceProblem } from '../../test/support/faults/strace.js'
import { WORKLOADS } from '../../test/support/faults/workloads.js'
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
  let isRight = true
  for (const workload of WORKLOADS) {
    const session = new FaultSession(workload, coverage)
    try {
      const cases = await session.cases()
      for (const each of cases) {
        if (performance.now() < endMs) await session.try(each)
        else coverage.add(`${workload.name}: no time for`)
      }
    } finally {
      session.remove()
    }
    for (const wrong of session.wrong.slice(0, WRONG_SHOWN_MAX)) console.error(`  ${wrong}`)
    for (const missed of session.missed) console.log(`  not met: ${missed}`)
    isRight &&= session.wrong.length === 0
  }
  console.log(`real faults by strace:\n${coverage}`)
  return { isRight, counts: coverage.toJSON() }
}
