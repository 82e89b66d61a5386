/**
 * Backups of running engines, and restores, against a model that keeps no files: a naive map of
 * balances, and a second engine that runs the same commands one by one without a journal, for the
 * digest at every sequence.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Engine, type EngineOptions, type Receipt } from '../../engine/index.js'
import bank, { Account, OpenAccount, Transfer } from '../../examples/bank/bank.js'
import { backupJournal, restoreJournal } from '../../journal/backup.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { segmentName } from '../../journal/segment-layout.js'
import { snapshotNames } from '../../journal/snapshot-files.js'
import { verifyJournal } from '../../journal/verify.js'
import { fingerprint } from '../support/cli.js'
import { answerOf, failureOf } from '../support/engine-fixture.js'
import { growTo, openSaved } from '../support/saved-journal.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-backup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newPath = (): string => join(root, String(++folders))
const ACCOUNTS = 24
/** Long names make segments roll. */
const OWNER = 'x'.repeat(50_000)

type Command =
  | { kind: 'open'; account: string; amount: number; key: string | undefined }
  | { kind: 'transfer'; from: string; to: string; amount: number; key: string | undefined }

function randomCommand(random: SeededRandom): Command {
  const key = random.below(3) === 0 ? `key-${random.below(60)}` : undefined
  const account = (): string => `a${random.below(ACCOUNTS)}`
  const amount = random.below(40)
  if (random.below(6) === 0) return { kind: 'open', account: account(), amount, key }
  return { kind: 'transfer', from: account(), to: account(), amount, key }
}

/** Enough to fill a segment. */
const OPENINGS = Array.from(
  { length: ACCOUNTS },
  (_, i): Command => ({ kind: 'open', account: `a${i}`, amount: 20 * i, key: undefined }),
)

function randomCommands(random: SeededRandom): Command[] {
  return Array.from({ length: 1 + random.below(30) }, () => randomCommand(random))
}

function run(engine: Engine, command: Command): Promise<Receipt> {
  const options = command.key === undefined ? {} : { key: command.key }
  if (command.kind === 'transfer') {
    const { from, to, amount } = command
    return engine.execute(Transfer, { from, to, amount }, options)
  }
  const { account, amount: initialBalance } = command
  return engine.execute(OpenAccount, { account, owner: OWNER, initialBalance }, options)
}

class Model {
  /** By last sequence: behind its transaction, and behind each rejection with a key that follows. */
  readonly digests = new Map<number, string[]>()
  readonly balances = new Map<number, string>()
  readonly bursts: { timeUs: number; sequence: number; digest: string }[] = []
  nowUs = 1_700_000_000_000_000
  private readonly accounts = new Map<string, number>()
  private sequence = 0

  async apply(engine: Engine, command: Command): Promise<Receipt> {
    const receipt = await run(engine, command)
    if (receipt.accepted && receipt.repeated !== true) {
      this.sequence = receipt.sequence
      if (command.kind === 'open') this.accounts.set(command.account, command.amount)
      else {
        this.add(command.from, -command.amount)
        this.add(command.to, command.amount)
      }
    }
    const digests = this.digests.get(this.sequence) ?? []
    this.digests.set(this.sequence, [...digests, await engine.digest()])
    this.balances.set(this.sequence, JSON.stringify([...this.accounts].sort()))
    return receipt
  }

  endBurst(): void {
    const digest = this.lastDigest(this.sequence)
    this.bursts.push({ timeUs: this.nowUs, sequence: this.sequence, digest })
    this.nowUs += 1_000_000
  }

  lastDigest(sequence: number): string {
    return this.digests.get(sequence)?.at(-1) ?? ''
  }

  /** The last whole transaction up to a sequence. */
  reach(sequence: number): number {
    return Math.max(...[...this.digests.keys()].filter((end) => end <= sequence))
  }

  private add(account: string, amount: number): void {
    this.accounts.set(account, (this.accounts.get(account) ?? 0) + amount)
  }
}

function balancesOf(engine: Engine): string {
  const found: [string, number][] = []
  for (let i = 0; i < ACCOUNTS; i++) {
    const state = engine.get(Account, `a${i}`)
    if (state !== undefined) found.push([`a${i}`, state.balance])
  }
  return JSON.stringify(found.sort())
}

