/**
 * A control group of Linux that may use so much memory: the kernel kills what asks for more. Where
 * none can be made (no root, another system), `memoryGroup` gives the sentence that says why.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { causeOf } from '../../../journal/errors.js'

/** Of the two versions of control groups: where groups are made, and the file with the limit. */
const KINDS = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' },
  { root: '/sys/fs/cgroup', limit: 'memory.max' },
]
const REMOVE_WAIT_MS = 20
const REMOVE_TRIES = 100

export class MemoryGroup {
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** The words of a command that runs `words` in the group. */
  command(words: readonly string[]): string[] {
    const enter = `echo $$ > '${join(this.path, 'cgroup.procs')}' && exec "$@"`
    return ['/bin/sh', '-c', enter, 'sh', ...words]
  }

  /** The kernel frees it some time after its last process has gone. */
  async remove(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return rmdirSync(this.path)
      } catch (error) {
        if (attempt === REMOVE_TRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, REMOVE_WAIT_MS))
      }
    }
  }
}

export function memoryGroup(bytes: number): MemoryGroup | string {
  const kind = KINDS.find(({ root }) => existsSync(join(root, 'cgroup.procs')))
  if (kind === undefined) return 'there are no control groups for memory here'
  const path = join(kind.root, `tidewheel-test-${process.pid}`)
  try {
    mkdirSync(path)
    writeFileSync(join(path, kind.limit), String(bytes))
    return new MemoryGroup(path)
  } catch (error) {
    if (existsSync(path)) rmdirSync(path)
    return `no control group can be made here (${causeOf(error)})`
  }
}
