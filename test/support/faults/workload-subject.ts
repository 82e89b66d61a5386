/**
 * An engine at a workload. What was answered must be there afterwards, whole and once:
 *
 *   run, with the fault ─▶ what it said is judged ─▶ opened again: every answer, a state that the
 *   model knows ─▶ what was answered is sent again: the same receipts ─▶ one more command ─▶ opened
 *   once more: that state
 */
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { causeOf } from '../../../journal/errors.js'
import type { FaultSubject, Judgement } from './fault-session.js'
import { judge, type Said } from './fault-verdict.js'
import { modelDigests } from './ledger-model.js'
import { checkReopened } from './reopened.js'
import type { ProcessEnd } from './run-process.js'
import type { Fault, Place } from './strace.js'
import { prepareJournal, type Workload } from './workloads.js'

const PROCESS = fileURLToPath(new URL('./faulted-process.js', import.meta.url))
const COMMANDS_MAX = 64

export class WorkloadSubject implements FaultSubject {
  readonly name: string
  private readonly workload: Workload
  private template: string | undefined
  private digests: readonly string[] = []

  constructor(workload: Workload) {
    this.name = workload.name
    this.workload = workload
  }

  async prepare(folder: string): Promise<void> {
    this.digests = await modelDigests(this.workload, COMMANDS_MAX)
    if (this.workload.before === 0) return
    this.template = join(folder, 'template')
    await prepareJournal(this.workload, this.template)
  }

  async begin(directory: string): Promise<void> {
    if (this.template !== undefined) await cp(this.template, directory, { recursive: true })
  }

  command(directory: string): string[] {
    return [process.execPath, PROCESS, this.name, directory]
  }

  async judge(
    directory: string,
    end: ProcessEnd,
    fault: Fault | undefined,
    place: Place,
  ): Promise<Judgement> {
    const said = end.lines.map((line) => JSON.parse(line) as Said)
    const { problem, outcome } = judge(said, end.ended, fault, place)
    const problems = problem === undefined ? [] : [problem]
    try {
      await checkReopened(directory, this.workload, this.digests, said)
    } catch (error) {
      problems.push(`opened again: ${causeOf(error)}`)
    }
    return { outcome, problems }
  }
}
