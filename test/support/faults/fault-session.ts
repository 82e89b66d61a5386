/**
 * One subject against every fault: each place that strace has seen, with each fault, in a process and
 * a directory of their own. What is found afterwards is judged by the subject.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Coverage } from '../simulation/coverage.js'
import type { ProcessEnd } from './run-process.js'
import { FAULTS, type Fault, type Place, placesOf, runWithFault } from './strace.js'

/** A read has no ENOSPC. */
const READS: readonly string[] = ['pread64']
const RUNS_MAX = 10

/** What is run, and what must be true after it whatever has happened to it. */
export interface FaultSubject {
  readonly name: string
  /** Once, in a folder that outlives all runs. */
  prepare(folder: string): Promise<void>
  /** Leaves in `directory`, which does not exist, what a run begins with. */
  begin(directory: string): Promise<void>
  /** The process that meets faults, on files in `directory`. */
  command(directory: string): readonly string[]
  /** @param fault undefined when the place was not met */
  judge(
    directory: string,
    end: ProcessEnd,
    fault: Fault | undefined,
    place: Place,
  ): Promise<Judgement>
}

export interface Judgement {
  readonly outcome: string
  /** None, when all is right. */
  readonly problems: readonly string[]
}

export interface FaultCase {
  readonly place: Place
  readonly fault: Fault
}

export class FaultSession {
  readonly coverage: Coverage
  readonly wrong: string[] = []
  /** Places that no fault has reached: the call was not made in these runs, or by another thread. */
  readonly missed: string[] = []
  private readonly subject: FaultSubject
  private readonly folder = mkdtempSync(join(tmpdir(), 'tidewheel-faults-'))
  private runs = 0

  constructor(subject: FaultSubject, coverage: Coverage) {
    this.subject = subject
    this.coverage = coverage
  }

  /** All that there is to try, in the order of the calls. */
  async cases(): Promise<FaultCase[]> {
    await this.subject.prepare(this.folder)
    const directory = await this.directory()
    const places = await placesOf(this.subject.command(directory), directory)
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
    const { subject, coverage } = this
    const directory = await this.directory()
    const where = `${subject.name}: ${fault} at ${place.call} ${place.ordinal} of ${place.file}`
    const command = subject.command(directory)
    const { met, ...end } = await runWithFault(command, directory, place, fault)
    const isMet = met > 0
    const judgement = await subject.judge(directory, end, isMet ? fault : undefined, place)
    const { outcome, problems } = judgement
    rmSync(directory, { recursive: true, force: true })
    rmSync(`${directory}.trace`, { force: true })
    if (problems.length > 0) {
      this.wrong.push(`${where}: ${problems.join('; ')}\n    ${end.lines.join('\n    ')}`)
    }
    coverage.add('runs')
    if (isMet) {
      coverage.add(`${subject.name}: ${outcome}`)
      coverage.add(`${place.call}: ${fault}`)
    } else if (isLast) {
      this.missed.push(where)
      coverage.add(`${subject.name}: not met`)
    }
    return isMet
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async directory(): Promise<string> {
    const directory = join(this.folder, `run-${++this.runs}`)
    await this.subject.begin(directory)
    return directory
  }
}
