/** Commands run on the caller's thread, between its own turns of the event loop. */

import type { Catalogue } from '../journal/catalogue.js'
import type { TidewheelError } from '../journal/errors.js'
import type { EventRingMemory } from '../journal/event-ring.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import type { IdValue } from '../journal/schema/id-type.js'
import { CommandPort, type PortOwner } from './command-port.js'
import type { LiveStateSource } from './determinism/determinism-check.js'
import { outlineOf, streamHashes } from './determinism/state-outline.js'
import type { Domain, RecordedEvent } from './domain.js'
import { EngineHost } from './engine-host.js'
import type { ResolvedOptions } from './engine-options.js'
import { EngineStatus } from './engine-status.js'
import { createLaneMemory } from './lane.js'
import type { IdSource, ProcessorSide } from './processor-side.js'
import { createProducerHandle, type ProducerHandle } from './producer.js'
import type { EventDecoder } from './read/event-decoder.js'

export class InlineSide implements ProcessorSide {
  readonly report: RecoveryReport
  readonly catalogue: Catalogue
  readonly ring: EventRingMemory
  readonly edge: SharedArrayBuffer
  readonly ids: IdSource
  readonly port: CommandPort
  readonly liveState: LiveStateSource
  private readonly host: EngineHost
  private readonly executeWaitMs: number

  static async open(path: string, domain: Domain, options: ResolvedOptions): Promise<InlineSide> {
    const host = await EngineHost.open(path, domain, options)
    return new InlineSide(host, domain, options.executeWaitMs)
  }

  private constructor(host: EngineHost, domain: Domain, executeWaitMs: number) {
    this.host = host
    this.executeWaitMs = executeWaitMs
    const { runtime, report, catalogue } = host.state
    this.report = report
    this.catalogue = catalogue
    this.ring = host.ringMemory
    this.edge = host.edgeMemory
    this.ids = {
      idOf: (aggregateIndex, slot) => runtime.idOf(aggregateIndex, slot),
      isMissing: false,
      fetchMissing: () => Promise.resolve(),
    }
    this.liveState = {
      outline: () => host.whenQuiet(() => outlineOf(runtime)),
      streamHashes: (piece) => host.whenQuiet(() => streamHashes(runtime, piece)),
    }
    const memory = createLaneMemory()
    host.attachLane(memory, true)
    const owner: PortOwner = {
      kick: () => host.kick(),
      runNow: () => host.runNow(),
      stopReason: () => host.stopReason(),
    }
    this.port = new CommandPort(
      memory,
      domain,
      new EngineStatus(memory.status),
      owner,
      executeWaitMs,
    )
    host.attachPort(this.port)
  }

  stopReason(): TidewheelError | undefined {
    return this.host.hasEnded ? this.host.stopReason() : undefined
  }

  createProducer(): ProducerHandle {
    const memory = createLaneMemory()
    const lane = this.host.attachLane(memory)
    const { domain } = this.host.state.runtime
    return createProducerHandle(memory, domain, this.executeWaitMs, () => this.host.dropLane(lane))
  }

  get(aggregateIndex: number, id: IdValue): unknown {
    return this.host.read(aggregateIndex, id)
  }

  recentEvents(first: number, last: number, decoder: EventDecoder): RecordedEvent[] {
    return this.host.recentEvents.read(first, last, decoder)
  }

  query(aggregateIndex: number, id: IdValue): Promise<unknown> {
    return this.host.whenSynced(() => this.host.read(aggregateIndex, id))
  }

  async slotOf(aggregateIndex: number, id: IdValue): Promise<number> {
    return this.host.state.runtime.slotOf(aggregateIndex, id)
  }

  digest(): Promise<string> {
    return this.host.digest()
  }

  async close(): Promise<void> {
    try {
      await this.host.close()
    } finally {
      this.port.fail()
    }
  }
}
