/** What the groups of micro-benchmarks have in common. */
import type { Bench } from 'tinybench'

/** Operations a call, unless a task says otherwise: so many that the call itself does not count. */
export const OPERATIONS = 100

export class MicroTasks {
  /** By name of the task. */
  readonly operations = new Map<string, number>()
  /** Where tasks may write. */
  readonly directory: string
  private readonly bench: Bench

  constructor(bench: Bench, directory: string) {
    this.bench = bench
    this.directory = directory
  }

  /** `call` makes so many operations. */
  add(name: string, call: () => void, operations: number = OPERATIONS): void {
    this.operations.set(name, operations)
    this.bench.add(name, call)
  }
}

/** Adds its tasks, and returns a check of what they have done. */
export type MicroGroup = (tasks: MicroTasks) => () => void

export function assertEqual(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}
