/**
 * A directory on a disk that can lose power: the storage port over bytes in memory, which knows what
 * a real disk may do to what was not synced (simulated-inode.ts says it of bytes).
 *
 * - A creation, rename or removal that no sync of the directory followed is lost or kept, each for
 *   itself. A rename is atomic.
 * - A write past the page cache is durable when it returns; if the crash falls inside, any subset of
 *   its sectors is. Opened with `syncLater` it is as volatile as any other write.
 * - A failed write may have written any part. A failed sync leaves everything clean, and only some
 *   of it durable: the next sync says that all is well.
 * - Full: a write that needs room is cut short, and the next one throws ENOSPC.
 *
 * What happens to a call is for `before` to say, what becomes of what is not durable for `choose`:
 * a seeded generator, or a schedule that goes through all possibilities. The disk decides nothing.
 *
 * Not here: other directories, permissions, bytes that change by themselves.
 */
import { basename } from 'node:path'
import { assert } from '../../../journal/errors.js'
import { writeFully } from '../../../journal/file-storage.js'
import type { OpenOptions, Storage, StorageFile } from '../../../journal/storage.js'
import { type Choose, PAGE_BYTES, SECTOR_BYTES, SimulatedInode } from './simulated-inode.js'

/** Thrown by the call in which the process ends, and by all that come after it. */
export class DiskCrash extends Error {
  constructor() {
    super('the process has ended')
  }
}

export type DiskCallKind =
  | 'list'
  | 'open'
  | 'create'
  | 'size'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'freeBytes'

export interface DiskCall {
  /** Of all calls of this disk, from 1. */
  readonly ordinal: number
  readonly kind: DiskCallKind
  readonly name: string
  readonly position: number
  readonly bytes: Uint8Array | undefined
  /** A write that is durable when it returns. */
  readonly isDurable: boolean
}

/** `short` writes a part, and says so, as `write` of the system may. */
export type DiskFault = 'crash' | 'EIO' | 'ENOSPC' | 'short'

/** Something that was done to the directory and is not durable yet. */
type DirectoryChange =
  | { readonly kind: 'create'; readonly name: string; readonly inode: SimulatedInode }
  | { readonly kind: 'remove'; readonly name: string; readonly inode: SimulatedInode }
  | {
      readonly kind: 'rename'
      readonly from: string
      readonly name: string
      readonly inode: SimulatedInode
    }

type Entries = Map<string, SimulatedInode>

const CHANGING: ReadonlySet<DiskCallKind> = new Set([
  'create',
  'write',
  'sync',
  'truncate',
  'rename',
  'remove',
  'syncDirectory',
])

/** Whether a call changes something, or makes a change durable. */
export function isChange(kind: DiskCallKind): boolean {
  return CHANGING.has(kind)
}

export class SimulatedDisk implements Storage {
  readonly path = '/simulated'
  /** Asked before each call. */
  before: (call: DiskCall) => DiskFault | undefined = () => undefined
  /** Decides what a fault inside a call leaves. */
  choose: Choose = () => 0
  calls = 0
  crashed = false
  /** A sync of the directory has failed: what the cache shows of it is not to be believed. */
  directoryFailed = false
  private capacityBytes = Number.MAX_SAFE_INTEGER
  private inodeCount = 0
  private entries: Entries = new Map()
  private durableEntries: Entries = new Map()
  private changes: DirectoryChange[] = []
  private readonly grantsDirect: boolean

  /** @param grantsDirect whether files can be opened past the page cache */
  constructor(grantsDirect = true) {
    this.grantsDirect = grantsDirect
  }

  list(): string[] {
    this.call('list', '')
    return [...this.entries.keys()].sort()
  }

  open(name: string, mode: 'read' | 'write' | 'create', options: OpenOptions = {}): StorageFile {
    assert(name !== '' && basename(name) === name, `${name} names a file in this directory`)
    const { direct = false, syncLater = false } = options
    const isDirect = direct && this.grantsDirect
    if (mode === 'create') this.create(name)
    else this.call('open', name)
    const inode = this.entry(name, 'open')
    return new SimulatedFile(this, inode, name, mode !== 'read', isDirect, isDirect && !syncLater)
  }

  rename(from: string, to: string): void {
    const inode = this.entry(from, 'rename')
    this.change('rename', to, { kind: 'rename', from, name: to, inode })
  }

  remove(name: string): void {
    const inode = this.entry(name, 'unlink')
    this.change('remove', name, { kind: 'remove', name, inode })
  }

  syncDirectory(): void {
    const fault = this.call('syncDirectory', '')
    if (fault === undefined) this.settleChanges(() => 1)
    else if (fault === 'crash') this.crash()
    else {
      this.settleChanges(this.choose)
      this.directoryFailed = true
      throw systemError(fault, 'fsync')
    }
  }

  freeBytes(): number {
    this.call('freeBytes', '')
    return this.roomBytes()
  }

  /** How much fits from now on; nothing that is there is taken away. */
  setFreeBytes(bytes: number): void {
    this.capacityBytes = this.usedBytes() + bytes
  }

