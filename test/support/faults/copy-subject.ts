/**
 * A backup, or a journal made from one, of a journal with some segments and a snapshot. However it ends, its
 * directory is empty, refused, or the whole of what was asked for; the source is as it was:
 *
 *   KILL           any of them
 *   EIO, ENOSPC    it says so, with a code; or it did not need the call
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { causeOf, TidewheelError } from '../../../journal/errors.js'
import { CLI, fingerprint } from '../cli.js'
import { EVENTS_A_COMMAND } from '../domains/fault-ledger.js'
import type { FaultSubject, Judgement } from './fault-session.js'
import { modelDigests } from './ledger-model.js'
import type { ProcessEnd } from './run-process.js'
import type { Fault } from './strace.js'
import { openLedger, prepareJournal, type Workload } from './workloads.js'

/**
 * Sealed segments and no archive, which would say by itself that a segment must follow: the first ones
 * of a copy would be a journal, were it not for its manifest.
 */
const SOURCE: Workload = {
  name: 'source',
  noteBytes: 90_000,
  before: 30,
  prepare: (work) => work.snapshot(),
  run: async () => undefined,
}
const REFUSED = /^tidewheel: (STORAGE_FAILED|DISK_FULL|JOURNAL_UNREADABLE): /

export class CopySubject implements FaultSubject {
  readonly name: string
  private readonly verb: string
  /** Commands of the source that are wanted. */
  private readonly wanted: number
  private source = ''
  private unchanged: readonly string[] = []
  private digests: readonly string[] = []

  /** @param wanted when it is not all of the source */
  constructor(verb: 'backup' | 'restore', wanted = SOURCE.before) {
    this.verb = verb
    this.wanted = wanted
    this.name = wanted === SOURCE.before ? verb : `${verb} to a point`
  }

  async prepare(folder: string): Promise<void> {
    this.source = join(folder, 'source')
    await prepareJournal(SOURCE, this.source)
    this.unchanged = fingerprint(this.source)
    this.digests = await modelDigests(SOURCE, SOURCE.before)
  }

  /** The command makes its directory. */
  async begin(): Promise<void> {}

  command(directory: string): string[] {
    const sequence = String(this.wanted * EVENTS_A_COMMAND)
    const point = this.wanted === SOURCE.before ? [] : ['--to-sequence', sequence]
    return [process.execPath, CLI, this.verb, this.source, directory, ...point]
  }

  async judge(directory: string, end: ProcessEnd, fault: Fault | undefined): Promise<Judgement> {
    const problems: string[] = []
    const found = await this.find(directory).catch((error: unknown) => {
      problems.push(causeOf(error))
      return 'strange'
    })
    if (fingerprint(this.source).join() !== this.unchanged.join()) {
      problems.push('the source has changed')
    }
    if (fault === 'KILL') return { outcome: `killed, ${found}`, problems }
    if (end.ended === 0) {
      if (found !== 'whole') problems.push(`exit code 0, and the copy is ${found}`)
      return { outcome: 'went on', problems }
    }
    if (fault === undefined) problems.push(`without a fault it ended with ${end.ended}`)
    if (end.ended !== 1 || !REFUSED.test(end.stderr)) {
      problems.push(`it ended with ${end.ended} and said ${end.stderr}`)
    }
    return { outcome: `failed, ${found}`, problems }
  }

  /** What the directory is taken for. */
  private async find(directory: string): Promise<string> {
    if (!existsSync(directory) || readdirSync(directory).length === 0) return 'nothing left'
    let digest: string
    try {
      const engine = await openLedger(directory)
      const { created } = engine.report
      digest = await engine.digest()
      await engine.close()
      if (created) return 'nothing left'
    } catch (error) {
      if (error instanceof TidewheelError) return 'refused'
      throw error
    }
    if (digest === this.digests[this.wanted]) return 'whole'
    throw new Error(`a journal with digest ${digest}, which nobody asked for`)
  }
}
