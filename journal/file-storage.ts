/**
 * The storage port over the file system: synchronous calls of node:fs with explicit positions.
 *
 * What the system says passes through unchanged. What it hides does not: libuv reports a short write
 * as success, so every count is checked, and a write goes on until all is written or it throws. Only
 * regular files are opened: a pipe under a file's name would be waited for, for ever.
 *
 * Not for: retrying, caching, locking.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { assert } from './errors.js'
import { alignedBuffer, type OpenOptions, type Storage, type StorageFile } from './storage.js'

export interface FileStorageOptions {
  /** Creates the directory, and those above it, where they are missing. */
  create?: boolean
  /** False: never past the page cache, whatever `open` asks for. Default: true. */
  direct?: boolean
}

/** `write` of node:fs, so that a test can cut writes short. */
type WriteCall = (
  descriptor: number,
  buffer: Uint8Array,
  offset: number,
  lengthBytes: number,
  position: number,
) => number

/** Undefined on systems without direct writes (macOS, Windows). */
const O_DIRECT: number | undefined = constants.O_DIRECT
const O_DSYNC: number | undefined = constants.O_DSYNC
/** Missing on Windows. */
const O_NONBLOCK: number = constants.O_NONBLOCK ?? 0

/** @throws what the system says when `path` is missing, not a directory, or not readable. */
export function openFileStorage(path: string, options: FileStorageOptions = {}): Storage {
  const absolute = resolve(path)
  if (options.create === true) createDirectory(absolute)
  readdirSync(absolute)
  return new FileStorage(absolute, options.direct ?? true)
}

/** Goes on after a short write; a write of nothing would repeat for ever, so it throws. */
export function writeFully(
  descriptor: number,
  buffer: Uint8Array,
  position: number,
  write: WriteCall = writeSync,
): void {
  const lengthBytes = buffer.byteLength
  let written = 0
  while (written < lengthBytes) {
    const count = write(descriptor, buffer, written, lengthBytes - written, position + written)
    if (count <= 0) throw shortWriteError(written, lengthBytes, position)
    written += count
  }
}

class FileStorage implements Storage {
  readonly path: string
  private readonly allowDirect: boolean

  constructor(path: string, allowDirect: boolean) {
    this.path = path
    this.allowDirect = allowDirect
  }

  list(): string[] {
    const names: string[] = []
    for (const entry of readdirSync(this.path, { withFileTypes: true })) {
      if (!entry.isDirectory()) names.push(entry.name)
    }
    return names.sort()
  }

  open(name: string, mode: 'read' | 'write' | 'create', options: OpenOptions = {}): StorageFile {
    const path = this.pathOf(name)
    if (options.direct === true && this.allowDirect) {
      const descriptor = openDirect(path, mode, options.syncLater === true)
      if (descriptor !== undefined) return new OpenFile(name, descriptor, true)
      // The attempt may have created the file before direct access was refused.
      if (mode === 'create') return new OpenFile(name, openCreated(path), false)
    }
    return new OpenFile(name, openRegular(path, flagsOf(mode)), false)
  }

  rename(from: string, to: string): void {
    renameSync(this.pathOf(from), this.pathOf(to))
  }

  remove(name: string): void {
    unlinkSync(this.pathOf(name))
  }

  syncDirectory(): void {
    syncDirectoryAt(this.path)
  }

  freeBytes(): number {
    const { blocks, bavail, bsize } = statfsSync(this.path)
    // A file system that does not count its blocks says 0: there a write tells.
    return blocks === 0 ? Number.MAX_SAFE_INTEGER : bavail * bsize
  }

  private pathOf(name: string): string {
    assert(name !== '' && basename(name) === name, `${name} names a file in this directory`)
    return join(this.path, name)
  }
}

class OpenFile implements StorageFile {
  readonly name: string
  readonly direct: boolean
  private readonly descriptor: number
  private closed = false

  constructor(name: string, descriptor: number, direct: boolean) {
    this.name = name
    this.descriptor = descriptor
    this.direct = direct
  }

