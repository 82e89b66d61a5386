/**
 * An engine on one thread, over a simulated disk: the real recovery, replay, host, processor, gate,
 * port and journaler. The simulation is its clock and its scheduler: nothing moves by itself.
 */
import { randomBytes } from 'node:crypto'
import { CommandPort } from '../../../engine/command-port.js'
import type { CommandType } from '../../../engine/domain.js'
import { EngineHost, type HostMachinery } from '../../../engine/engine-host.js'
import { resolveOptions } from '../../../engine/engine-options.js'
import { EngineStatus } from '../../../engine/engine-status.js'
import type { PolledWork } from '../../../engine/event-loop-driver.js'
import { createLaneMemory } from '../../../engine/lane.js'
import { type OpenState, recoverState } from '../../../engine/opening.js'
import type { Receipt } from '../../../engine/receipt.js'
import { JOURNAL_ID_BYTES } from '../../../journal/block-layout.js'
import { TidewheelError } from '../../../journal/errors.js'
import { EVENT_RING_BYTES_MIN } from '../../../journal/event-ring.js'
import type { JournalLock } from '../../../journal/journal-lock.js'
import { writeManifest } from '../../../journal/manifest.js'
import { ReadWindow } from '../../../journal/read-window.js'
import { createSegment, randomSalt } from '../../../journal/segment.js'
import { SEGMENT_BYTES_MIN } from '../../../journal/segment-layout.js'
import { SyncedEdgeReader } from '../../../journal/synced-edge.js'
import type { SimulatedDisk } from '../disk/simulated-disk.js'
import { type Ledger, accountName as name } from './ledger.js'
import type { Intent } from './naive-ledger.js'
import { SimulatedJournaler } from './simulated-journaler.js'

export interface SimulatedEngineOptions {
  readonly durability: 'disk' | 'os'
  /** Of segments made from now on; less than users may ask for, so that rolls come soon. */
  readonly segmentBytes: number
  readonly keyCountMax: number
  /** Microseconds since 1970; may step backwards. */
  readonly clock: () => number
  readonly onReport: (text: string) => void
}

/** Of all openings, one after the other. */
const WINDOW = new ReadWindow()

/** A simulation has one process at a time. */
const NO_LOCK: JournalLock = {
  release: () => undefined,
  abandon: () => undefined,
}

/** An empty journal with a segment that is smaller than the engine would make it. Durable. */
export function createSmallJournal(disk: SimulatedDisk, sizeBytes: number): void {
  const journalId = new Uint8Array(randomBytes(JOURNAL_ID_BYTES))
  createSegment(disk, { journalId, number: 1, sizeBytes, salt: randomSalt() }, 'zeros')
  writeManifest(disk, { journalId, highestSegment: 1 })
}

/** What opening does, without the engine that follows. */
export function recoverLedger(
  disk: SimulatedDisk,
  ledger: Ledger,
  options: Pick<SimulatedEngineOptions, 'durability' | 'keyCountMax'>,
): OpenState {
  return recoverState(disk, NO_LOCK, ledger.domain, {
    durability: options.durability,
    segmentBytes: SEGMENT_BYTES_MIN,
    keyWindow: { countMax: options.keyCountMax, ageMaxUs: Number.MAX_SAFE_INTEGER },
    window: WINDOW,
  })
}

export class SimulatedEngine {
  readonly state: OpenState
  readonly host: EngineHost
  readonly journaler: SimulatedJournaler
  /** Called for each receipt that is released, in ticket order. */
  onReceipt: (receipt: Receipt) => void = () => undefined
  private readonly port: CommandPort
  private readonly ledger: Ledger
  /** A turn of the processor's thread: batches, answers. Also in the middle of the journaler's work. */
  readonly work: () => boolean

