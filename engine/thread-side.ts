/** Commands run on a thread of their own; this side has a port to it, and asks for the rest. */
import { Worker } from 'node:worker_threads'
import { Catalogue } from '../journal/catalogue.js'
import { errorFromMessage } from '../journal/error-message.js'
import { assert, causeOf, TidewheelError } from '../journal/errors.js'
import { type EventRingMemory, EventRingReader } from '../journal/event-ring.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import type { IdValue } from '../journal/schema/id-type.js'
import { threadArguments } from '../journal/thread-arguments.js'
import type { CommandPort } from './command-port.js'
import type { LiveStateSource } from './determinism/determinism-check.js'
import type { StateOutline } from './determinism/state-outline.js'
import { type Domain, isObjectState, type RecordedEvent } from './domain.js'
import { compileDomain } from './domain-compiler.js'
import type { ResolvedOptions } from './engine-options.js'
import { ENGINE_CLOSED, ENGINE_CLOSING, ENGINE_FAILED } from './engine-status.js'
import { createLaneMemory, type LaneMemory, tellProducer } from './lane.js'
import { PortDriver } from './port-driver.js'
import {
  PROCESSOR_THREAD,
  type ProcessorMessage,
  type ProcessorThreadData,
  type ReadyMessage,
  type Request,
} from './processor-messages.js'
import type { ProcessorSide } from './processor-side.js'
import { createProducerHandle, fingerprintOf, type ProducerHandle } from './producer.js'
import type { QuietRead } from './quiet-reads.js'
import { RemoteIds } from './remote-ids.js'
import { stopReasonOf } from './stop-reason.js'

interface PendingAnswer {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

export class ThreadSide implements ProcessorSide {
  readonly report: RecoveryReport
  readonly catalogue: Catalogue
  readonly ring: EventRingMemory
  readonly edge: SharedArrayBuffer
  readonly ids: RemoteIds
  readonly port: CommandPort
  readonly liveState: LiveStateSource
  private readonly driver: PortDriver
  private readonly worker: Worker
  private readonly domain: Domain
  private readonly executeWaitMs: number
  private readonly pending = new Map<number, PendingAnswer>()
  private requests = 0
  /** Of producers, by number: if the thread dies, nobody else can tell them. */
  private readonly lanes = new Map<number, LaneMemory>()
  private laneNumber = 0
  private failure: TidewheelError | undefined
  private closing: Promise<void> | undefined
  private hasExited = false
  /** Resolves when the thread has ended, however it did. */
  private readonly ended: Promise<void>

  static async open(path: string, domain: Domain, options: ResolvedOptions): Promise<ThreadSide> {
    compileDomain(domain)
    const { logger, clock: _, ...travelling } = options
    const data: ProcessorThreadData = {
      thread: PROCESSOR_THREAD,
      path,
      domainName: domain.name,
      moduleUrl: domain.moduleUrl,
      fingerprint: fingerprintOf(domain),
      options: travelling,
    }
    const worker = new Worker(new URL('./processor-thread.js', import.meta.url), {
      workerData: data,
      name: 'tidewheel processor',
      ...threadArguments(),
    })
    const opening = new Promise<ReadyMessage>((resolve, reject) => {
      worker.on('message', (message: ProcessorMessage) => {
        if (message.kind === 'ready') resolve(message)
        else if (message.kind === 'openFailed') reject(errorFromMessage(message.error))
        else if (message.kind === 'log') logger[message.level](message.text)
      })
      worker.once('error', reject)
      worker.once('exit', () => reject(endedError('while it opened')))
    })
    try {
      return new ThreadSide(worker, await opening, domain, options)
    } catch (error) {
      await worker.terminate()
      throw error
    }
  }

