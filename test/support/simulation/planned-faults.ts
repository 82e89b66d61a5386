/**
 * What happens to the calls of a simulated disk: short writes now and then, and at one planned call a
 * crash or an error. Now and then the other thread has its turn while a call is under way. It also
 * writes every call down, for the trace.
 */
import type { Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type DiskCall, type DiskFault, isChange } from '../disk/disk-calls.js'
import type { SimulatedDisk } from '../disk/simulated-disk.js'
import type { Choose } from '../disk/simulated-inode.js'
import type { SeededRandom } from '../seeded-random.js'
import type { Coverage } from './coverage.js'

export interface FaultPlan {
  readonly fault: 'crash' | 'EIO' | 'ENOSPC'
  /** How many calls of those that `among` names go well before. */
  readonly after: number
  readonly among: 'changes' | 'syncs' | 'all'
}

const SHORT_WRITES_IN = 30

export class PlannedFaults {
  /** Whether the planned fault has happened. */
  fired = false
  /** What another thread may do while a call is under way. */
  meanwhile: () => void = () => undefined
  private plan: FaultPlan | undefined
  private passed = 0
  private readonly random: SeededRandom
  private readonly coverage: Coverage
  private readonly trace: Hash

  constructor(disk: SimulatedDisk, random: SeededRandom, coverage: Coverage, trace: Hash) {
    this.random = random
    this.coverage = coverage
    this.trace = trace
    disk.before = (call) => this.decide(call)
    disk.choose = (count) => random.below(count)
  }

  set(plan: FaultPlan | undefined): void {
    this.plan = plan
    this.passed = 0
    this.fired = false
  }

  private decide(call: DiskCall): DiskFault | undefined {
    const { kind, name, position, bytes } = call
    const written = kind === 'write' && bytes !== undefined ? crc32(bytes) : 0
    this.trace.update(`${kind} ${name} ${position} ${bytes?.byteLength ?? 0} ${written}\n`)
    if (isChange(kind) && this.random.below(3) === 0) this.meanwhile()
    const fault = this.planned(call) ?? this.shortened(call)
    if (fault !== undefined) {
      this.coverage.add(`${fault === 'crash' ? 'crashes inside' : fault}: ${kind}`)
      this.trace.update(`${fault}\n`)
    }
    return fault
  }

  private planned(call: DiskCall): DiskFault | undefined {
    const { plan } = this
    if (plan === undefined || !isAmong(plan, call) || this.passed++ < plan.after) return undefined
    this.plan = undefined
    this.fired = true
    return plan.fault
  }

  private shortened({ kind }: DiskCall): DiskFault | undefined {
    return kind === 'write' && this.random.below(SHORT_WRITES_IN) === 0 ? 'short' : undefined
  }
}

function isAmong({ among }: FaultPlan, { kind, isDurable }: DiskCall): boolean {
  if (among === 'syncs') return kind === 'sync' || kind === 'syncDirectory' || isDurable
  return among === 'all' || isChange(kind)
}

/** Of a loss of power: nothing is kept, all is, or each thing for itself. */
export function powerLoss(random: SeededRandom): Choose {
  const kind = random.below(4)
  if (kind === 0) return () => 0
  if (kind === 1) return (count) => count - 1
  return (count) => random.below(count)
}
