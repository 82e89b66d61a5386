/**
 * One run of an engine that does everything a journal can do: it is made, appended to, rolled,
 * sealed, closed, opened by a domain that declares more, written at level `os`, cut, opened without
 * its manifest, torn and cut again. Before every call that makes something durable, it tells what the disk would
 * have to decide if the power went now.
 */
import { type DiskCall, DiskCrash } from '../disk/disk-calls.js'
import { SimulatedDisk } from '../disk/simulated-disk.js'
import { LEDGERS } from './ledger.js'
import { type Intent, NaiveLedger } from './naive-ledger.js'
import { createSmallJournal, recoverLedger, SimulatedEngine } from './simulated-engine.js'

export interface PowerLossPoint {
  /** Where in the run. */
  readonly where: string
  /** With everything pending that a loss of power inside the call decides about. */
  readonly disk: SimulatedDisk
  readonly version: 1 | 2
  readonly level: 'disk' | 'os'
  /** The last event that must be there. */
  readonly dueSequence: number
  /** What the state may be, by its last event. */
  readonly states: ReadonlyMap<number, string>
}

const KEY_COUNT_MAX = 40
const START_US = 1_700_000_000_000_000
/** Room for a few blocks. */
const SEGMENT_BYTES = 48 * 1024
const LARGE_NOTE_BYTES = 20_000

export class CanonicalRun {
  private readonly disk = new SimulatedDisk()
  private readonly onPoint: (point: PowerLossPoint) => void
  private ledger = new NaiveLedger(KEY_COUNT_MAX)
  private readonly states = new Map([[0, this.ledger.describe()]])
  /** By last event, for when later ones are lost. */
  private readonly history = new Map([[0, this.ledger.clone()]])
  private stage = ''
  private version: 1 | 2 = 1
  private level: 'disk' | 'os' = 'disk'
  private dueSequence = 0
  private marks = 0
  private nowMs = 0
  private isTearing = false
  /** A turn of the processor's thread. */
  private work: () => void = () => undefined

  constructor(onPoint: (point: PowerLossPoint) => void) {
    this.onPoint = onPoint
    this.disk.before = (call) => {
      this.tell(call)
      return this.isTearing && call.isDurable ? 'crash' : undefined
    }
  }

  async run(): Promise<void> {
    this.stage = 'create'
    createSmallJournal(this.disk, SEGMENT_BYTES)
    await this.appendRollAndSeal()
    await this.announce()
    await this.writeAtLevelOs()
    await this.cutAndGoOn()
    await this.openWithoutManifest()
    await this.tearAndGoOn()
  }

  private async appendRollAndSeal(): Promise<void> {
    const engine = await this.open('open')
    this.stage = 'append'
    this.append(engine, this.deposit(), this.deposit())
    this.append(engine, this.note(1000))
    this.stage = 'prepare'
    while (engine.journaler.prepare()) {
      // Until the next segment is there.
    }
    this.stage = 'fill'
    this.append(engine, this.note(LARGE_NOTE_BYTES))
    this.stage = 'roll'
    this.append(engine, this.note(LARGE_NOTE_BYTES))
    this.stage = 'seal'
    this.pass(engine, 100)
    this.pass(engine, 300)
    this.append(engine, this.deposit())
    this.stage = 'close'
    await engine.close()
    this.work = () => undefined
  }

  private async announce(): Promise<void> {
    this.version = 2
    const engine = await this.open('open with a larger domain')
    this.stage = 'announce'
    engine.journaler.step()
    this.append(engine, { kind: 'write', diary: 1, mark: ++this.marks }, this.deposit())
    this.end(engine)
  }

  private async writeAtLevelOs(): Promise<void> {
    this.level = 'os'
    const engine = await this.open("open at level 'os'")
    this.stage = "append at level 'os'"
    // The first block of a session is synced, the others are not.
    this.append(engine, this.deposit())
    this.dueSequence = this.ledger.sequence
    this.append(engine, this.note(100))
    this.append(engine, this.deposit())
    this.stage = 'sync after a second'
    this.pass(engine, 0)
    this.pass(engine, 1000)
    this.dueSequence = this.ledger.sequence
    this.stage = 'append behind the sync'
    this.append(engine, this.note(600))
    this.append(engine, this.deposit())
    this.end(engine)
  }

