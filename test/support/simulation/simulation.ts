/**
 * The simulation of one seed: an engine over a disk that fails, opened again and again, whose
 * client (client.ts) checks every answer and every opening.
 *
 *   generation:  open ─▶ compare ─▶ work … ─┬─ crash at some call ──────▶ process or power is gone
 *                 │ ▲                       ├─ an error: the engine stops ▶  "
 *                 ▼ │ crash, error          └─ clean close ──────────────▶  "
 *              the process or the power is gone
 *
 * Now and then it makes a snapshot, or archives what is full, in which any of that may happen too.
 *
 * Everything that happens is a function of the seed: one thread, no clock, no randomness of the
 * system. `trace` is a hash of every call of the disk, every receipt and every digest.
 */
import { createHash } from 'node:crypto'
import type { OpenState } from '../../../engine/opening.js'
import { stateDigest } from '../../../engine/state-digest.js'
import { TidewheelError } from '../../../journal/errors.js'
import { SEGMENT_BYTES_MIN } from '../../../journal/segment-layout.js'
import { DiskCrash } from '../disk/disk-calls.js'
import { SimulatedDisk } from '../disk/simulated-disk.js'
import { type SeededRandom, seededRandom } from '../seeded-random.js'
import { Archives } from './archives.js'
import { Client } from './client.js'
import { Coverage } from './coverage.js'
import { LEDGERS } from './ledger.js'
import type { Intent } from './naive-ledger.js'
import { type FaultPlan, PlannedFaults, powerLoss } from './planned-faults.js'
import { countFrames, describeEnd } from './second-opening.js'
import { seedEntropy } from './seeded-entropy.js'
import { createSmallJournal, recoverLedger, SimulatedEngine } from './simulated-engine.js'
import { brokenSnapshot, makeSnapshot } from './snapshots.js'

export interface SimulationResult {
  readonly trace: string
  readonly coverage: Coverage
}

export class SimulationFailure extends Error {
  constructor(seed: number, generation: number, what: string, cause?: unknown) {
    super(
      `seed ${seed}, generation ${generation}: ${what}\nrepeat it with: npm run soak -- --seed ${seed}`,
      { cause },
    )
  }
}

const START_US = 1_700_000_000_000_000
const OPEN_ATTEMPTS_WITH_FAULTS = 3
const CALLS_TO_OPEN = 80
const CHANGES_TO_OPEN = 8
const CHANGES_A_GENERATION = 60
/** Steps, on average. */
const SNAPSHOTS_IN = 50
const ARCHIVES_IN = 100
const SMALL_NOTE_BYTES = 3000
const SMALL_SEGMENT_BYTES = 160 * 1024

/** @throws SimulationFailure where a promise was not kept */
export async function simulate(seed: number, generations: number): Promise<SimulationResult> {
  const restore = seedEntropy(seed)
  const simulation = new Simulation(seed)
  try {
    return await simulation.run(generations)
  } catch (error) {
    if (error instanceof SimulationFailure) throw error
    throw simulation.failure(`threw ${error instanceof Error ? error.stack : error}`, error)
  } finally {
    restore()
  }
}

class Simulation {
  private readonly seed: number
  private readonly random: SeededRandom
  private readonly coverage = new Coverage()
  private readonly trace = createHash('sha256')
  private readonly disk: SimulatedDisk
  private readonly faults: PlannedFaults
  private readonly client: Client
  private readonly archives = new Archives()
  private generation = 0
  private nowMs = 0
  private skewUs = 0
  private version: 1 | 2 = 1
  private level: 'disk' | 'os' = 'disk'
  private segmentBytes = SEGMENT_BYTES_MIN
  /** The first promise that an answer broke. */
  private broken: unknown

  constructor(seed: number) {
    this.seed = seed
    this.random = seededRandom(seed)
    this.disk = new SimulatedDisk(this.random.below(4) > 0)
    if (this.random.below(3) > 0) {
      this.segmentBytes = SMALL_SEGMENT_BYTES
      createSmallJournal(this.disk, SMALL_SEGMENT_BYTES)
    }
    this.faults = new PlannedFaults(this.disk, this.random, this.coverage, this.trace)
    this.client = new Client(this.random, this.coverage, (what) => {
      throw this.failure(what)
    })
  }

  async run(generations: number): Promise<SimulationResult> {
    this.coverage.add('seeds')
    while (this.generation < generations) {
      this.generation++
      this.coverage.add('generations')
      await this.runGeneration()
    }
    return { trace: this.trace.digest('hex'), coverage: this.coverage }
  }

  failure(what: string, cause?: unknown): SimulationFailure {
    return new SimulationFailure(this.seed, this.generation, what, cause)
  }

