/** A command port on another thread than the processor: its rings, its doorbells, its loop. */
import { Doorbell } from '../journal/doorbell.js'
import type { TidewheelError } from '../journal/errors.js'
import { CommandPort, type PortOwner } from './command-port.js'
import type { Domain } from './domain.js'
import { DoorbellSet } from './doorbell-set.js'
import { EngineStatus } from './engine-status.js'
import { EventLoopDriver } from './event-loop-driver.js'
import type { LaneMemory } from './lane.js'

export class PortDriver {
  readonly port: CommandPort
  readonly status: EngineStatus
  private readonly driver: EventLoopDriver
  private ended = false
  /** The shared status tells of an end before the message that says why has arrived. */
  private readonly isReasonKnown: () => boolean

  /** `stopReason` says why the engine has stopped, once the shared status says that it has. */
  constructor(
    memory: LaneMemory,
    domain: Domain,
    stopReason: () => TidewheelError,
    executeWaitMs: number,
    isReasonKnown: () => boolean = () => true,
  ) {
    this.isReasonKnown = isReasonKnown
    const processorDoorbell = new Doorbell(memory.processorDoorbell)
    this.status = new EngineStatus(memory.status)
    this.driver = new EventLoopDriver(
      { work: () => this.work(), inFlight: () => this.port.inFlight },
      new DoorbellSet(new Doorbell(memory.producerDoorbell)),
    )
    const owner: PortOwner = {
      kick: () => {
        processorDoorbell.ring()
        this.driver.kick()
      },
      runNow: () => processorDoorbell.ring(),
      stopReason,
    }
    this.port = new CommandPort(memory, domain, this.status, owner, executeWaitMs)
    this.driver.kick()
  }

  /** Takes what was answered; nothing will be any more. */
  end(): void {
    if (this.ended) return
    this.ended = true
    this.driver.stop()
    this.port.fail()
  }

  private work(): boolean {
    const { hasEnded } = this.status
    const polled = this.port.poll()
    // The status was read first: all that was released before the end has been taken now.
    if (hasEnded && !polled && this.isReasonKnown()) this.end()
    return polled
  }
}
