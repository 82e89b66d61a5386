/**
 * What the engine's conformance tests share: engines in directories of their own, which are closed
 * and removed afterwards, in both places where a processor can run.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import {
  type CommandType,
  type Domain,
  Engine,
  type EngineOptions,
  type Logger,
  type Receipt,
  type RecordedEvent,
  type RejectedReceipt,
  TidewheelError,
} from '../../engine/index.js'
import probe, { Run } from './domains/probe.js'

export type Mode = 'inline' | 'thread'

/** Small files, so that segments roll and opening is quick. */
export const SEGMENT_BYTES = 2 * 1024 * 1024

/** The same tests with the processor on the caller's thread and on one of its own. */
export function describeModes(name: string, tests: (bench: EngineBench) => void): void {
  describe.each<Mode>(['inline', 'thread'])(`${name} (%s)`, (mode) => {
    const bench = new EngineBench(mode)
    afterAll(() => bench.clear())
    tests(bench)
  })
}

export class EngineBench {
  readonly mode: Mode
  /** What engines said, for tests that look. */
  readonly log: string[] = []
  readonly logger: Logger
  private readonly engines = new Set<Engine>()
  private readonly paths: string[] = []

  constructor(mode: Mode) {
    this.mode = mode
    const note = (text: unknown): void => void this.log.push(String(text))
    this.logger = { info: note, warn: note, error: note }
  }

  /** A path in a directory of its own; nothing is there yet. */
  path(): string {
    const directory = mkdtempSync(join(tmpdir(), 'tidewheel-test-'))
    this.paths.push(directory)
    return join(directory, 'journal')
  }

  async open(path: string, options: EngineOptions = {}, domain: Domain = probe): Promise<Engine> {
    const engine = await Engine.open(path, domain, {
      processor: this.mode,
      segmentBytes: SEGMENT_BYTES,
      logger: this.logger,
      ...options,
    })
    this.engines.add(engine)
    return engine
  }

  async close(engine: Engine): Promise<void> {
    this.engines.delete(engine)
    await engine.close()
  }

  /** Closes, opens the same again, and expects the same state. */
  async reopen(engine: Engine, path: string, options: EngineOptions = {}): Promise<Engine> {
    const digest = await engine.digest()
    await this.close(engine)
    const again = await this.open(path, options)
    expect(await again.digest(), 'replay gives the state that was live').toBe(digest)
    return again
  }

  async clear(): Promise<void> {
    for (const engine of this.engines) await engine.close().catch(() => undefined)
    this.engines.clear()
    for (const path of this.paths.splice(0)) rmSync(path, { recursive: true, force: true })
  }
}

/** Runs a scenario of the probe domain. */
export function run(
  engine: Engine,
  scenario: string,
  given: unknown = null,
  key?: string,
): Promise<Receipt> {
  return engine.execute(Run, { scenario, with: given }, key === undefined ? {} : { key })
}

/** What a scenario saw. */
export async function seen(
  engine: Engine,
  scenario: string,
  given: unknown = null,
): Promise<unknown> {
  const receipt = await run(engine, scenario, given)
  expect(receipt).toMatchObject({ accepted: false, code: 'SAW' })
  return (receipt as RejectedReceipt).detail
}

export async function accepted<Input>(
  engine: Engine,
  command: CommandType<Input>,
  value: Input,
  key?: string,
): Promise<Receipt> {
  const receipt = await engine.execute(command, value, key === undefined ? {} : { key })
  expect(receipt).toMatchObject({ accepted: true })
  return receipt
}

export async function all(events: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const list: RecordedEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

/** The error that this rejects with, which must be the engine's own. */
export async function failureOf(promise: Promise<unknown>): Promise<TidewheelError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TidewheelError)
  return error as TidewheelError
}

/** Whether two receipts give the same answer, apart from ticket and `repeated`. */
export function answerOf(receipt: Receipt): unknown {
  const { ticket: _, repeated: __, ...answer } = receipt
  return answer
}
