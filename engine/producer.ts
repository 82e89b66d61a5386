/**
 * A producer on another worker thread: `engine.producer()` gives a handle, which travels in
 * `workerData` or a message, and `Producer.connect` there makes a port:
 *
 *   const handle = engine.producer()
 *   new Worker(url, { workerData: { producer: handle }, transferList: handle.transferList })
 *   // in the worker
 *   const producer = Producer.connect(workerData.producer, bank)
 *
 * The handle carries a MessagePort for one purpose: it closes when the producer's thread dies, so
 * that its lane can be dropped.
 */
import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { MessageChannel, MessagePort } from 'node:worker_threads'
import { TidewheelError } from '../journal/errors.js'
import { describeFields } from '../journal/schema/field-description.js'
import { describeValue } from '../journal/schema/value-check.js'
import type { CommandOptions, ReceiptsListener } from './command-port.js'
import { type CommandType, Domain } from './domain.js'
import { compileDomain } from './domain-compiler.js'
import { EngineStatus } from './engine-status.js'
import type { LaneMemory } from './lane.js'
import { PortDriver } from './port-driver.js'
import type { Receipt } from './receipt.js'
import { stopReasonOf } from './stop-reason.js'

export interface ProducerHandle {
  readonly memory: LaneMemory
  readonly life: MessagePort
  /** What has to be given as `transferList` beside the handle; `Worker` wants it mutable. */
  readonly transferList: MessagePort[]
  readonly domain: string
  readonly fingerprint: string
  readonly executeWaitMs: number
}

/** `onGone` is called when the producer has closed, or its thread has ended. */
export function createProducerHandle(
  memory: LaneMemory,
  domain: Domain,
  executeWaitMs: number,
  onGone: () => void,
): ProducerHandle {
  const { port1, port2 } = new MessageChannel()
  port1.once('close', onGone)
  port1.unref()
  const fingerprint = fingerprintOf(domain)
  const transferList = [port2]
  return { memory, life: port2, transferList, domain: domain.name, fingerprint, executeWaitMs }
}

export class Producer {
  private readonly driver: PortDriver
  private readonly life: MessagePort
  private closed = false

  private constructor(handle: ProducerHandle, domain: Domain) {
    this.life = handle.life
    this.life.unref()
    this.driver = new PortDriver(
      handle.memory,
      domain,
      () => this.stopReason(),
      handle.executeWaitMs,
    )
  }

  /**
   * @param domain the engine's own, loaded on this thread
   * @throws TidewheelError DOMAIN_MISMATCH when it is not the same as the engine's, INVALID_OPTION
   *   for what is no handle or no domain, and for a handle that is connected already
   */
  static connect(handle: ProducerHandle, domain: Domain): Producer {
    refuseWrongArguments(handle, domain)
    if (handle.domain !== domain.name || handle.fingerprint !== fingerprintOf(domain)) {
      throw new TidewheelError(
        'DOMAIN_MISMATCH',
        `the engine runs domain ${handle.domain}, and this thread has loaded ${domain.name} with other commands or fields; load the same module on both`,
      )
    }
    compileDomain(domain)
    if (!new EngineStatus(handle.memory.status).connect()) {
      throw new TidewheelError(
        'INVALID_OPTION',
        'this handle is connected already, and two producers would write over each other; call engine.producer() once for each',
      )
    }
    return new Producer(handle, domain)
  }

  /**
   * See Engine.submit.
   * @throws TidewheelError also PRODUCER_CONDEMNED: something has written over this producer's rings
   */
  submit<Input>(command: CommandType<Input>, value: Input, options?: CommandOptions): number {
    // The lane may be gone already, and nobody would ever answer.
    if (this.closed) throw this.stopReason()
    return this.driver.port.submit(command, value, options)
  }

  /**
   * See Engine.execute.
   * @throws TidewheelError also PRODUCER_CONDEMNED: it may or may not be kept
   */
  execute<Input>(
    command: CommandType<Input>,
    value: Input,
    options?: CommandOptions,
  ): Promise<Receipt> {
    if (this.closed) return Promise.reject(this.stopReason())
    return this.driver.port.execute(command, value, options)
  }

  room(): Promise<void> {
    return this.driver.port.room()
  }

  synced(ticket?: number): Promise<void> {
    return this.driver.port.synced(ticket)
  }

  onReceipts(listener: ReceiptsListener): void {
    this.driver.port.onReceipts(listener)
  }

  /** Waits for all receipts, then gives the lane back. */
  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    try {
      await this.synced()
    } finally {
      this.driver.end()
      this.life.close()
    }
  }

  private stopReason(): TidewheelError {
    const { status } = this.driver
    if (status.hasEnded || !this.closed) return stopReasonOf(status.get(), undefined)
    return new TidewheelError('ENGINE_CLOSED', 'this producer is closed')
  }
}

function refuseWrongArguments(handle: unknown, domain: unknown): void {
  const { memory, life } = (handle ?? {}) as Partial<ProducerHandle>
  if (!types.isSharedArrayBuffer(memory?.status) || !(life instanceof MessagePort)) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `${describeValue(handle)} is not a producer's handle; give what engine.producer() returned, passed on in workerData or a message`,
    )
  }
  if (!(domain instanceof Domain)) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `${describeValue(domain)} is not a domain; give what domain(…) returned`,
    )
  }
}

/** What threads that share an engine's memory have to agree on: all names, ids and fields. */
export function fingerprintOf(domain: Domain): string {
  const aggregates = domain.aggregates.map(({ name, idType }) => [name, idType])
  const events = domain.events.map(({ name, aggregate, fields }) => {
    return [name, aggregate.name, describeFields(fields)]
  })
  const commands = domain.commands.map(({ name, fields }) => [name, describeFields(fields)])
  const agreed = JSON.stringify([domain.name, aggregates, events, commands])
  return createHash('sha256').update(agreed).digest('hex')
}
