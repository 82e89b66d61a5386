/**
 * Commands of any domain through the engine's public `submit`: what the benchmarks beyond transfers
 * have in common. What is submitted is planned before the clock starts, so that making it up is not
 * measured; a round measures from the first `submit` to the last receipt.
 */
import { rmSync } from 'node:fs'
import { type Domain, Engine } from '../engine/index.js'
import type { Contender } from './benchmark.js'
import { NO_SNAPSHOTS } from './no-snapshots.js'

export interface WorkOptions {
  /** Of the contender's own files. */
  readonly directory: string
  readonly seed: number
  /** In one round. */
  readonly commands: number
  /** Before the first round, while V8 compiles. */
  readonly warmUp: number
}

/** How a benchmark uses its domain. */
export interface DomainUser {
  readonly domain: Domain
  /** Submits what has to be there before the first round, if anything. */
  open(engine: Engine): Promise<void>
  /** Makes up the next `count` commands. */
  plan(count: number): void
  /** Submits the next planned one and returns its ticket, or 0: nothing was taken, so call it again. */
  submitNext(engine: Engine): number
  /** Checks the state after `answered` planned commands, of which so many were rejected. */
  verify(engine: Engine, answered: Answered): void
}

export interface Answered {
  readonly accepted: number
  readonly rejected: number
}

export class DomainEngine {
  readonly engine: Engine
  accepted = 0
  rejected = 0
  private planned = 0
  private readonly user: DomainUser
  private readonly directory: string

  static async open(user: DomainUser, directory: string): Promise<DomainEngine> {
    rmSync(directory, { recursive: true, force: true })
    const engine = await Engine.open(directory, user.domain, NO_SNAPSHOTS)
    await user.open(engine)
    await engine.synced()
    return new DomainEngine(user, directory, engine)
  }

  private constructor(user: DomainUser, directory: string, engine: Engine) {
    this.user = user
    this.directory = directory
    this.engine = engine
    this.countReceipts()
  }

  countReceipts(): void {
    this.engine.onReceipts((_first, _last, view) => {
      let accepted = 0
      let rejected = 0
      while (view.next()) {
        if (view.accepted) accepted++
        else rejected++
      }
      this.accepted += accepted
      this.rejected += rejected
    })
  }

  plan(commands: number): void {
    this.user.plan(commands)
    this.planned += commands
  }

  /** Returns when all that was planned is answered, so durable. */
  async submit(commands: number): Promise<void> {
    const { user, engine } = this
    for (let i = 0; i < commands; i++) {
      while (user.submitNext(engine) === 0) await engine.room()
    }
    await engine.synced()
  }

  /** Checks the answers, and that a restart brings the same state; then removes the files. */
  async verify(): Promise<void> {
    const { engine, user, accepted, rejected, planned, directory } = this
    if (accepted + rejected !== planned) {
      throw new Error(`${accepted} accepted and ${rejected} rejected of ${planned}`)
    }
    const digest = await engine.digest()
    await engine.close()
    const reopened = await Engine.open(directory, user.domain)
    try {
      if (digest !== (await reopened.digest())) throw new Error('another digest after reopening')
      user.verify(reopened, { accepted, rejected })
    } finally {
      await reopened.close()
    }
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The contender of the benchmarks that count commands a second. */
export async function prepareCommands(
  user: DomainUser,
  { directory, commands, warmUp }: WorkOptions,
): Promise<Contender<number>> {
  const opened = await DomainEngine.open(user, directory)
  opened.plan(warmUp)
  await opened.submit(warmUp)
  return {
    async round() {
      opened.plan(commands)
      const startedMs = performance.now()
      await opened.submit(commands)
      return (commands * 1000) / (performance.now() - startedMs)
    },
    end: () => opened.verify(),
  }
}
