/**
 * The engine as users hold it. It runs its commands on the caller's thread (inline) or on one of
 * their own (`processor: 'thread'`); everything else is the same.
 */
import { resolve } from 'node:path'
import { workerData } from 'node:worker_threads'
import type { ArchiveReport } from '../journal/archive.js'
import type { BackupReport } from '../journal/backup.js'
import type { ChainHead } from '../journal/chain-head.js'
import { TidewheelError } from '../journal/errors.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import { type IdValue, isId } from '../journal/schema/id-type.js'
import { describeValue } from '../journal/schema/value-check.js'
import type { SyncedEdge } from '../journal/synced-edge.js'
import type { CommandOptions, CommandPort, ReceiptsListener } from './command-port.js'
import type { DeterminismReport } from './determinism/determinism-check.js'
import {
  type Aggregate,
  type CommandType,
  Domain,
  type IdInput,
  type RecordedEvent,
} from './domain.js'
import { type EngineOptions, type ResolvedOptions, resolveOptions } from './engine-options.js'
import { FileTasks } from './file-tasks.js'
import { refuseId } from './id-refusal.js'
import { InlineSide } from './inline-side.js'
import { isModuleLoading } from './module-loading.js'
import { isProcessorThread } from './processor-messages.js'
import type { ProcessorSide } from './processor-side.js'
import type { ProducerHandle } from './producer.js'
import { EventDecoder } from './read/event-decoder.js'
import { EventLog } from './read/event-log.js'
import type { AcceptedReceipt, Receipt } from './receipt.js'
import { ThreadSide } from './thread-side.js'

export interface ReadOptions {
  /** First sequence wanted, inclusive. Default: 1. */
  readonly from?: number
}

export interface ReadStreamOptions {
  /** First version wanted, inclusive. Default: 1. */
  readonly fromVersion?: number
}

export interface ArchiveOptions {
  /** Only segments all of whose events come before this sequence. Default: all that are sealed. */
  readonly before?: number
}

export class Engine {
  readonly domain: Domain
  /** What opening found and did. */
  readonly report: RecoveryReport
  private readonly side: ProcessorSide
  private readonly port: CommandPort
  private readonly log: EventLog
  private readonly decoder: EventDecoder
  private readonly files: FileTasks

  private constructor(side: ProcessorSide, domain: Domain, options: ResolvedOptions, path: string) {
    this.side = side
    this.domain = domain
    this.report = side.report
    this.port = side.port
    this.decoder = new EventDecoder(domain, side.catalogue, side.ids)
    const directory = options.durability === 'none' ? undefined : path
    this.log = new EventLog({
      path: directory,
      ring: side.ring,
      edge: side.edge,
      decoder: this.decoder,
      stopReason: () => side.stopReason(),
      report: (message) => options.logger.warn(message),
    })
    this.files = new FileTasks(
      {
        path: directory,
        domain,
        report: side.report,
        position: () => this.journalPosition(),
        stopReason: () => side.stopReason(),
      },
      options,
    )
  }

  /**
   * Opens the journal in `path`: creates it, or recovers what is there.
   *
   * @throws TidewheelError ENGINE_LOCKED, JOURNAL_DAMAGED, NOT_A_JOURNAL, FORMAT_TOO_NEW,
   *   SCHEMA_CHANGED, DOMAIN_MISMATCH, REPLAY_FAILED, OUT_OF_MEMORY, INVALID_OPTION, …
   */
  static async open(path: string, domain: Domain, options: EngineOptions = {}): Promise<Engine> {
    refuseWrongArguments(path, domain)
    const resolved = resolveOptions(options)
    const Side = resolved.processor === 'inline' ? InlineSide : ThreadSide
    const directory = resolve(path)
    const side = await Side.open(directory, domain, resolved)
    try {
      return new Engine(side, domain, resolved, directory)
    } catch (error) {
      await side.close()
      throw error
    }
  }

  /**
   * Takes the command and resolves with its receipt, accepted or rejected, when all that it was
   * decided on is durable: answered means kept.
   *
   * @throws TidewheelError INVALID_COMMAND for a value that does not fit, BACKPRESSURE when there was
   *   no room for `executeWaitMs`, DISK_FULL, ENGINE_CLOSED: the command was not taken. ENGINE_STOPPED: with
   *   `outcome: 'unknown'` it may or may not be kept; without, it was not taken.
   */
  execute<Input>(
    command: CommandType<Input>,
    value: Input,
    options?: CommandOptions,
  ): Promise<Receipt> {
    return this.port.execute(command, value, options)
  }

