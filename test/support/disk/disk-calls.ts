/** The calls of a simulated disk, and what may happen to them. */

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

export function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${code}: of the simulated disk, ${syscall}`), { code, syscall })
}