  /** Goes on from what {@link recoverLedger} gave. */
  static async start(
    disk: SimulatedDisk,
    ledger: Ledger,
    state: OpenState,
    options: SimulatedEngineOptions,
  ): Promise<SimulatedEngine> {
    let journaler: SimulatedJournaler | undefined
    let polled: PolledWork | undefined
    let isStopped = false
    const machinery: HostMachinery = {
      startJournaler: (given) => {
        journaler = new SimulatedJournaler(disk, given)
        return journaler
      },
      startDriver: (work) => {
        polled = work
        return {
          kick: () => undefined,
          stop: () => {
            isStopped = true
          },
        }
      },
    }
    const { durability, segmentBytes, keyCountMax, clock, onReport } = options
    const ringBytes = EVENT_RING_BYTES_MIN
    const logger = { info: onReport, warn: onReport, error: onReport }
    const given = { durability, keyCountMax, clock, ringBytes, logger }
    const resolved = { ...resolveOptions(given), segmentBytes }
    const host = await EngineHost.start(state, resolved, machinery)
    if (journaler === undefined || polled === undefined) throw new Error('the host starts both')
    const { work } = polled
    return new SimulatedEngine(ledger, host, journaler, () => !isStopped && work())
  }

  private constructor(
    ledger: Ledger,
    host: EngineHost,
    journaler: SimulatedJournaler,
    work: () => boolean,
  ) {
    this.state = host.state
    this.ledger = ledger
    this.host = host
    this.journaler = journaler
    this.work = work
    const memory = createLaneMemory()
    host.attachLane(memory, true)
    const owner = {
      kick: () => host.kick(),
      runNow: () => host.runNow(),
      stopReason: () => host.stopReason(),
    }
    this.port = new CommandPort(memory, ledger.domain, new EngineStatus(memory.status), owner, 1000)
    host.attachPort(this.port)
    this.port.onReceipts((_first, _last, view) => {
      while (view.next()) this.onReceipt(view.toReceipt())
    })
  }

  /** The last segment that is full; 0: none. */
  get sealedSegment(): number {
    const { segmentNumber } = new SyncedEdgeReader(this.host.edgeMemory).read()
    return Math.max(0, segmentNumber - 1)
  }

  /** The command's ticket, or 0: nothing was taken. */
  submit(intent: Intent, key: string | undefined): number {
    const { command, value } = this.commandOf(intent)
    return this.port.submit(command, value, key === undefined ? {} : { key })
  }

  /** Runs what was submitted, as at the end of a turn of the event loop. */
  flush(): void {
    this.port.flush()
  }

  /** What was submitted is run, synced, answered and sealed. Rejects where the engine has failed. */
  async close(): Promise<void> {
    let ended = false
    const closed = this.host.close().finally(() => {
      ended = true
    })
    // Whoever awaits `closed` below hears of it; until then it is nobody's.
    closed.catch(() => undefined)
    while (!ended) {
      this.journaler.step()
      if (!this.journaler.hasFailed()) this.work()
      this.journaler.tellFailure()
      await new Promise(setImmediate)
    }
    await closed
    this.port.fail()
  }

  /** The process has ended: nothing that is left of it may do anything. */
  die(): void {
    this.onReceipt = () => undefined
    this.journaler.die(new TidewheelError('ENGINE_STOPPED', 'the simulated process has ended'))
  }

  private commandOf(intent: Intent): { command: CommandType<never>; value: never } {
    const { Deposit, Transfer, Scatter, Note, Write } = this.ledger
    const of = <Value>(command: CommandType<Value> | undefined, value: Value) => {
      if (command === undefined) throw new Error('this version does not know the command')
      return { command: command as CommandType<never>, value: value as never }
    }
    const { mark } = intent
    switch (intent.kind) {
      case 'deposit':
        return of(Deposit, { account: name(intent.account), amount: intent.amount, mark })
      case 'transfer': {
        const { from, to, amount } = intent
        return of(Transfer, { from: name(from), to: name(to), amount, mark })
      }
      case 'scatter':
        return of(Scatter, { count: intent.count, amount: intent.amount, mark })
      case 'note':
        return of(Note, { account: name(intent.account), size: intent.size, mark })
      case 'write':
        return of(Write, { diary: intent.diary, mark })
    }
  }
}
