/** An open file of a simulated disk (simulated-disk.ts): what a fault inside a call leaves of it. */
import { assert } from '../../../journal/errors.js'
import { writeFully } from '../../../journal/file-storage.js'
import type { StorageFile } from '../../../journal/storage.js'
import { type DiskCallKind, type DiskFault, systemError } from './disk-calls.js'
import type { SimulatedDisk } from './simulated-disk.js'
import { PAGE_BYTES, SECTOR_BYTES, type SimulatedInode } from './simulated-inode.js'

export class SimulatedFile implements StorageFile {
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

  /** No fault can be in it, so it is not counted. */
  isLinked(): boolean {
    return this.disk.names(this.inode)
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