  private constructor(
    worker: Worker,
    ready: ReadyMessage,
    domain: Domain,
    options: ResolvedOptions,
  ) {
    this.worker = worker
    this.domain = domain
    this.executeWaitMs = options.executeWaitMs
    this.report = ready.report
    const { domain: name, keyWindow, entries } = ready.catalogue
    this.catalogue = new Catalogue(name, keyWindow, entries)
    this.ring = ready.ring
    this.edge = ready.edge
    this.ids = new RemoteIds(async (aggregateIndex, slot, count) => {
      return (await this.request({ op: 'idsFrom', aggregateIndex, slot, count })) as IdValue[]
    })
    this.liveState = {
      outline: async () => (await this.request({ op: 'outline' })) as QuietRead<StateOutline>,
      streamHashes: async (piece) =>
        (await this.request({ op: 'streamHashes', piece })) as QuietRead<string[]>,
    }
    this.driver = new PortDriver(
      ready.lane,
      domain,
      () => this.reason(),
      options.executeWaitMs,
      () => this.isReasonKnown,
    )
    this.port = this.driver.port
    worker.on('message', (message: ProcessorMessage) => this.receive(message))
    worker.on('error', (error) => this.fail(endedError(causeOf(error))))
    this.ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.exited(code)
        resolve()
      })
    })
    worker.unref()
  }

  stopReason(): TidewheelError | undefined {
    const hasEnded = this.failure !== undefined || this.driver.status.hasEnded
    return hasEnded ? this.reason() : undefined
  }

  createProducer(): ProducerHandle {
    const memory = createLaneMemory()
    const lane = ++this.laneNumber
    this.lanes.set(lane, memory)
    if (this.failure !== undefined || this.hasExited) this.tellEnd()
    void this.request({ op: 'attachLane', memory, lane }).catch(ignoreStopped)
    return createProducerHandle(memory, this.domain, this.executeWaitMs, () => {
      this.lanes.delete(lane)
      void this.request({ op: 'dropLane', lane }).catch(ignoreStopped)
    })
  }

  get(): never {
    throw inlineOnly('get', 'use query')
  }

  recentEvents(): RecordedEvent[] {
    throw inlineOnly('events', 'use readAll({ from: receipt.sequence - receipt.eventCount + 1 })')
  }

  async query(aggregateIndex: number, id: IdValue): Promise<unknown> {
    // What this thread has submitted before is seen.
    this.port.flush()
    const data = await this.request({ op: 'query', aggregateIndex, id })
    const { state } = this.domain.aggregates[aggregateIndex]!
    return data === undefined || !isObjectState(state) ? data : state.restore(data)
  }

  async slotOf(aggregateIndex: number, id: IdValue): Promise<number> {
    return (await this.request({ op: 'slotOf', aggregateIndex, id })) as number
  }

  async digest(): Promise<string> {
    this.port.flush()
    return (await this.request({ op: 'digest' })) as string
  }

  close(): Promise<void> {
    this.closing ??= this.closeThread()
    return this.closing
  }

  private async closeThread(): Promise<void> {
    // The thread cannot know when this side has taken all its answers.
    const answered = this.port.synced().catch(ignoreStopped)
    this.driver.status.set(ENGINE_CLOSING)
    await answered
    try {
      await this.request({ op: 'close' })
    } finally {
      this.worker.ref()
      await this.ended
      this.driver.end()
    }
  }

  private request(request: Request): Promise<unknown> {
    const isRefused = this.failure !== undefined && request.op !== 'close'
    if (isRefused || this.hasExited) return Promise.reject(this.reason())
    const number = ++this.requests
    return new Promise((resolve, reject) => {
      this.pending.set(number, { resolve, reject })
      this.worker.ref()
      this.worker.postMessage({ kind: 'request', number, request })
    })
  }

  private receive(message: ProcessorMessage): void {
    if (message.kind === 'failed') {
      this.fail(errorFromMessage(message.error) as TidewheelError)
    } else if (message.kind === 'answer' || message.kind === 'refusal') {
      const pending = this.pending.get(message.number)
      assert(pending !== undefined, 'an answer has a request')
      this.pending.delete(message.number)
      if (this.pending.size === 0 && this.closing === undefined) this.worker.unref()
      if (message.kind === 'answer') pending.resolve(message.value)
      else pending.reject(errorFromMessage(message.error))
    }
  }

  private exited(code: number): void {
    this.hasExited = true
    // The host says so when it has closed; nobody else does.
    if (!this.driver.status.hasEnded) this.fail(endedError(`exit code ${code}`))
    for (const { reject } of this.pending.values()) reject(this.reason())
    this.pending.clear()
    this.tellEnd()
  }

  /** To producers that the thread does not know of, or did not live to tell. */
  private tellEnd(): void {
    const status = this.failure === undefined ? ENGINE_CLOSED : ENGINE_FAILED
    for (const memory of this.lanes.values()) tellProducer(memory, status)
  }

  private get isReasonKnown(): boolean {
    return this.failure !== undefined || this.driver.status.get() !== ENGINE_FAILED
  }

  private fail(error: TidewheelError): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.driver.status.set(ENGINE_FAILED)
    this.tellEnd()
    this.driver.end()
    new EventRingReader(this.ring).wakeSubscribers()
  }

  private reason(): TidewheelError {
    // The shared status tells of a failure before the message with its reason does.
    return stopReasonOf(this.driver.status.get(), this.failure)
  }
}

function endedError(how: string): TidewheelError {
  return new TidewheelError('STORAGE_FAILED', `the processor thread ended unexpectedly (${how})`)
}

function inlineOnly(method: string, instead: string): TidewheelError {
  return new TidewheelError(
    'INVALID_OPTION',
    `${method} needs the state on this thread: ${instead}, or open the engine with processor 'inline'`,
  )
}

/** A producer that comes or goes while the engine stops has nothing to be told. */
function ignoreStopped(): void {}