  /**
   * Takes the command without waiting or making a promise: for feeds. Returns its ticket (1, 2,
   * 3 …), under which its receipt comes to {@link onReceipts}; or 0: nothing was taken because the
   * disk is behind, so await {@link room} and submit it again.
   *
   * @throws TidewheelError INVALID_COMMAND, DISK_FULL, ENGINE_CLOSED, ENGINE_STOPPED: the command
   *   was not taken
   */
  submit<Input>(command: CommandType<Input>, value: Input, options?: CommandOptions): number {
    return this.port.submit(command, value, options)
  }

  /** Resolves when {@link submit} may take a command again. */
  room(): Promise<void> {
    return this.port.room()
  }

  /** Resolves when the command with this ticket, or all so far, are answered. */
  synced(ticket?: number): Promise<void> {
    return this.port.synced(ticket)
  }

  /** Receipts of this engine's own commands, in ticket order. */
  onReceipts(listener: ReceiptsListener): void {
    this.port.onReceipts(listener)
  }

  /** A port for another worker thread: pass it on, and `Producer.connect` there. */
  producer(): ProducerHandle {
    return this.side.createProducer()
  }

  /**
   * State of a stream now, as a copy; `undefined` without events. Inline only. It may show what is
   * not yet on disk: to answer others, use {@link query}.
   */
  get<Id, State>(aggregate: Aggregate<Id, State>, id: IdInput<Id>): State | undefined {
    return this.side.get(this.indexOf(aggregate), id as IdValue) as State | undefined
  }

  /** State of a stream, as a copy, when everything in it is durable. */
  query<Id, State>(aggregate: Aggregate<Id, State>, id: IdInput<Id>): Promise<State | undefined> {
    return this.side.query(this.indexOf(aggregate), id as IdValue) as Promise<State | undefined>
  }

  /**
   * The events of a receipt, from memory: right after it came. Inline only.
   * @throws TidewheelError EVENTS_NOT_IN_MEMORY when they are gone; `readAll` has them
   */
  events(receipt: AcceptedReceipt): Iterable<RecordedEvent> {
    if (receipt?.accepted !== true) {
      throw new TidewheelError(
        'INVALID_OPTION',
        `${describeValue(receipt)} is not the receipt of an accepted command; ask receipt.accepted first`,
      )
    }
    const { sequence, eventCount } = receipt
    if (eventCount === 0) return []
    return this.side.recentEvents(sequence - eventCount + 1, sequence, this.decoder)
  }

  /** All events that are synced now, in order. */
  readAll(options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    return this.log.history(firstWanted('from', options))
  }

