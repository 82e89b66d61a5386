/** Starts engine-process.ts and hears what it says, line by line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface EngineProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** All that it has said so far. */
  readonly lines: string[]
  /** Resolves with the exit code, or the signal, once its last line is here. */
  readonly ended: Promise<number | string | null>
  /** Resolves when it has said so many lines, or has ended. */
  hasSaid(count: number): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('./engine-process.js', import.meta.url))

/** `before` are the words of a command that runs it, such as `unshare`. */
export function startProcess(
  task: string,
  mode: string,
  directory: string,
  first = 1,
  before: readonly string[] = [],
): EngineProcess {
  const [program = '', ...words] = [
    ...before,
    process.execPath,
    SCRIPT,
    task,
    mode,
    directory,
    String(first),
  ]
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  let hear = (): void => undefined
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => {
    lines.push(line)
    hear()
  })
  const read = new Promise<void>((resolve) => reader.once('close', () => resolve()))
  const exited = new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
  const ended = Promise.all([exited, read]).then(([how]) => how)
  return {
    child,
    pid: child.pid ?? 0,
    lines,
    ended,
    async hasSaid(count) {
      const heard = new Promise<void>((resolve) => {
        hear = () => {
          if (lines.length >= count) resolve()
        }
        hear()
      })
      await Promise.race([heard, ended])
    },
  }
}
