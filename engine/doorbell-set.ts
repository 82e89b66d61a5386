/**
 * Several doorbells with one sleeper, which any of them wakes. The processor has one a lane, so that
 * lanes share no memory: what a producer writes into its own cannot hide another one's ring.
 *
 * Whatever a doorbell's memory holds, a sleep ends within its time limit; one that changes all the
 * time only keeps the sleeper awake.
 */
import type { Doorbell } from '../journal/doorbell.js'

interface Member {
  readonly doorbell: Doorbell
  /** What `prepareToPark` gave. */
  value: number
}

export class DoorbellSet {
  private readonly own: Doorbell
  private readonly members: Member[]

  /** @param own rung by those that the sleeper trusts, and by itself */
  constructor(own: Doorbell) {
    this.own = own
    this.members = [{ doorbell: own, value: 0 }]
  }

  /** Wakes the sleeper. */
  ring(): void {
    this.own.ring()
  }

  add(doorbell: Doorbell): void {
    this.members.push({ doorbell, value: 0 })
    // A sleep that has begun does not listen to it.
    this.own.ring()
  }

  remove(doorbell: Doorbell): void {
    const index = this.members.findIndex((member) => member.doorbell === doorbell)
    if (index > 0) this.members.splice(index, 1)
    doorbell.awake()
  }

  /** From here on every ring is noticed: look at all sources once more, then {@link parked}. */
  prepareToPark(): void {
    for (const member of this.members) member.value = member.doorbell.prepareToPark()
  }

  /** Resolves at the next ring of any, or after `timeoutMs`; undefined: one has rung already. */
  parked(timeoutMs: number): Promise<unknown> | undefined {
    const waits: Promise<unknown>[] = []
    for (const { doorbell, value } of this.members) {
      const wait = doorbell.parked(value, timeoutMs)
      if (wait === undefined) return undefined
      waits.push(wait)
    }
    return Promise.race(waits)
  }

  /** Ends the sleep on all of them. */
  awake(): void {
    for (const { doorbell } of this.members) doorbell.awake()
  }
}