  /** The power goes: of what was not synced, only the last block got to the disk. */
  private async cutAndGoOn(): Promise<void> {
    const decisions = this.disk.pendingCount()
    let decision = 0
    this.disk.losePower((count) => (++decision === decisions ? count - 1 : 0))
    this.level = 'disk'
    const engine = await this.open('open and cut')
    this.stage = 'append over what was cut'
    this.append(engine, this.deposit())
    this.stage = 'close again'
    await engine.close()
    this.work = () => undefined
  }

  private async openWithoutManifest(): Promise<void> {
    this.disk.remove('manifest')
    this.stage = 'lose the manifest'
    this.disk.syncDirectory()
    const engine = await this.open('open without manifest')
    this.append(engine, this.deposit())
    this.end(engine)
  }

  /** The process is killed inside a write, of which every other sector gets to the disk. */
  private async tearAndGoOn(): Promise<void> {
    const engine = await this.open('open before the tear')
    let sector = 0
    this.disk.choose = () => sector++ & 1
    this.isTearing = true
    try {
      this.append(engine, this.note(3000))
    } catch (error) {
      if (!(error instanceof DiskCrash)) throw error
    }
    this.isTearing = false
    this.end(engine)
    const again = await this.open('open and cut a torn block')
    this.append(again, this.deposit())
    this.end(again)
  }

  private async open(stage: string): Promise<SimulatedEngine> {
    this.stage = stage
    const { disk, level } = this
    const ledger = LEDGERS[this.version]
    const state = recoverLedger(disk, ledger, { durability: level, keyCountMax: KEY_COUNT_MAX })
    const isCut = state.report.cut !== undefined
    if (isCut !== stage.startsWith('open and cut'))
      throw new Error(`${stage}: ${isCut ? 'a' : 'no'} cut`)
    this.goBackTo(state.runtime.sequence)
    this.dueSequence = state.runtime.sequence
    const engine = await SimulatedEngine.start(disk, ledger, state, {
      durability: level,
      segmentBytes: SEGMENT_BYTES,
      keyCountMax: KEY_COUNT_MAX,
      clock: () => START_US + this.nowMs * 1000,
      onReport: () => undefined,
    })
    engine.onReceipt = ({ sequence }) => {
      if (level === 'disk') this.dueSequence = sequence
    }
    this.work = () => void engine.work()
    return engine
  }

  /** One block. */
  private append(engine: SimulatedEngine, ...intents: Intent[]): void {
    for (const intent of intents) {
      engine.submit(intent, undefined)
      this.ledger.run(intent, undefined)
      this.states.set(this.ledger.sequence, this.ledger.describe())
      this.history.set(this.ledger.sequence, this.ledger.clone())
    }
    engine.flush()
    engine.journaler.step()
    engine.work()
  }

  private pass(engine: SimulatedEngine, ms: number): void {
    this.nowMs += ms
    engine.journaler.tick(this.nowMs)
  }

  /** The process is killed; nothing is lost by that. */
  private end(engine: SimulatedEngine): void {
    this.work = () => undefined
    engine.die()
    this.disk.restartProcess()
  }

  /** What a loss of power took has never been. */
  private goBackTo(sequence: number): void {
    const found = this.history.get(sequence)
    if (found === undefined) throw new Error(`no transaction ends with event ${sequence}`)
    this.ledger = found.clone()
    for (const later of [...this.states.keys()]) if (later > sequence) this.states.delete(later)
  }

  private deposit(): Intent {
    const mark = ++this.marks
    return { kind: 'deposit', account: mark % 3, amount: mark, mark }
  }

  private note(size: number): Intent {
    const mark = ++this.marks
    return { kind: 'note', account: mark % 3, size, mark }
  }

  private tell({ kind, name, position, bytes, isDurable }: DiskCall): void {
    if (kind !== 'sync' && kind !== 'syncDirectory' && !isDurable) return
    // What is answered already, while the call is under way, must survive it.
    this.work()
    const disk = this.disk.clone()
    // A write past the page cache: its sectors are what is decided about, beside the rest.
    if (isDurable && bytes !== undefined) disk.open(name, 'write').write(bytes, position)
    const { version, level, dueSequence, states } = this
    this.onPoint({
      where: `${this.stage}: ${kind} ${name}`,
      disk,
      version,
      level,
      dueSequence,
      states,
    })
  }
}
