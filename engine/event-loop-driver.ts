/**
 * Runs a piece of polling work on a thread's event loop: spin, then sleep.
 *
 *   kick() ─▶ work(), again after every turn of the loop while there is something to do
 *             │ nothing done for SPIN_TURNS_MAX turns
 *             ▼
 *             sleep on the doorbells; a ring, a kick, or a second wakes it
 *
 * Polling with `setImmediate` sees another thread's store after 1.4 µs, a sleeper on
 * `Atomics.waitAsync` after 7 µs (p99 240 µs): so it polls while something is in flight, and sleeps
 * when nothing is. It keeps the process alive only while something is in flight.
 */
import type { DoorbellSet } from './doorbell-set.js'

/** About 1 ms: longer than a synced write takes. */
const SPIN_TURNS_MAX = 500
const SLEEP_MS_MAX = 1000

export interface PolledWork {
  /** One pass; returns whether anything was done. Must not throw. */
  work(): boolean
  /** Whether an answer from another thread is awaited. */
  inFlight(): boolean
}

export class EventLoopDriver {
  private turnScheduled = false
  private sleeping = false
  private stopped = false
  private idleTurns = 0
  private keepAlive: NodeJS.Timeout | undefined
  private readonly polled: PolledWork
  private readonly doorbells: DoorbellSet
  private readonly boundTurn = (): void => this.turn()
  private readonly boundAwake = (): void => this.awake()

  constructor(polled: PolledWork, doorbells: DoorbellSet) {
    this.polled = polled
    this.doorbells = doorbells
  }

  /** There is, or will be at the end of this turn, something to do. */
  kick(): void {
    if (this.turnScheduled || this.stopped) return
    this.idleTurns = 0
    this.schedule()
  }

  /** No further pass; whoever stops it has made the last one. */
  stop(): void {
    this.stopped = true
    this.doorbells.ring()
    this.releaseProcess()
  }

  private schedule(): void {
    this.turnScheduled = true
    setImmediate(this.boundTurn)
  }

  private turn(): void {
    this.turnScheduled = false
    if (this.stopped) return
    if (this.polled.work()) this.idleTurns = 0
    else this.idleTurns++
    const spinning = this.idleTurns === 0 || this.polled.inFlight()
    if (spinning && this.idleTurns < SPIN_TURNS_MAX) {
      if (!this.turnScheduled) this.schedule()
    } else if (!this.turnScheduled) {
      this.sleep()
    }
  }

  private sleep(): void {
    if (this.polled.inFlight()) this.holdProcess()
    if (this.sleeping) return
    this.doorbells.prepareToPark()
    if (this.polled.work()) {
      this.awake()
      return
    }
    const parked = this.doorbells.parked(SLEEP_MS_MAX)
    if (parked === undefined) {
      this.awake()
      return
    }
    this.sleeping = true
    parked.then(this.boundAwake, this.boundAwake)
  }

  private awake(): void {
    this.sleeping = false
    this.doorbells.awake()
    this.releaseProcess()
    this.kick()
  }

  /** `Atomics.waitAsync` does not keep the event loop alive: without this, Node exits silently. */
  private holdProcess(): void {
    this.keepAlive ??= setInterval(() => {}, 2 ** 30)
  }

  private releaseProcess(): void {
    clearInterval(this.keepAlive)
    this.keepAlive = undefined
  }
}
