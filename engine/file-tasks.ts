/**
 * What a running engine has done with its files, each on a thread of its own while commands go on:
 * snapshots and backups. None of it looks at live state.
 */
import { resolve } from 'node:path'
import type { BackupReport } from '../journal/backup.js'
import { TidewheelError } from '../journal/errors.js'
import { describeValue } from '../journal/schema/value-check.js'
import type { SyncedEdge } from '../journal/synced-edge.js'
import type { BackupTask } from './backup-task.js'
import type { Domain } from './domain.js'
import { fingerprintOf } from './producer.js'
import type { SnapshotTask } from './snapshot/snapshot-task.js'
import { TaskPool } from './task-pool.js'

/** A second one, in case that the newest is damaged. */
const SNAPSHOTS_KEPT = 2

export interface FileTasksOptions {
  /** Of the journal's directory; undefined at durability `none`. */
  readonly path: string | undefined
  readonly domain: Domain
  /** How far the journal is durable. */
  position(): SyncedEdge
  /** Why the engine does not run any more; undefined while it does. */
  stopReason(): TidewheelError | undefined
}

export class FileTasks {
  private readonly options: FileTasksOptions
  private readonly snapshots = new TaskPool<SnapshotTask, string>(
    new URL('./snapshot/snapshot-task.js', import.meta.url),
    'the engine was closed before the snapshot was made; the journal has what would be in it',
  )
  private readonly backups = new TaskPool<BackupTask, BackupReport>(
    new URL('./backup-task.js', import.meta.url),
    'the engine was closed before the backup was made; remove what is there of it, and make it with `tidewheel backup`',
  )

  constructor(options: FileTasksOptions) {
    this.options = options
  }

  /** As `Engine.snapshot`. */
  async snapshot(): Promise<string | undefined> {
    const path = this.runningJournal('make a snapshot of')
    const { domain, position } = this.options
    const sealedSegment = position().segmentNumber - 1
    if (sealedSegment < 1) return undefined
    const { name: domainName, moduleUrl } = domain
    const source = { domainName, moduleUrl, fingerprint: fingerprintOf(domain) }
    return this.snapshots.run({ path, domain: source, sealedSegment, keep: SNAPSHOTS_KEPT })
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
    const { segmentNumber, fileOffset, blockNumber } = this.options.position()
    const end = { segmentNumber, fileOffset, blockNumber }
    return this.backups.run({ path, directory: resolve(directory), end })
  }

  /** What is at work is broken off. Undefined when there is nothing to wait for. */
  close(): Promise<unknown> | undefined {
    const broken = [this.snapshots.close(), this.backups.close()]
    return broken.some((ended) => ended !== undefined) ? Promise.all(broken) : undefined
  }

  /** Its directory. */
  private runningJournal(purpose: string): string {
    const { path, stopReason } = this.options
    if (path === undefined) {
      throw new TidewheelError(
        'NO_JOURNAL',
        `durability 'none' keeps no history, so there is nothing to ${purpose}; use 'disk' or 'os'`,
      )
    }
    const reason = stopReason()
    if (reason !== undefined) throw reason
    return path
  }
}