  private async runGeneration(): Promise<void> {
    const { random } = this
    this.level = random.below(3) === 0 ? 'os' : 'disk'
    if (random.below(5) === 0) this.version = 2
    const engine = await this.open()
    this.faults.set(this.planOfGeneration())
    this.faults.meanwhile = () => void engine.work()
    try {
      await this.live(engine)
    } catch (error) {
      if (!(error instanceof DiskCrash)) throw error
      this.coverage.add('ends: crash')
    }
    this.faults.meanwhile = () => undefined
    engine.die()
    this.throwBroken()
    this.faults.set(undefined)
    this.restart()
  }

  /** Again and again, until nothing comes between. */
  private async open(): Promise<SimulatedEngine> {
    for (let attempt = 1; ; attempt++) {
      const isDisturbed = attempt <= OPEN_ATTEMPTS_WITH_FAULTS && this.random.below(2) === 0
      this.faults.set(isDisturbed ? this.planOfOpening() : undefined)
      this.coverage.add('openings')
      try {
        return await this.openOnce()
      } catch (error) {
        if (error instanceof SimulationFailure) throw error
        this.judgeFailedOpening(error)
      }
      this.faults.set(undefined)
      this.restart()
    }
  }

  private async openOnce(): Promise<SimulatedEngine> {
    const { disk, client, level } = this
    const ledger = LEDGERS[this.version]
    const { keyCountMax } = client
    const state = recoverLedger(disk, ledger, { durability: level, keyCountMax })
    const { cut, repaired, snapshot } = state.report
    if (cut !== undefined) this.coverage.add('recovery: cuts')
    if (snapshot !== undefined) this.coverage.add('recovery: from a snapshot')
    const broken = brokenSnapshot(state.report, this.faults.fired)
    if (broken !== undefined) throw this.failure(`a snapshot is broken: ${broken}`)
    this.coverage.add('recovery: repairs', repaired.length)
    const frames = this.expectSameAgain(state)
    client.recovered(frames, state.runtime.sequence)
    const engine = await SimulatedEngine.start(disk, ledger, state, {
      durability: level,
      segmentBytes: this.segmentBytes,
      keyCountMax,
      clock: () => START_US + this.nowMs * 1000 + this.skewUs,
      onReport: (text) => this.note(text),
    })
    client.started(level, engine.host)
    this.archives.opened()
    engine.onReceipt = (receipt) => {
      this.trace.update(`${JSON.stringify(receipt)}\n`)
      try {
        client.receive(receipt)
      } catch (error) {
        this.broken ??= error
      }
    }
    return engine
  }

  /** A port keeps what its listener throws from the engine's loop, so it is thrown here. */
  private throwBroken(): void {
    if (this.broken !== undefined) throw this.broken
  }

  /**
   * What an opening found is durable when it ends: after a loss of everything that was not synced,
   * the next one finds the same, and has nothing to repair. Returns the transactions of the journal.
   */
  private expectSameAgain(state: OpenState): number {
    const { random, client, level, version } = this
    const clone = this.disk.clone()
    if (random.below(3) > 0) clone.losePower(powerLoss(random))
    const kept = state.report.cut?.keptAs ?? []
    if (kept.some((name) => !clone.files().has(name))) {
      throw this.failure(`of what was cut, ${kept} are not all on disk`)
    }
    const digest = stateDigest(state.runtime)
    this.trace.update(`${digest}\n`)
    const again = countFrames(clone)
    if (again.report.cut !== undefined || again.report.repaired.length > 0) {
      throw this.failure(`opening again has something to mend: ${JSON.stringify(again.report)}`)
    }
    // The hash of the last block says that all blocks are the same.
    if (describeEnd(state.journal?.end) !== describeEnd(again.end)) {
      throw this.failure('opening twice gives two ends')
    }
    if (random.below(4) === 0) {
      const options = { durability: level, keyCountMax: client.keyCountMax }
      const second = recoverLedger(clone, LEDGERS[version], options)
      if (stateDigest(second.runtime) !== digest) {
        throw this.failure('opening twice gives two states')
      }
    }
    return again.frames
  }

  private judgeFailedOpening(error: unknown): void {
    if (error instanceof DiskCrash) {
      this.coverage.add('openings: crashed')
      return
    }
    const isAllowed =
      this.faults.fired &&
      error instanceof TidewheelError &&
      (error.code === 'STORAGE_FAILED' || error.code === 'JOURNAL_UNREADABLE')
    if (!isAllowed) throw this.failure(`opening was refused: ${error}`, error)
    this.coverage.add(`openings: ${error.code}`)
  }

  /** The engine's life, until it stops, is closed, or a crash is thrown. */
  private async live(engine: SimulatedEngine): Promise<void> {
    const { random } = this
    const noteBytesMax =
      random.below(4) === 0 ? Math.floor(this.segmentBytes / 5) : SMALL_NOTE_BYTES
    const prepares = random.below(5) > 0
    const steps = 5 + random.below(120)
    for (let step = 0; step < steps; step++) {
      this.takeStep(engine, noteBytesMax, prepares)
      this.throwBroken()
      if (engine.host.failure !== undefined) {
        this.coverage.add('ends: stopped')
        return
      }
    }
    if (random.below(2) > 0) {
      this.coverage.add('ends: cut off')
      return
    }
    await this.closeCleanly(engine)
  }