async function expectState(
  path: string,
  model: Model,
  sequence: number,
  digests: readonly string[],
  where: string,
): Promise<void> {
  const engine = await Engine.open(path, bank, { durability: 'os' })
  expect(engine.report.cut, where).toBeUndefined()
  expect(engine.report.repaired, where).toEqual([])
  expect(balancesOf(engine), where).toBe(model.balances.get(sequence))
  expect(digests, where).toContain(await engine.digest())
  const command = { account: 'new', owner: '', initialBalance: 1 }
  const receipt = await engine.execute(OpenAccount, command)
  expect(receipt, where).toMatchObject({ accepted: true, sequence: sequence + 1 })
  await engine.close()
  const verified = await verifyJournal(path, { threads: 1 })
  expect(verified, where).toMatchObject({ ok: true, lastSequence: sequence + 1, warnings: [] })
}

describe('backup and restore', () => {
  const seed = Date.now() & 0xffff
  it(`states: are the model's, at every point (random flow, backups meanwhile, seed ${seed})`, async () => {
    const random = seededRandom(seed)
    const model = new Model()
    const path = newPath()
    const options: EngineOptions = { clock: () => model.nowUs, keyCountMax: 25 }
    const naive = await Engine.open(newPath(), bank, { ...options, durability: 'none' })
    const segmentBytes = 1024 * 1024 + 8192
    const engine = await Engine.open(path, bank, { ...options, segmentBytes })
    const backups: { path: string; sequence: number }[] = []
    let snapshots = 0
    for (let burst = 0; burst < 12; burst++) {
      const commands = burst === 0 ? OPENINGS : randomCommands(random)
      const answers = commands.map((command) => run(engine, command))
      const expected: Receipt[] = []
      for (const command of commands) expected.push(await model.apply(naive, command))
      const acknowledged = await answers[random.below(answers.length)]
      const isDue = burst === 9
      const directory = newPath()
      const copying = isDue ? engine.backup(directory) : undefined
      const answered = await Promise.all(answers)
      expect(answered.map(answerOf), `seed ${seed}`).toEqual(expected.map(answerOf))
      model.endBurst()
      const copied = await copying
      if (copied !== undefined) {
        backups.push({ path: directory, sequence: copied.sequence })
        if (acknowledged?.accepted === true) {
          expect(copied.sequence).toBeGreaterThanOrEqual(acknowledged.sequence)
        }
        if ((await engine.snapshot()) !== undefined) snapshots++
      }
    }
    await engine.close()
    await naive.close()
    expect([backups.length, snapshots]).toEqual([1, 1])
    for (const backup of [...backups, { path, sequence: model.reach(Infinity) }]) {
      await restoreSome(backup, model, random, seed)
    }
  })
})

/** To random sequences, to a time, and in place. */
async function restoreSome(
  { path, sequence }: { path: string; sequence: number },
  model: Model,
  random: SeededRandom,
  seed: number,
): Promise<void> {
  for (let i = 0; i < 2; i++) {
    const toSequence = 1 + random.below(sequence)
    const directory = newPath()
    const report = await restoreJournal(path, directory, { toSequence })
    const where = `seed ${seed}, sequence ${toSequence} of ${sequence}`
    expect(report.sequence, where).toBe(model.reach(toSequence))
    const left = report.leftOut
    expect(left?.events ?? 0, where).toBe(sequence - report.sequence)
    const digest = left === undefined ? undefined : [model.lastDigest(report.sequence)]
    const digests = digest ?? model.digests.get(sequence) ?? []
    await expectState(directory, model, report.sequence, digests, where)
  }
  const ended = model.bursts.filter((end) => end.sequence < sequence && end.sequence > 0)
  const burst = ended[random.below(ended.length)]
  expect(burst).toBeDefined()
  if (burst === undefined) return
  const directory = newPath()
  const toTimeUs = burst.timeUs + random.below(999)
  const report = await restoreJournal(path, directory, { toTimeUs })
  const where = `seed ${seed}, time ${toTimeUs}`
  expect(report, where).toMatchObject({ sequence: burst.sequence, timeUs: burst.timeUs })
  await expectState(directory, model, burst.sequence, [burst.digest], where)
  const digests = model.digests.get(sequence) ?? []
  await expectState(path, model, sequence, digests, `seed ${seed}, in place`)
}