  /** The events of one stream that are synced now, in order. */
  async *read<Id, State>(
    aggregate: Aggregate<Id, State>,
    id: IdInput<Id>,
    options: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedEvent<Id>> {
    const index = this.indexOf(aggregate)
    const fromVersion = firstWanted('fromVersion', options)
    if (!isId(aggregate.idType, id)) refuseId(aggregate.name, aggregate.idType, id)
    const slot = await this.side.slotOf(index, id as IdValue)
    if (slot === 0) return
    const stream = { aggregateNumber: this.decoder.aggregateNumberOf(aggregate.name), slot }
    const events = this.log.ofStream(stream, (cursor, sequence) => {
      if (cursor.slot !== slot || cursor.version < fromVersion) return false
      return this.decoder.aggregateIndexOf(cursor, sequence) === index
    })
    yield* events as AsyncGenerator<RecordedEvent<Id>>
  }

  /** All events from `from` on, and then each new one when it is synced, until the loop is left. */
  subscribe(options: ReadOptions = {}): AsyncGenerator<RecordedEvent> {
    return this.log.live(firstWanted('from', options))
  }

  /** How far the journal is durable: last sequence, and the end of its block in the files. */
  journalPosition(): SyncedEdge {
    return this.log.position()
  }

  /**
   * The head of the hash chain over everything that was answered before: note `sequence` and `hash`
   * elsewhere, and `tidewheel verify --head` shows later that nothing of it has changed.
   * @throws TidewheelError NO_JOURNAL, ENGINE_STOPPED
   */
  async head(): Promise<ChainHead> {
    this.files.refuseWithout('note the head of')
    return this.log.head()
  }

  /** A hash of the whole state: the same after a restart, or something is not deterministic. */
  digest(): Promise<string> {
    return this.side.digest()
  }

  /**
   * Makes a snapshot of the state at the end of the last segment that is full, so that the next
   * opening replays only what is behind it. It is made of the files, by the domain's module, on a
   * thread of its own: commands go on. Resolves with the name of the file; `undefined` while no
   * segment is full. The option `snapshot` says when one is made without being asked for, and how
   * many are kept.
   *
   * @throws TidewheelError NO_JOURNAL, DOMAIN_MISMATCH, INVALID_DOMAIN for object state that is no
   *   plain data, JOURNAL_DAMAGED, STORAGE_FAILED, ENGINE_CLOSED, ENGINE_STOPPED: the engine runs on
   *   without it
   */
  snapshot(): Promise<string | undefined> {
    return this.files.snapshot()
  }

  /**
   * Copies the journal into `directory`, which is new or empty, while commands go on: everything
   * that was answered before the call. The copy opens by itself as a journal. It is made of the
   * files, on a thread of its own, read back and verified. Resolves with its last sequence and head
   * hash when it is durable; one that was interrupted is never taken for a whole one.
   *
   * @throws TidewheelError NO_JOURNAL, INVALID_OPTION for a directory that must not be used,
   *   DISK_FULL, STORAGE_FAILED, JOURNAL_DAMAGED, JOURNAL_UNREADABLE, ENGINE_CLOSED,
   *   ENGINE_STOPPED: the engine runs on without it
   */
  backup(directory: string): Promise<BackupReport> {
    return this.files.backup(directory)
  }

  /**
   * Compresses the segments that are full, oldest first, on a thread of its own: commands go on. An
   * archived segment is read like any other, by opening, reads, snapshots and tools; the plain file
   * goes when the archive is on disk and was read back. Resolves when all are done.
   *
   * @throws TidewheelError NO_JOURNAL, INVALID_OPTION, JOURNAL_DAMAGED, DISK_FULL, STORAGE_FAILED
   *   (then no more are archived until the journal is opened again), ENGINE_CLOSED, ENGINE_STOPPED:
   *   the engine runs on, and the journal is whole, in either form of its segments
   */
  async archive(options: ArchiveOptions = {}): Promise<ArchiveReport> {
    const before = firstWanted('before', options, Number.MAX_SAFE_INTEGER)
    return this.files.archive(before)
  }

  /**
   * Replays the files, from the newest snapshot or the first event on, and compares the state that
   * they give with the live one at the same sequence; where they differ, an `evolve` depends on more
   * than its arguments, and the first stream that differs is named. The replay runs on a thread of its
   * own, with a second state in memory, and as if on another day; commands wait only while the
   * live state is hashed, for `pausedMs`.
   *
   * @throws TidewheelError NO_JOURNAL, DOMAIN_MISMATCH, JOURNAL_DAMAGED, REPLAY_FAILED when an
   *   `evolve` throws, ENGINE_CLOSED, ENGINE_STOPPED
   */
  async checkDeterminism(): Promise<DeterminismReport> {
    return this.files.checkDeterminism(this.side.liveState)
  }

  /**
   * Answers what was taken, seals the journal, and frees the directory. Producers in other threads
   * find the receipts of what they had published, however late they look. One whose receipts have no
   * room is waited for until a second has passed; what is left of it is not run, and logged.
   */
  async close(): Promise<void> {
    const broken = this.files.close()
    // Before the directory is free for others.
    if (broken !== undefined) await broken
    await Promise.all([this.side.close(), this.log.close()])
  }

  private indexOf(aggregate: { name: string; domain: Domain; index: number }): number {
    if (aggregate?.domain === this.domain) return aggregate.index
    throw new TidewheelError(
      'UNKNOWN_AGGREGATE',
      aggregate?.domain === undefined
        ? `${describeValue(aggregate)} is not an aggregate; give one that domain ${this.domain.name} declares`
        : `aggregate ${aggregate.name} belongs to domain ${aggregate.domain.name}, this engine runs ${this.domain.name}`,
    )
  }
}

function firstWanted<Name extends string>(
  name: Name,
  options: { readonly [name in Name]?: number },
  otherwise = 1,
): number {
  if (typeof options !== 'object' || options === null) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `${describeValue(options)} is given for options; give { ${name}: 1 }, or leave it out`,
    )
  }
  const unknown = Object.keys(options).find((given) => given !== name)
  if (unknown !== undefined) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `${JSON.stringify(unknown)} is no option here; the one that there is is ${name}`,
    )
  }
  const value: number | undefined = options[name]
  if (value === undefined) return otherwise
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new TidewheelError(
    'INVALID_OPTION',
    `${name} is ${describeValue(value)}; give an integer from 1`,
  )
}

function refuseWrongArguments(path: unknown, domain: unknown): void {
  if (typeof path !== 'string' || path === '') {
    throw new TidewheelError(
      'INVALID_OPTION',
      `the journal's directory is ${describeValue(path)}; give its path`,
    )
  }
  if (!(domain instanceof Domain)) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `${describeValue(domain)} is not a domain; give what domain(…) returned`,
    )
  }
  if (isModuleLoading()) {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `a module opens an engine of domain ${domain.name} while it is loaded for its declarations alone, by a tool or to make a snapshot; declare the domain in a module that opens none`,
    )
  }
  if (isProcessorThread(workerData)) {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `the module that declares domain ${domain.name} opens an engine when it is loaded, so its processor thread would too; declare the domain in a module of its own`,
    )
  }
}