  private async closeCleanly(engine: SimulatedEngine): Promise<void> {
    try {
      await engine.close()
    } catch (error) {
      // An error that was planned, or a full disk: the engine stops instead.
      if (!(error instanceof TidewheelError && error.code === 'STORAGE_FAILED')) throw error
      this.coverage.add('ends: stopped')
      return
    }
    this.throwBroken()
    this.client.closed()
    this.coverage.add('ends: closed')
  }

  private takeStep(engine: SimulatedEngine, noteBytesMax: number, prepares: boolean): void {
    const { random, client } = this
    if (random.below(SNAPSHOTS_IN) === 0) {
      const { domain } = LEDGERS[this.version]
      makeSnapshot(this.disk, domain, engine.sealedSegment, random, this.coverage)
    }
    if (random.below(ARCHIVES_IN) === 0) this.archives.run(this.disk, random, this.coverage)
    const action = random.below(13)
    if (action < 4) {
      this.submitSome(engine, noteBytesMax)
      if (random.below(3) > 0) engine.flush()
    } else if (action < 8) {
      if (engine.journaler.step()) this.coverage.add('journal: blocks')
    } else if (action < 10) engine.work()
    else if (action < 11) {
      for (let pieces = random.below(10); prepares && pieces > 0; pieces--) {
        engine.journaler.prepare()
      }
    } else if (action < 12) {
      this.nowMs += random.below(random.below(3) === 0 ? 1500 : 150)
      if (random.below(20) === 0) this.skewUs += random.below(8_000_000) - 4_000_000
      engine.journaler.tick(this.nowMs)
      if (!engine.journaler.hasFailed()) client.ticked(this.nowMs)
    } else engine.journaler.tellFailure()
  }

  private submitSome(engine: SimulatedEngine, noteBytesMax: number): void {
    for (let count = 1 + this.random.below(6); count > 0; count--) {
      const { intent, key } = this.client.next(this.version, noteBytesMax)
      if (!this.isTaken(engine, intent, key)) return
      this.client.submitted(intent, key)
    }
  }

  private isTaken(engine: SimulatedEngine, intent: Intent, key: string | undefined): boolean {
    try {
      return engine.submit(intent, key) > 0
    } catch (error) {
      if (!(error instanceof TidewheelError && error.code === 'DISK_FULL')) throw error
      this.coverage.add('commands: not taken, disk full')
      if (this.random.below(4) === 0) this.disk.setFreeBytes(Number.MAX_SAFE_INTEGER)
      return false
    }
  }

  private planOfGeneration(): FaultPlan | undefined {
    const { random, disk } = this
    const kind = random.below(10)
    const after = random.below(1 + random.below(CHANGES_A_GENERATION))
    if (kind < 5) return { fault: 'crash', after, among: 'changes' }
    if (kind < 6) return { fault: 'EIO', after, among: 'changes' }
    if (kind < 7) return { fault: 'EIO', after: random.below(8), among: 'syncs' }
    if (kind < 8) {
      this.coverage.add('full disks')
      disk.setFreeBytes(random.below(2 * this.segmentBytes))
    }
    return undefined
  }

  private planOfOpening(): FaultPlan {
    const { random } = this
    const kind = random.below(6)
    if (kind < 3) return { fault: 'crash', after: random.below(CHANGES_TO_OPEN), among: 'changes' }
    if (kind < 5) return { fault: 'EIO', after: random.below(4), among: 'syncs' }
    return { fault: 'EIO', after: random.below(CALLS_TO_OPEN), among: 'all' }
  }

  /** The process is gone; perhaps the power too. */
  private restart(): void {
    const { random, disk, client } = this
    disk.setFreeBytes(Number.MAX_SAFE_INTEGER)
    // A file system that could not write its directory is good again when it is mounted again.
    if (disk.directoryFailed || random.below(2) === 0) {
      this.coverage.add('restarts: power lost')
      this.coverage.add('unsynced things that a loss of power decided about', disk.pendingCount())
      disk.losePower(powerLoss(random))
      client.lostCache()
    } else {
      this.coverage.add('restarts: process killed')
      disk.restartProcess()
      if (!disk.hasLost() || random.below(2) === 0) return
      this.coverage.add('restarts: pages dropped after a failed sync')
      disk.evict((count) => random.below(count))
      client.lostCache()
    }
  }

  private note(text: string): void {
    this.trace.update(`${text}\n`)
    if (text.includes('is sparse')) this.coverage.add('journal: sparse segments')
  }
}