  /** Inodes, sectors, sizes and changes of the directory that a loss of power decides about. */
  pendingCount(): number {
    return this.inodes().reduce((sum, inode) => sum + inode.pendingCount, this.changes.length)
  }

  /** The machine stops, and starts again: of what was not synced remains what `choose` picks. */
  losePower(choose: Choose): void {
    this.settleChanges(choose)
    this.entries = new Map(this.durableEntries)
    for (const inode of this.inodes()) inode.losePower(choose)
    this.directoryFailed = false
    this.crashed = false
  }

  /** Another process takes over; the system has kept everything that it was given. */
  restartProcess(): void {
    this.crashed = false
  }

  /** Whether a failed sync has left bytes that only the page cache has. */
  hasLost(): boolean {
    return this.inodes().some((inode) => inode.hasLost)
  }

  evict(choose: Choose): void {
    for (const inode of this.inodes()) inode.evict(choose)
  }

  /** Independent of this one, with the same pending changes, and nothing planned for its calls. */
  clone(): SimulatedDisk {
    const clone = new SimulatedDisk(this.grantsDirect)
    const inodes = new Map(this.inodes().map((inode) => [inode, inode.clone()]))
    const of = (inode: SimulatedInode): SimulatedInode => {
      const found = inodes.get(inode)
      assert(found !== undefined, 'every inode that something refers to is known')
      return found
    }
    for (const [name, inode] of this.entries) clone.entries.set(name, of(inode))
    for (const [name, inode] of this.durableEntries) clone.durableEntries.set(name, of(inode))
    clone.changes = this.changes.map((change) => ({ ...change, inode: of(change.inode) }))
    clone.capacityBytes = this.capacityBytes
    clone.inodeCount = this.inodeCount
    clone.calls = this.calls
    clone.directoryFailed = this.directoryFailed
    return clone
  }

  /** The files as programs see them. */
  files(): Map<string, Uint8Array> {
    const names = [...this.entries.keys()].sort()
    return new Map(names.map((name) => [name, this.entries.get(name)!.live]))
  }

  /** For {@link SimulatedFile}. */
  call(
    kind: DiskCallKind,
    name: string,
    position = 0,
    bytes?: Uint8Array,
    isDurable = false,
  ): DiskFault | undefined {
    if (this.crashed) throw new DiskCrash()
    this.calls++
    const call = { ordinal: this.calls, kind, name, position, bytes, isDurable }
    const fault = this.before(call)
    // Who only looks meets a fault before anything has happened.
    if (fault === undefined || fault === 'short') return kind === 'write' ? fault : undefined
    if (isChange(kind)) return fault
    if (fault === 'crash') this.crash()
    throw systemError(fault, kind)
  }

  /** For {@link SimulatedFile}. */
  crash(): never {
    this.crashed = true
    throw new DiskCrash()
  }

  /** For {@link SimulatedFile}. */
  roomBytes(): number {
    if (this.capacityBytes === Number.MAX_SAFE_INTEGER) return this.capacityBytes
    return Math.max(0, this.capacityBytes - this.usedBytes())
  }

  private usedBytes(): number {
    let usedBytes = 0
    for (const inode of new Set(this.entries.values())) usedBytes += inode.allocatedBytes
    return usedBytes
  }

  private create(name: string): void {
    if (this.entries.has(name)) throw systemError('EEXIST', 'open')
    const inode = new SimulatedInode(++this.inodeCount)
    this.change('create', name, { kind: 'create', name, inode })
  }

  private change(kind: DiskCallKind, name: string, change: DirectoryChange): void {
    const fault = this.call(kind, name)
    if (fault === 'EIO' || fault === 'ENOSPC') throw systemError(fault, kind)
    // When the process ends inside, the system may still do it.
    if (fault !== 'crash' || this.choose(2) === 1) {
      apply(this.entries, change)
      this.changes.push(change)
    }
    if (fault === 'crash') this.crash()
  }

  /** Those for which `choose` picks 1 become durable; nothing is pending afterwards. */
  private settleChanges(choose: Choose): void {
    for (const change of this.changes) {
      if (choose(2) === 1) apply(this.durableEntries, change)
    }
    this.changes = []
  }

  private entry(name: string, syscall: string): SimulatedInode {
    if (this.crashed) throw new DiskCrash()
    const inode = this.entries.get(name)
    if (inode === undefined) throw systemError('ENOENT', syscall)
    return inode
  }

  private inodes(): SimulatedInode[] {
    const all = new Set<SimulatedInode>(this.entries.values())
    for (const inode of this.durableEntries.values()) all.add(inode)
    for (const { inode } of this.changes) all.add(inode)
    return [...all].sort((a, b) => a.ordinal - b.ordinal)
  }
}

class SimulatedFile implements StorageFile {
  readonly name: string
  readonly direct: boolean
  private readonly disk: SimulatedDisk
  private readonly inode: SimulatedInode
  private readonly isWritable: boolean
  private readonly isDurable: boolean
  private closed = false

