/**
 * One workload against every fault: each place that strace has seen, with each fault, in a process and
 * a directory of their own. What was answered must be there afterwards, whole and once:
 *
 *   run, with the fault ─▶ what it said is judged ─▶ opened again: every answer, a state that the
 *   model knows ─▶ what was answered is sent again: the same receipts ─▶ one more command ─▶ opened
 *   once more: that state
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Coverage } from '../simulation/coverage.js'
import { judge, type Said } from './fault-verdict.js'
import { modelDigests } from './ledger-model.js'
import { checkReopened } from './reopened.js'
import { FAULTS, type Fault, type Place, placesOf, runWithFault } from './strace.js'
import { prepareJournal, type Workload } from './workloads.js'

const PROCESS = fileURLToPath(new URL('./faulted-process.js', import.meta.url))
/** A read has no ENOSPC. */
const READS: readonly string[] = ['pread64']
const COMMANDS_MAX = 64
const RUNS_MAX = 10

export interface FaultCase {
  readonly place: Place
  readonly fault: Fault
}

export class FaultSession {
  readonly coverage: Coverage
  readonly wrong: string[] = []
  /** Places that no fault has reached: the call was not made in these runs, or by another thread. */
  readonly missed: string[] = []
  private readonly workload: Workload
  private readonly folder = mkdtempSync(join(tmpdir(), 'tidewheel-faults-'))
  private digests: readonly string[] = []
  private runs = 0

  constructor(workload: Workload, coverage: Coverage) {
    this.workload = workload
    this.coverage = coverage
  }

  /** All that there is to try, in the order of the calls. */
  async cases(): Promise<FaultCase[]> {
    const { workload } = this
    await prepareJournal(workload, join(this.folder, 'template'))
    this.digests = await modelDigests(workload, COMMANDS_MAX)
    const directory = await this.directory()
    const places = await placesOf(this.command(directory), directory)
    rmSync(directory, { recursive: true })
    return places.flatMap((place) =>
      FAULTS.filter((fault) => fault !== 'ENOSPC' || !READS.includes(place.call)).map((fault) => ({
        place,
        fault,
      })),
    )
  }

  /** What depends on the speed of threads may want another run until the call is made. */
  async try(each: FaultCase): Promise<void> {
    for (let run = 1; run <= RUNS_MAX; run++) {
      if (await this.meets(each, run === RUNS_MAX)) return
    }
  }

  private async meets({ place, fault }: FaultCase, isLast: boolean): Promise<boolean> {
    const { workload, coverage } = this
    const directory = await this.directory()
    const where = `${workload.name}: ${fault} at ${place.call} ${place.ordinal} of ${place.file}`
    const { met, ...traced } = await runWithFault(this.command(directory), directory, place, fault)
    const said = traced.lines.map((line) => JSON.parse(line) as Said)
    const { problem, outcome } = judge(said, traced.ended, met > 0 ? fault : undefined, place)
    const problems = problem === undefined ? [] : [problem]
    try {
      await checkReopened(directory, workload, this.digests, said)
    } catch (error) {
      problems.push(`opened again: ${error instanceof Error ? error.message : error}`)
    }
    rmSync(directory, { recursive: true, force: true })
    rmSync(`${directory}.trace`, { force: true })
    if (problems.length > 0) {
      this.wrong.push(`${where}: ${problems.join('; ')}\n    ${traced.lines.join('\n    ')}`)
    }
    coverage.add('runs')
    if (met > 0) {
      coverage.add(`${workload.name}: ${outcome}`)
      coverage.add(`${place.call}: ${fault}`)
    } else if (isLast) {
      this.missed.push(where)
      coverage.add(`${workload.name}: not met`)
    }
    return met > 0
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  private command(directory: string): string[] {
    return [process.execPath, PROCESS, this.workload.name, directory]
  }

  /** A fresh one, with what is there before. */
  private async directory(): Promise<string> {
    const directory = join(this.folder, `run-${++this.runs}`)
    const template = join(this.folder, 'template')
    if (existsSync(template)) await cp(template, directory, { recursive: true })
    return directory
  }
}
