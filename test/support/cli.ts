/** Runs the compiled command line as users do: as a process. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const CLI = fileURLToPath(new URL('../../engine/cli/main.js', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  /** Goes away after this many bytes, as `head` does. */
  readonly readBytesMax?: number
  readonly cwd?: string
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { readBytesMax = Number.POSITIVE_INFINITY, cwd } = options
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      stdout += piece
      if (stdout.length >= readBytesMax) child.stdout.destroy()
    })
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      stderr += piece
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

export function linesOf(stdout: string): string[] {
  return stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n')
}

/** Changes when a file of the directory does, or when one is added or removed. */
export function fingerprint(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .map((name) => {
      const path = join(directory, name)
      const { size, mtimeMs, ctimeMs } = statSync(path)
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex')
      return `${name} ${size} ${mtimeMs} ${ctimeMs} ${hash}`
    })
}
