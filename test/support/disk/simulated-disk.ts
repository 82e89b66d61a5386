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
import type { OpenOptions, Storage, StorageFile } from '../../../journal/storage.js'
import {
  type DiskCall,
  type DiskCallKind,
  DiskCrash,
  type DiskFault,
  isChange,
  systemError,
} from './disk-calls.js'
import { SimulatedFile } from './simulated-file.js'
import { type Choose, SimulatedInode } from './simulated-inode.js'

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

  /** Whether a file has a name. */
  names(inode: SimulatedInode): boolean {
    for (const named of this.entries.values()) if (named === inode) return true
    return false
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

function apply(entries: Entries, change: DirectoryChange): void {
  const { kind, name, inode } = change
  if (kind === 'remove') {
    if (entries.get(name) === inode) entries.delete(name)
    return
  }
  if (kind === 'rename' && entries.get(change.from) === inode) entries.delete(change.from)
  entries.set(name, inode)
}
