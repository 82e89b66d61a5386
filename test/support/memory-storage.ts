/**
 * A directory in memory behind the storage port: for tests that damage bytes, or count and break
 * off calls. It keeps every write at once; what a power loss does to a real disk it does not know.
 */
import { createHash } from 'node:crypto'
import type { Storage, StorageFile } from '../../journal/storage.js'

export class MemoryStorage implements Storage {
  readonly path = '/memory'
  readonly files = new Map<string, Uint8Array>()
  /** Calls that change something, or make a change durable. */
  changes = 0
  /** Thrown instead of the call with this number, counted from 1; 0: never. */
  failAt = 0
  /** All calls. */
  calls = 0
  /** Files with writes that no sync has followed, and '.' for the directory. */
  readonly unsynced = new Set<string>()

  list(): string[] {
    this.count()
    return [...this.files.keys()].sort()
  }

  open(name: string, mode: 'read' | 'write' | 'create'): StorageFile {
    this.count()
    if (mode === 'create') {
      if (this.files.has(name)) throw systemError('EEXIST', 'open')
      this.changes++
      this.unsynced.add('.')
      this.files.set(name, new Uint8Array(0))
    }
    if (!this.files.has(name)) throw systemError('ENOENT', 'open')
    return new MemoryFile(this, name)
  }

  rename(from: string, to: string): void {
    this.count()
    this.changes++
    if (this.unsynced.has(from)) throw new Error(`${from} is renamed before it is synced`)
    this.unsynced.add('.')
    this.files.set(to, this.bytesOf(from))
    this.files.delete(from)
  }

  remove(name: string): void {
    this.count()
    this.changes++
    this.unsynced.add('.')
    this.unsynced.delete(name)
    if (!this.files.delete(name)) throw systemError('ENOENT', 'unlink')
  }

  syncDirectory(): void {
    this.count()
    this.changes++
    this.unsynced.delete('.')
  }

  freeBytes(): number {
    this.count()
    return 1024 ** 4
  }

  bytesOf(name: string): Uint8Array {
    const bytes = this.files.get(name)
    if (bytes === undefined) throw systemError('ENOENT', 'open')
    return bytes
  }

  /** Of every file, by name: what a test compares, since comparing bytes one by one is slow. */
  digests(): Record<string, string> {
    const digests: Record<string, string> = {}
    for (const name of [...this.files.keys()].sort()) {
      digests[name] = createHash('sha1').update(this.bytesOf(name)).digest('hex')
    }
    return digests
  }

  /** Independent of this one. */
  copy(): MemoryStorage {
    const copy = new MemoryStorage()
    for (const [name, bytes] of this.files) copy.files.set(name, bytes.slice())
    return copy
  }

  count(): void {
    this.calls++
    if (this.calls === this.failAt) throw systemError('EIO', 'crash')
  }
}

class MemoryFile implements StorageFile {
  readonly name: string
  readonly direct = false
  private readonly storage: MemoryStorage

  constructor(storage: MemoryStorage, name: string) {
    this.storage = storage
    this.name = name
  }

  sizeBytes(): number {
    this.storage.count()
    return this.storage.bytesOf(this.name).byteLength
  }

  isLinked(): boolean {
    return this.storage.files.has(this.name)
  }

  read(buffer: Uint8Array, position: number): number {
    this.storage.count()
    const part = this.storage.bytesOf(this.name).subarray(position, position + buffer.byteLength)
    buffer.set(part)
    return part.byteLength
  }

  write(buffer: Uint8Array, position: number): void {
    this.storage.count()
    this.storage.changes++
    this.storage.unsynced.add(this.name)
    const end = position + buffer.byteLength
    if (end > this.storage.bytesOf(this.name).byteLength) this.resize(end)
    this.storage.bytesOf(this.name).set(buffer, position)
  }

  sync(): void {
    this.storage.count()
    this.storage.changes++
    this.storage.unsynced.delete(this.name)
  }

  truncate(sizeBytes: number): void {
    this.storage.count()
    this.storage.changes++
    this.storage.unsynced.add(this.name)
    this.resize(sizeBytes)
  }

  close(): void {
    // Always possible: a crash closes files too.
  }

  private resize(sizeBytes: number): void {
    const bytes = new Uint8Array(sizeBytes)
    bytes.set(this.storage.bytesOf(this.name).subarray(0, sizeBytes))
    this.storage.files.set(this.name, bytes)
  }
}

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: made by a test, ${syscall}`), { code, syscall })
}
