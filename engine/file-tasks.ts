/**
 * What a running engine has done with its files, each on a thread of its own while commands go on:
 * snapshots, backups, archives and
 * checks of determinism. Only the last look at live state.
 */
import { resolve } from 'node:path'
import type { ArchiveReport } from '../journal/archive.js'
import { ArchivePool } from '../journal/archive-pool.js'
import type { BackupReport } from '../journal/backup.js'
import { TidewheelError } from '../journal/errors.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import { describeValue } from '../journal/schema/value-check.js'
import type { SyncedEdge } from '../journal/synced-edge.js'
import { TaskPool } from '../journal/task-pool.js'
import type { BackupTask } from './backup-task.js'
import type { ComparisonTask, ComparisonVerdict } from './determinism/comparison-task.js'
import {
  checkDeterminism,
  type DeterminismReport,
  type LiveStateSource,
} from './determinism/determinism-check.js'
import type { Domain } from './domain.js'
import type { ResolvedOptions } from './engine-options.js'
import { Snapshots } from './snapshot/snapshots.js'

export interface FileTasksEngine {
  /** Of the journal's directory; undefined at durability `none`. */
  readonly path: string | undefined
  readonly domain: Domain
  readonly report: RecoveryReport
  /** How far the journal is durable. */
  position(): SyncedEdge
  /** Why the engine does not run any more; undefined while it does. */
  stopReason(): TidewheelError | undefined
}

export class FileTasks {
  private readonly engine: FileTasksEngine
  /** Undefined at durability `none`. */
  private readonly snapshots: Snapshots | undefined
  private readonly backups = new TaskPool<BackupTask, BackupReport>(
    new URL('./backup-task.js', import.meta.url),
    'the engine was closed before the backup was made; remove what is there of it, and make it with `tidewheel backup`',
  )

  private readonly comparisons = new TaskPool<ComparisonTask, ComparisonVerdict>(
    new URL('./determinism/comparison-task.js', import.meta.url),
    'the engine was closed before its files were replayed; nothing is lost with it',
  )
  private readonly archives = new ArchivePool()

  constructor(
    engine: FileTasksEngine,
    options: Pick<ResolvedOptions, 'snapshot' | 'logger' | 'segmentBytes'>,
  ) {
    this.engine = engine
    const { path } = engine
    if (path !== undefined) this.snapshots = new Snapshots({ ...engine, path }, options)
  }

  /** As `Engine.snapshot`. */
  async snapshot(): Promise<string | undefined> {
    this.runningJournal('make a snapshot of')
    // There are some where there is a journal.
    return this.snapshots?.request()
  }

  /** As `Engine.backup`. */
  async backup(directory: string): Promise<BackupReport> {
    if (typeof directory !== 'string' || directory === '') {
      throw new TidewheelError(
        'INVALID_OPTION',
        `the directory of a backup is ${describeValue(directory)}; give the path of a new one`,
      )
    }
    const path = this.runningJournal('back up')
    const { segmentNumber, fileOffset, blockNumber } = this.engine.position()
    const end = { segmentNumber, fileOffset, blockNumber }
    return this.backups.run({ path, directory: resolve(directory), end })
  }

  /** As `Engine.archive`. */
  async archive(before: number): Promise<ArchiveReport> {
    return this.archives.run({ path: this.runningJournal('archive'), before })
  }

  /** As `Engine.checkDeterminism`. */
  async checkDeterminism(live: LiveStateSource): Promise<DeterminismReport> {
    const path = this.runningJournal('replay')
    return checkDeterminism(path, this.engine.domain, live, this.comparisons)
  }

  /**
   * @param purpose what needs a journal, as in `nothing to ${purpose}`
   * @throws TidewheelError NO_JOURNAL
   */
  refuseWithout(purpose: string): string {
    const { path } = this.engine
    if (path !== undefined) return path
    throw new TidewheelError(
      'NO_JOURNAL',
      `durability 'none' keeps no history, so there is nothing to ${purpose}; use 'disk' or 'os'`,
    )
  }

  /** What is at work is broken off. Undefined when there is nothing to wait for. */
  close(): Promise<unknown> | undefined {
    const { snapshots, backups, archives, comparisons } = this
    const broken = [snapshots?.close(), backups.close(), archives.close(), comparisons.close()]
    return broken.some((ended) => ended !== undefined) ? Promise.all(broken) : undefined
  }

  /** Its directory. */
  private runningJournal(purpose: string): string {
    const path = this.refuseWithout(purpose)
    const reason = this.engine.stopReason()
    if (reason !== undefined) throw reason
    return path
  }
}
