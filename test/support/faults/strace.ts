/**
 * System calls of a process seen and made to fail with strace: which calls it makes on the files of
 * one directory, and one of them answered with an error, or not made because the process is killed
 * there. Not for: anything but Linux; where it cannot be used, `straceProblem` says why.
 *
 * A place is the n-th call of its kind that a thread makes on one file. strace counts for each thread
 * on its own, so a fault may meet several threads that touch the same file, and a kill meets the first
 * of them.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type ProcessEnd, runProcess } from './run-process.js'

/** What a journal asks of its disk. Calls that it does not make have no places. */
const CALLS = [
  ...['openat', 'mkdir', 'mkdirat', 'pread64', 'pwrite64', 'pwritev', 'write'],
  ...['fdatasync', 'fsync', 'ftruncate', 'fallocate', 'rename', 'renameat', 'renameat2'],
  ...['unlink', 'unlinkat'],
] as const

export type Fault = 'KILL' | 'EIO' | 'ENOSPC'
export const FAULTS: readonly Fault[] = ['KILL', 'EIO', 'ENOSPC']

export interface Place {
  readonly call: string
  /** Name in the directory; '.' is the directory itself. */
  readonly file: string
  /** From 1. */
  readonly ordinal: number
}

/** A sentence when faults cannot be injected here. */
export function straceProblem(): string | undefined {
  if (process.platform !== 'linux') return `strace needs Linux, this is ${process.platform}`
  const inject = ['-e', 'trace=getppid', '-e', 'inject=getppid:error=EIO', '/bin/true']
  const { error, status, stderr } = spawnSync('strace', ['-f', ...inject], { encoding: 'utf8' })
  if (error !== undefined) return `strace cannot be started (${error.message})`
  return status === 0 ? undefined : `strace cannot trace here (${stderr.trim().split('\n')[0]})`
}

/** Runs it untouched. */
export async function placesOf(command: readonly string[], directory: string): Promise<Place[]> {
  const log = `${directory}.trace`
  const calls = `trace=${CALLS.map((call) => `?${call}`).join(',')}`
  const { ended, stderr } = await run(['--seccomp-bpf', '-y', '-e', calls], command, log)
  if (ended !== 0) throw new Error(`without a fault it ended with ${ended}: ${stderr}`)
  return placesIn(readFileSync(log, 'utf8'), directory)
}

/** Runs it with the fault; the places that it met are in the log. */
export async function runWithFault(
  command: readonly string[],
  directory: string,
  { call, file, ordinal }: Place,
  fault: Fault,
): Promise<ProcessEnd & { readonly met: number }> {
  const log = `${directory}.trace`
  const how = fault === 'KILL' ? 'signal=KILL' : `error=${fault}`
  const path = file === '.' ? directory : join(directory, file)
  // Stops at this call alone, which is quicker; a signal does not arrive that way (strace 6.1).
  const quick = fault === 'KILL' ? [] : ['--seccomp-bpf']
  const inject = [
    ...quick,
    '-P',
    path,
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:${how}:when=${ordinal}`,
  ]
  const traced = await run(inject, command, log)
  const injected = readFileSync(log, 'utf8').split('(INJECTED)').length - 1
  return { ...traced, met: fault === 'KILL' ? Number(traced.ended === 'SIGKILL') : injected }
}

const LINE = /^(\d+) +(\w+)\((.*)$/
const PATH = /"([^"]*)"|^\d+<([^>]*)>/

/** The calls of each thread on each file, counted. */
export function placesIn(log: string, directory: string): Place[] {
  const counts = new Map<string, number>()
  const places = new Map<string, Place>()
  for (const line of log.split('\n')) {
    const [, thread = '', call = '', rest = ''] = LINE.exec(line) ?? []
    const found = PATH.exec(rest.replace(/^AT_FDCWD<[^>]*>, /, ''))
    const path = found?.[1] ?? found?.[2] ?? ''
    const isDirectory = path === directory
    if (!isDirectory && join(path, '..') !== directory) continue
    const file = isDirectory ? '.' : basename(path)
    const counted = `${thread} ${call} ${file}`
    const ordinal = (counts.get(counted) ?? 0) + 1
    counts.set(counted, ordinal)
    places.set(`${call} ${file} ${ordinal}`, { call, file, ordinal })
  }
  return [...places.values()]
}

function run(
  options: readonly string[],
  command: readonly string[],
  log: string,
): Promise<ProcessEnd> {
  // It ends as what it has traced has ended.
  return runProcess(['strace', '-f', '-qq', '-o', log, ...options, ...command])
}