  sizeBytes(): number {
    return fstatSync(this.descriptor).size
  }

  isLinked(): boolean {
    return fstatSync(this.descriptor).nlink > 0
  }

  read(buffer: Uint8Array, position: number): number {
    const lengthBytes = buffer.byteLength
    let done = 0
    while (done < lengthBytes) {
      const count = readSync(this.descriptor, buffer, done, lengthBytes - done, position + done)
      if (count === 0) break
      done += count
      // A direct read that stopped inside a sector has met the end of the file.
      if (this.direct && count % BLOCK_ALIGNMENT_BYTES !== 0) break
    }
    return done
  }

  write(buffer: Uint8Array, position: number): void {
    writeFully(this.descriptor, buffer, position)
  }

  sync(): void {
    fdatasyncSync(this.descriptor)
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.descriptor, sizeBytes)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    closeSync(this.descriptor)
  }
}

function flagsOf(mode: 'read' | 'write' | 'create'): number {
  if (mode === 'read') return constants.O_RDONLY | O_NONBLOCK
  if (mode === 'write') return constants.O_RDWR | O_NONBLOCK
  return constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
}

/** With O_NONBLOCK in `flags`, which regular files ignore, a pipe or a device is not waited for. */
function openRegular(path: string, flags: number): number {
  const descriptor = openSync(path, flags, 0o644)
  try {
    if (!fstatSync(descriptor).isFile()) throw notRegularError(path)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** A descriptor past the page cache, or undefined where system or file system have none. */
function openDirect(
  path: string,
  mode: 'read' | 'write' | 'create',
  syncLater: boolean,
): number | undefined {
  if (O_DIRECT === undefined || O_DSYNC === undefined) return undefined
  const flags = flagsOf(mode) | O_DIRECT | (syncLater ? 0 : O_DSYNC)
  let descriptor: number
  try {
    descriptor = openRegular(path, flags)
  } catch (error) {
    if (isInvalidArgument(error)) return undefined
    throw error
  }
  try {
    probeDirect(descriptor, mode)
    return descriptor
  } catch (error) {
    closeSync(descriptor)
    if (isInvalidArgument(error)) return undefined
    throw error
  }
}

/** One a thread: to make such memory takes longer than to open a file. */
let probe: Uint8Array | undefined

/** Some file systems refuse direct access only when it is used. */
function probeDirect(descriptor: number, mode: 'read' | 'write' | 'create'): void {
  probe ??= alignedBuffer(BLOCK_ALIGNMENT_BYTES)
  if (mode === 'create') {
    probe.fill(0)
    writeFully(descriptor, probe, 0)
    ftruncateSync(descriptor, 0)
  } else {
    readSync(descriptor, probe, 0, probe.byteLength, 0)
  }
}

/** After a refused direct `create`: the file may be there, empty, made by that attempt. */
function openCreated(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644)
  ftruncateSync(descriptor, 0)
  return descriptor
}

function isInvalidArgument(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EINVAL'
}

function shortWriteError(written: number, lengthBytes: number, position: number): Error {
  const error: NodeJS.ErrnoException = new Error(
    `EIO: only ${written} of ${lengthBytes} bytes were written at ${position}, write`,
  )
  error.code = 'EIO'
  error.syscall = 'write'
  return error
}

/** The system has an error for it, and does not use it here. */
export function notRegularError(path: string): Error {
  const error: NodeJS.ErrnoException = new Error(
    `EFTYPE: it is a pipe, a device or a directory, and no regular file, open '${path}'`,
  )
  error.code = 'EFTYPE'
  error.syscall = 'open'
  error.path = path
  return error
}

/**
 * Every directory made is durable, entry by entry, before this returns. Not by `recursive: true`,
 * which never ends where the system refuses a directory with ENOENT, as below /proc.
 */
function createDirectory(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  createDirectory(parent)
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw new Error(`${path} is a link that leads nowhere`)
  }
  mkdirSync(path)
  syncDirectoryAt(parent)
}

function syncDirectoryAt(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