  constructor(
    disk: SimulatedDisk,
    inode: SimulatedInode,
    name: string,
    isWritable: boolean,
    direct: boolean,
    isDurable: boolean,
  ) {
    this.disk = disk
    this.inode = inode
    this.name = name
    this.isWritable = isWritable
    this.direct = direct
    this.isDurable = isDurable
  }

  sizeBytes(): number {
    this.begin('size')
    return this.inode.size
  }

  read(buffer: Uint8Array, position: number): number {
    this.begin('read', position, buffer)
    this.requireAligned(buffer, position, 'read')
    const part = this.inode.live.subarray(position, position + buffer.byteLength)
    buffer.set(part)
    return part.byteLength
  }

  /** Through the real storage's loop, so that short writes are met by the code that has to. */
  write(buffer: Uint8Array, position: number): void {
    if (!this.isWritable) throw systemError('EBADF', 'write')
    this.requireAligned(buffer, position, 'write')
    writeFully(0, buffer, position, (_descriptor, bytes, offset, lengthBytes, at) =>
      this.writeOnce(bytes.subarray(offset, offset + lengthBytes), at),
    )
  }

  sync(): void {
    const fault = this.begin('sync')
    if (fault === undefined) return this.inode.sync()
    if (fault === 'crash') this.disk.crash()
    this.inode.failSync(this.disk.choose)
    throw systemError(fault, 'fdatasync')
  }

  truncate(sizeBytes: number): void {
    const fault = this.begin('truncate')
    if (!this.isWritable) throw systemError('EINVAL', 'ftruncate')
    if (fault === 'EIO' || fault === 'ENOSPC') throw systemError(fault, 'ftruncate')
    if (fault !== 'crash' || this.disk.choose(2) === 1) this.inode.truncate(sizeBytes)
    if (fault === 'crash') this.disk.crash()
  }

  close(): void {
    // Always possible: a crash closes files too.
    this.closed = true
  }

  /** One call of the system; returns how much it wrote. */
  private writeOnce(bytes: Uint8Array, position: number): number {
    const fault = this.begin('write', position, bytes)
    if (fault === undefined) return this.writePart(bytes, position)
    if (fault === 'short') {
      const unitBytes = this.direct ? SECTOR_BYTES : 1
      const units = 1 + this.disk.choose(Math.ceil(bytes.byteLength / unitBytes))
      return this.writePart(bytes.subarray(0, units * unitBytes), position)
    }
    if (fault !== 'ENOSPC') this.writeTorn(bytes, position)
    if (fault === 'crash') this.disk.crash()
    throw systemError(fault, 'write')
  }

  /** As much as there is room for. */
  private writePart(bytes: Uint8Array, position: number): number {
    const { inode, disk } = this
    let lengthBytes = bytes.byteLength
    while (lengthBytes > 0 && inode.unallocated(position, lengthBytes) > disk.roomBytes()) {
      lengthBytes = Math.max(0, lengthBytes - PAGE_BYTES)
    }
    if (lengthBytes === 0) throw systemError('ENOSPC', 'write')
    const part = bytes.subarray(0, lengthBytes)
    inode.write(part, position)
    if (this.isDurable) inode.settle(position, lengthBytes)
    return lengthBytes
  }

  /**
   * Any subset of the sectors. Past the page cache they are on the disk; else the system has them,
   * and whether it writes them out is decided when the power goes.
   */
  private writeTorn(bytes: Uint8Array, position: number): void {
    const { inode, disk } = this
    for (let at = 0; at < bytes.byteLength; at += SECTOR_BYTES) {
      if (disk.choose(2) === 0) continue
      const sector = bytes.subarray(at, at + SECTOR_BYTES)
      inode.write(sector, position + at)
      if (this.isDurable) inode.settle(position + at, sector.byteLength)
    }
  }

  private begin(kind: DiskCallKind, position = 0, bytes?: Uint8Array): DiskFault | undefined {
    assert(!this.closed, 'a file is not used after it was closed')
    return this.disk.call(kind, this.name, position, bytes, kind === 'write' && this.isDurable)
  }

  /** As the system demands it of direct access. */
  private requireAligned(buffer: Uint8Array, position: number, syscall: string): void {
    if (!this.direct) return
    const isShared = buffer.buffer instanceof SharedArrayBuffer
    const isAligned = [buffer.byteOffset, buffer.byteLength, position].every(
      (value) => value % PAGE_BYTES === 0,
    )
    if (!isShared || !isAligned) throw systemError('EINVAL', syscall)
  }
}

function apply(entries: Entries, change: DirectoryChange): void {
  const { kind, name, inode } = change
  if (kind === 'remove') {
    if (entries.get(name) === inode) entries.delete(name)
    return
  }
  if (kind === 'rename' && entries.get(change.from) === inode) entries.delete(change.from)
  entries.set(name, inode)
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: of the simulated disk, ${syscall}`), { code, syscall })
}
