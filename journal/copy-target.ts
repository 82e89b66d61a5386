/**
 * The directory that a copy of a journal goes into: a new one, or one with nothing in it, and apart
 * from the journal. It is judged by what it is, not by its name: links are followed.
 */
import { existsSync, readdirSync, realpathSync, rmdirSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { causeOf, TidewheelError } from './errors.js'
import { openFileStorage } from './file-storage.js'
import type { Storage } from './storage.js'

export interface CopyTarget {
  readonly storage: Storage
  /** The copy was not made: the directory goes too, if it was made for it and is empty. */
  abandon(): void
}

/** @throws TidewheelError INVALID_OPTION for a directory that must not be used, STORAGE_FAILED */
export function refuseCopyTarget(sourcePath: string, path: string): void {
  refusedBySystem(path, () => {
    refuseSharing(sourcePath, path)
    if (existsSync(path)) refuseUsed(path)
  })
}

/**
 * Makes the directory where there is none.
 * @throws TidewheelError STORAGE_FAILED
 */
export function openCopyTarget(path: string): CopyTarget {
  return refusedBySystem(path, () => {
    const isNew = !existsSync(path)
    const storage = openFileStorage(path, { create: true })
    return { storage, abandon: () => (isNew ? removeEmpty(path) : undefined) }
  })
}

function refusedBySystem<Result>(path: string, action: () => Result): Result {
  try {
    return action()
  } catch (cause) {
    if (cause instanceof TidewheelError) throw cause
    throw new TidewheelError(
      'STORAGE_FAILED',
      `nothing can be written to ${path} (${causeOf(cause)}); give a directory that this process may make and write`,
      { cause },
    )
  }
}

function refuseSharing(sourcePath: string, path: string): void {
  const [from, to] = [realPath(sourcePath), realPath(path)]
  if (from !== to && !isInside(from, to) && !isInside(to, from)) return
  throw new TidewheelError(
    'INVALID_OPTION',
    `${path} and the journal in ${sourcePath} are the same directory, or one is in the other; give a directory apart from it, best on another disk`,
  )
}

function refuseUsed(path: string): void {
  const isDirectory = statSync(path).isDirectory()
  const [name] = isDirectory ? readdirSync(path) : [basename(path)]
  if (name === undefined) return
  throw new TidewheelError(
    'INVALID_OPTION',
    isDirectory
      ? `the directory ${path} is not empty (it has ${name}), and nothing is overwritten; give a new directory, or remove that one, if it is what an interrupted copy left`
      : `${path} is a file; give a new directory`,
  )
}

/** Of what exists of the path, and the rest of it as it is. */
function realPath(path: string): string {
  const absolute = resolve(path)
  const parent = dirname(absolute)
  if (existsSync(absolute) || parent === absolute) return realpathSync(absolute)
  return join(realPath(parent), basename(absolute))
}

function isInside(path: string, directory: string): boolean {
  const way = relative(directory, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(directory, way) === path
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // An empty directory is in nobody's way, and one that is not empty has been told of.
  }
}
