/**
 * The port between the journal and a disk: one directory of files, synchronous, explicit positions.
 * `file-storage.ts` is the real one; a simulated disk implements the same interface for tests.
 *
 * Every method throws what the system said (an Error with `code`, such as EIO or ENOSPC). The port
 * never retries and never hides: a write that could not be completed throws.
 */

// Node's types leave WebAssembly to the DOM library, which a Node package should not load.
declare const WebAssembly: {
  Memory: new (options: {
    initial: number
    maximum: number
    shared: true
  }) => {
    buffer: SharedArrayBuffer
  }
}

const WASM_PAGE_BYTES = 64 * 1024

export interface Storage {
  /** Absolute path of the directory, for messages. */
  readonly path: string
  /** Names of the files in the directory, sorted. */
  list(): string[]
  /**
   * `create` fails if the file exists; `read` and `write` fail if it does not.
   * `direct` asks for writes past the page cache; whether it was granted is `file.direct`.
   * `syncLater` goes with it, for filling a file: its writes are durable only after `sync`.
   */
  open(name: string, mode: 'read' | 'write' | 'create', options?: OpenOptions): StorageFile
  rename(from: string, to: string): void
  remove(name: string): void
  /** Makes creations, renames and removals durable. */
  syncDirectory(): void
  /** Bytes that may still be written on this file system. */
  freeBytes(): number
}

export interface OpenOptions {
  direct?: boolean
  syncLater?: boolean
}

export interface StorageFile {
  readonly name: string
  /**
   * True: opened past the page cache; unless opened with `syncLater`, every write is durable when
   * it returns. Buffers must then come from {@link alignedBuffer} and positions and lengths be
   * multiples of 4 KiB.
   */
  readonly direct: boolean
  sizeBytes(): number
  /** Whether the file still has a name: one that was removed can be written for as long as it is open. */
  isLinked(): boolean
  /** Fills `buffer` from `position`; returns how much there was (less only at the end of the file). */
  read(buffer: Uint8Array, position: number): number
  /** Writes all of `buffer`, or throws. Durable on return only if `direct`, without `syncLater`. */
  write(buffer: Uint8Array, position: number): void
  /** Everything written to this file is durable on return. */
  sync(): void
  /** Extends with a hole, or cuts. */
  truncate(sizeBytes: number): void
  close(): void
}

/** Zeroed memory, aligned for direct writes: a page-aligned WebAssembly memory. */
export function alignedBuffer(lengthBytes: number): Uint8Array {
  const pages = Math.ceil(lengthBytes / WASM_PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  return new Uint8Array(memory.buffer, 0, lengthBytes)
}
