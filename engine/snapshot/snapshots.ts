/**
 * The snapshots of one engine: those that are asked for, and those that its policy wants. They are
 * made one at a time, in a pool of one thread (task-pool.ts), from files alone; here is only
 * decided when, and told what became of it.
 *
 *   request ────────────────────────────┐
 *   every LOOK_MS: due? nothing made? ──┴─▶ pool ─▶ name of the file, or the reason why there is none
 *
 * Nothing of it stops the engine: it runs on without a snapshot as well as with one.
 */
import { causeOf, TidewheelError } from '../../journal/errors.js'
import type { RecoveryReport } from '../../journal/recovery-report.js'
import { snapshotSequenceOf } from '../../journal/snapshot-layout.js'
import type { SyncedEdge } from '../../journal/synced-edge.js'
import { TaskPool } from '../../journal/task-pool.js'
import type { Domain } from '../domain.js'
import type { ResolvedOptions } from '../engine-options.js'
import { fingerprintOf } from '../producer.js'
import { SnapshotPolicy } from './snapshot-policy.js'
import type { SnapshotTask } from './snapshot-task.js'

/** Segments become full a few times a second at most, and a snapshot may be that late. */
const LOOK_MS = 500

/** What it has to know of the engine. */
export interface SnapshotEngine {
  /** Of the journal's directory. */
  readonly path: string
  readonly domain: Domain
  readonly report: RecoveryReport
  position(): SyncedEdge
  stopReason(): TidewheelError | undefined
}

export class Snapshots {
  private readonly engine: SnapshotEngine
  private readonly options: Pick<ResolvedOptions, 'snapshot' | 'logger' | 'segmentBytes'>
  private readonly policy: SnapshotPolicy
  private readonly pool = new TaskPool<SnapshotTask, string>(
    new URL('./snapshot-task.js', import.meta.url),
    'the engine was closed before the snapshot was made; the journal has what would be in it',
  )
  private readonly timer: NodeJS.Timeout
  private building = 0

  constructor(
    engine: SnapshotEngine,
    options: Pick<ResolvedOptions, 'snapshot' | 'logger' | 'segmentBytes'>,
  ) {
    this.engine = engine
    this.options = options
    const { snapshot, bytes } = engine.report
    const { segmentNumber = 0, sequence = 0 } = snapshot ?? {}
    const base = { segmentNumber, sequence, bytes }
    const { segmentBytes } = options
    this.policy = new SnapshotPolicy(options.snapshot, segmentBytes, base, engine.position())
    this.timer = setInterval(() => this.look(), LOOK_MS)
    // An engine with nothing to do keeps no process alive.
    this.timer.unref()
  }

  /** As the user asks for one: see `Engine.snapshot`. */
  async request(): Promise<string | undefined> {
    const reason = this.engine.stopReason()
    if (reason !== undefined) throw reason
    return this.engine.position().segmentNumber > 1 ? this.build() : undefined
  }

  /** What is being made is broken off. Undefined when there is nothing to wait for. */
  close(): Promise<void> | undefined {
    clearInterval(this.timer)
    return this.pool.close()
  }

  private look(): void {
    if (this.engine.stopReason() !== undefined) {
      // Its directory is free for others, who may make one themselves.
      void this.close()
      return
    }
    if (this.building > 0 || !this.policy.isDue(this.engine.position())) return
    const { logger } = this.options
    const startedMs = performance.now()
    this.build().then(
      (file) => {
        const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
        logger.info(`snapshot ${file} was made in ${seconds} s`)
      },
      (error: unknown) => {
        if (error instanceof TidewheelError && error.code === 'ENGINE_CLOSED') return
        logger.warn(
          `a snapshot was due and could not be made: ${causeOf(error)}. The engine runs on; opening reads the journal from the snapshot before. The next one is tried when as much journal has come again`,
        )
      },
    )
  }

  private async build(): Promise<string> {
    const { path, domain } = this.engine
    const { name: domainName, moduleUrl } = domain
    const now = this.engine.position()
    this.policy.attempted(now)
    this.building++
    try {
      const file = await this.pool.run({
        path,
        domain: { domainName, moduleUrl, fingerprint: fingerprintOf(domain) },
        sealedSegment: now.segmentNumber - 1,
        keep: this.options.snapshot.keep,
      })
      this.policy.made(snapshotSequenceOf(file))
      return file
    } finally {
      this.building--
    }
  }
}
