/**
 * Runs a contender in a process of its own, so that what V8 learned from one does not slow another.
 * The module exports `prepare(options)`; options and results are plain data.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Contender } from './benchmark.js'
import type { IsolatedRequest } from './isolated-child.js'

/** What the process of a contender is started with, beyond the module. */
export interface ProcessTuning {
  readonly nodeArguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** The same contender, as the process that started it sees it. */
export class IsolatedContender<Result> implements Contender<Result> {
  private readonly child: ChildProcess
  private pending: Pending | undefined

  /** Resolves when it is ready for its first round. `module` is the URL of a compiled module. */
  static async start<Options, Result>(
    module: string,
    options: Options,
    tuning?: ProcessTuning,
  ): Promise<IsolatedContender<Result>> {
    const isolated = new IsolatedContender<Result>(module, tuning)
    await isolated.ask({ kind: 'prepare', module, options })
    return isolated
  }

  private constructor(module: string, tuning: ProcessTuning | undefined) {
    const entry = fileURLToPath(new URL('./isolated-child.js', import.meta.url))
    this.child = fork(entry, [], {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...(tuning?.nodeArguments ?? [])],
      env: { ...process.env, ...tuning?.environment },
    })
    this.child.on('message', ({ value }: { value: unknown }) => this.pending?.resolve(value))
    this.child.on('exit', (code) => {
      this.pending?.reject(new Error(`${module} ended with exit code ${code}; see above`))
    })
  }

  round(): Promise<Result> {
    return this.ask({ kind: 'round' }) as Promise<Result>
  }

  /** Lets it check itself. The process ends, whatever it finds. */
  async end(): Promise<void> {
    await this.ask({ kind: 'end' })
    this.abandon()
  }

  /** Ends the process without a check, since something else went wrong. */
  abandon(): void {
    this.pending = undefined
    if (this.child.connected) this.child.disconnect()
  }

  private ask(request: IsolatedRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject }
      this.child.send(request, (error) => {
        if (error !== null) reject(error)
      })
    })
  }
}
