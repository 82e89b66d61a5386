/** Runs a command to its end, and hears what it says. One that hangs is killed with all it has started. */
import { spawn } from 'node:child_process'

export interface ProcessEnd {
  /** Exit code, or the name of a signal. */
  readonly ended: number | string
  /** What it said on stdout. */
  readonly lines: readonly string[]
  readonly stderr: string
}

const HANG_MS = 60_000

/** @param uid runs it as this user */
export function runProcess(words: readonly string[], uid?: number): Promise<ProcessEnd> {
  const [program = '', ...rest] = words
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own.
      detached: true,
      ...(uid === undefined ? {} : { uid }),
    })
    const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), HANG_MS)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const lines = stdout.split('\n').filter((line) => line !== '')
      resolve({ ended: signal ?? code ?? 'nothing', lines, stderr })
    })
  })
}
