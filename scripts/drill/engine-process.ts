/** One life of the process that runs the engine: started, listened to, killed or stopped. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { AcknowledgementLog } from './acknowledgements.js'
import type { ChildMessage, ChildStart } from './drill-messages.js'

const ACKNOWLEDGEMENTS_FD = 4

export class EngineProcess {
  /** Resolves when the process is gone and everything it has acknowledged is recorded. */
  readonly ended: Promise<void>
  private readonly child: ChildProcess

  constructor(
    start: ChildStart,
    acknowledgements: AcknowledgementLog,
    onMessage: (message: ChildMessage) => void,
  ) {
    const module = fileURLToPath(new URL('./drill-child.js', import.meta.url))
    this.child = fork(module, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'] })
    const pipe = this.child.stdio[ACKNOWLEDGEMENTS_FD] as Readable
    pipe.on('data', (chunk: Buffer) => acknowledgements.receive(chunk))
    this.child.on('message', (message) => onMessage(message as ChildMessage))
    const exited = new Promise<void>((resolve) => this.child.once('close', () => resolve()))
    this.ended = exited.then(() => acknowledgements.endOfProcess())
    this.child.send(start)
  }

  get exitCode(): number | null {
    return this.child.exitCode
  }

  /** At once, in the middle of whatever it does. */
  kill(): void {
    this.child.kill('SIGKILL')
  }

  stop(): void {
    if (this.child.connected) this.child.send({ kind: 'stop' })
  }
}