describe('engine.backup', () => {
  it.each(['inline', 'thread'] as const)(
    'backup: has what was answered, and changes nothing in the source (%s)',
    async (processor) => {
      const path = newPath()
      const engine = await openSaved(path, { processor, durability: 'disk' })
      await growTo(engine, 3, 6)
      await engine.snapshot()
      const { sequence } = engine.journalPosition()
      const digest = await engine.digest()
      const directory = newPath()
      const report = await engine.backup(directory)
      expect(report).toMatchObject({ directory, segments: 3 })
      expect(report.sequence).toBe(sequence)
      expect(snapshotNames(openFileStorage(directory))).toHaveLength(1)
      expect(openFileStorage(directory).list()).not.toContain('lock')
      const verified = await verifyJournal(directory)
      expect(verified).toMatchObject({ ok: true, headHash: report.headHash })
      await growTo(engine, 4, 7)
      await engine.close()
      const copy = await openSaved(directory)
      expect(copy.report.snapshot).toBeDefined()
      expect(await copy.digest()).toBe(digest)
      await copy.close()
    },
  )

  it('backup: fails where there is nothing to copy, or nobody to do it', async () => {
    const unkept = await openSaved(newPath(), { durability: 'none' })
    expect((await failureOf(unkept.backup(newPath()))).code).toBe('NO_JOURNAL')
    await unkept.close()
    const engine = await openSaved(newPath())
    for (const wrong of ['', undefined]) {
      const error = await failureOf(engine.backup(wrong as string))
      expect(error.code).toBe('INVALID_OPTION')
    }
    await growTo(engine, 3, 1)
    const directory = newPath()
    const closed = expect(engine.backup(directory)).rejects.toMatchObject({ code: 'ENGINE_CLOSED' })
    await engine.close()
    await closed
    const error = await failureOf(engine.backup(directory))
    expect(error.code).toBe('ENGINE_CLOSED')
  })

  it('backup: a damaged sealed segment fails it, with the place, while the engine goes on', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 3, 2)
    const file = openFileStorage(path).open(segmentName(2), 'write')
    file.write(new Uint8Array(100).fill(9), 8192 + 500)
    file.close()
    const directory = newPath()
    const error = await failureOf(engine.backup(directory))
    expect(error).toMatchObject({ code: 'JOURNAL_DAMAGED', file: segmentName(2), offset: 8192 })
    await expect(verifyJournal(directory)).rejects.toMatchObject({ code: 'JOURNAL_UNREADABLE' })
    await growTo(engine, 4, 3)
    await engine.close()
  })
})

describe('directories', () => {
  it('target: with something in it, the same, nested, a file, a link to it: refused, as it was', async () => {
    const path = newPath()
    await (await openSaved(path)).close()
    const before = fingerprint(path)
    const used = newPath()
    mkdirSync(used)
    writeFileSync(join(used, 'file'), 'text')
    const link = newPath()
    symlinkSync(path, link)
    const targets = [path, `${path}/.`, join(path, 'inside'), root, used, join(used, 'file'), link]
    for (const target of [...targets, join(link, 'inside')]) {
      for (const make of [backupJournal, restoreJournal]) {
        expect(await failureOf(make(path, target)), target).toMatchObject({
          code: 'INVALID_OPTION',
        })
      }
    }
    expect(fingerprint(path)).toEqual(before)
    expect(fingerprint(used)).toHaveLength(1)
  })

  it('target: new with its parents, or empty; nothing is left of one that was not made', async () => {
    const path = newPath()
    await (await openSaved(path)).close()
    const deep = join(newPath(), 'a', 'b')
    expect((await backupJournal(path, deep)).sequence).toBe(0)
    const empty = newPath()
    mkdirSync(empty)
    expect((await restoreJournal(deep, empty)).directory).toBe(empty)
    const never = newPath()
    await failureOf(restoreJournal(path, never, { toSequence: 5 }))
    await failureOf(backupJournal(newPath(), never))
    expect(() => openFileStorage(never)).toThrow(/ENOENT/)
    expect((await failureOf(backupJournal(path, '/proc/never/made'))).code).toBe('STORAGE_FAILED')
  })

  it('restore: refuses a journal that is open, and points that are none', async () => {
    const path = newPath()
    const engine = await openSaved(path)
    await growTo(engine, 2, 4)
    const held = await failureOf(restoreJournal(path, newPath(), { toSequence: 3 }))
    expect(held.code).toBe('ENGINE_LOCKED')
    expect(held.message).toContain(String(process.pid))
    await engine.close()
    for (const options of [
      { toSequence: 0 },
      { toSequence: 1.5 },
      { toTimeUs: -1 },
      { toSequence: 3, toTimeUs: 3 },
      { toSequence: 1e9 },
      { toTimeUs: 1 },
    ]) {
      const error = await failureOf(restoreJournal(path, newPath(), options))
      expect(error.code, JSON.stringify(options)).toBe('INVALID_OPTION')
    }
  })
})
