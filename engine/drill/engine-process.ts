/** One life of the process that runs the engine: started, listened to, killed or stopped. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { AcknowledgementLog } from './acknowledgements.js'
import { DrillError } from './drill-error.js'
import type { ChildMessage, ChildStart } from './drill-messages.js'

const ACKNOWLEDGEMENTS_FD = 4
const STDERR_FD = 2

export class EngineProcess {
  /**
   * Resolves when the process is gone and everything it has acknowledged is recorded.
   * @throws DrillError when it failed, or ended otherwise than it was told to
   */
  readonly ended: Promise<void>
  private readonly child: ChildProcess
  private isKilled = false
  private failure: string | undefined

  /** @param fileBytesMax the system lets no file of the process become longer; needs a shell */
  constructor(
    start: ChildStart,
    acknowledgements: AcknowledgementLog,
    onMessage: (message: ChildMessage) => void,
    fileBytesMax?: number,
  ) {
    const module = fileURLToPath(new URL('./drill-child.js', import.meta.url))
    this.child = fork(module, [], {
      // What the domain prints must not get between the lines of the report.
      stdio: ['ignore', STDERR_FD, 'inherit', 'ipc', 'pipe'],
      serialization: 'advanced',
      ...(fileBytesMax === undefined ? {} : limitedTo(fileBytesMax)),
    })
    const pipe = this.child.stdio[ACKNOWLEDGEMENTS_FD] as Readable
    pipe.on('data', (chunk: Buffer) => this.receive(acknowledgements, chunk))
    this.child.on('message', (message: ChildMessage) => {
      if (message.kind === 'failed') this.failure ??= message.reason
      else onMessage(message)
    })
    this.child.once('error', (error) => {
      this.failure ??= `the engine's process cannot be started: ${error.message}`
    })
    const exited = new Promise<void>((resolve) => this.child.once('close', () => resolve()))
    this.ended = exited.then(() => {
      acknowledgements.endOfProcess()
      this.refuseFailure()
    })
    // One that dies at once has no channel any more; how it ended says why.
    this.child.send(start, () => undefined)
  }

  /** At once, in the middle of whatever it does. */
  kill(): void {
    this.isKilled = true
    this.child.kill('SIGKILL')
  }

  stop(): void {
    if (this.child.connected) this.child.send({ kind: 'stop' })
  }

  private receive(acknowledgements: AcknowledgementLog, chunk: Buffer): void {
    try {
      acknowledgements.receive(chunk)
    } catch (error) {
      this.failure ??= error instanceof Error ? error.message : String(error)
      this.child.kill('SIGKILL')
    }
  }

  private refuseFailure(): void {
    const { exitCode, signalCode } = this.child
    if (this.failure !== undefined) throw new DrillError(this.failure)
    if (exitCode === 0 || (this.isKilled && signalCode === 'SIGKILL')) return
    const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`
    throw new DrillError(
      `the engine's process ended ${how}, which the drill did not ask for; what it said is above. If there is nothing, the system may have had no memory left for it`,
    )
  }
}

/** POSIX counts the limit in halves of a KiB. */
const LIMIT_UNIT_BYTES = 512

function limitedTo(fileBytesMax: number): { execPath: string; execArgv: string[] } {
  const limit = `ulimit -f ${Math.floor(fileBytesMax / LIMIT_UNIT_BYTES)}; exec "$0" "$@"`
  return { execPath: '/bin/sh', execArgv: ['-c', limit, process.execPath] }
}
