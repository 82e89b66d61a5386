import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import bank, { Account, OpenAccount, Transfer } from '../../examples/bank/bank.js'
import { SEGMENT_BYTES_MIN } from '../../journal/segment-layout.js'
import { indexName } from '../../journal/stream-index-layout.js'
import { fingerprint, linesOf, runCli } from '../support/cli.js'
import { EngineBench } from '../support/engine-fixture.js'

const bench = new EngineBench('inline')
afterAll(() => bench.clear())

const OPEN = { owner: 'Alice', initialBalance: 1000 }

describe('tidewheel info and verify', () => {
  it('info: counts what is in the journal, and says who has it open', async () => {
    const path = bench.path()
    let engine = await bench.open(path, {}, bank)
    await engine.execute(OpenAccount, { account: 'alice', ...OPEN }, { key: 'a' })
    await bench.close(engine)
    engine = await bench.open(path, {}, bank)
    await engine.execute(OpenAccount, { account: 'bob', ...OPEN })
    await engine.execute(OpenAccount, { account: 'bob', ...OPEN }, { key: 'rejected' })
    for (let i = 0; i < 3; i++)
      await engine.execute(Transfer, { from: 'alice', to: 'bob', amount: 1 })

    const open = await runCli(['info', path])
    expect(open.code).toBe(0)
    expect(open.stdout).toContain(`process ${process.pid}`)
    if (existsSync('/proc/locks')) expect(open.stdout).toContain('open now, in process')
    await bench.close(engine)

    const before = fingerprint(path)
    const { code, stdout, stderr } = await runCli(['info', path])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).not.toContain('open now')
    for (const line of [
      /^ {2}domain +bank$/m,
      /^ {2}durability +disk$/m,
      /^ {2}opened +2 times for writing$/m,
      /^ {2}events +8 \(the last has sequence 8\)$/m,
      /^ {2}transactions +6, 2 with a key \(1 accepted, 1 rejected\)$/m,
      /^ {2}key window +the last 1,000,000 keys, at most 86,400,000 ms old$/m,
      /^ {2}Account +2 {2}text ids$/m,
      /^ {2}AccountOpened +2 {2}of Account {2}\{ owner: text, initialBalance: int \}$/m,
      /^ {2}MoneyDeposited +3 {2}of Account {2}\{ amount: int \}$/m,
      /^ {2}OpenAccount +3$/m,
      /^ {2}Transfer +3$/m,
    ]) {
      expect(stdout).toMatch(line)
    }

    const json = await runCli(['info', path, '--json'])
    expect(linesOf(json.stdout)).toHaveLength(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      domain: 'bank',
      durability: 'disk',
      epoch: 2,
      events: 8,
      lastSequence: 8,
      transactions: 6,
      keyedAccepted: 1,
      keyedRejected: 1,
      keyWindow: { countMax: 1_000_000, ageMaxUs: 86_400_000_000 },
      lock: { pid: process.pid },
      aggregates: [{ name: 'Account', idType: 'text', count: 2 }],
      commands: [
        { name: 'OpenAccount', count: 3 },
        { name: 'Transfer', count: 3 },
      ],
      problem: null,
    })
    expect(fingerprint(path)).toEqual(before)
  })

  it('verify: reports a whole journal, and what it read', async () => {
    const path = bench.path()
    const engine = await bench.open(path, {}, bank)
    await engine.execute(OpenAccount, { account: 'alice', ...OPEN })
    await engine.execute(OpenAccount, { account: 'bob', ...OPEN })
    await bench.close(engine)
    const before = fingerprint(path)
    const { code, stdout, stderr } = await runCli(['verify', path])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^ {2}events +2 \(the last has sequence 2\)$/m)
    expect(stdout).toMatch(/^ {2}head +\d+:[0-9a-f]{64}$/m)
    expect(linesOf(stdout).at(-1)).toBe('OK: nothing is wrong.')
    const json = await runCli(['verify', path, '--json', '--threads', '1'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, problems: [], events: 2 })
    expect(fingerprint(path)).toEqual(before)
  })

  it('info, verify, read: a journal without any event', async () => {
    const path = bench.path()
    await bench.close(await bench.open(path, {}, bank))
    expect((await runCli(['read', path])).code).toBe(0)
    expect((await runCli(['read', path])).stdout).toBe('')
    expect((await runCli(['verify', path])).code).toBe(0)
    const info = await runCli(['info', path])
    expect([info.code, info.stderr]).toEqual([0, ''])
    expect(info.stdout).toMatch(/^ {2}events +0$/m)
  })

  it('info, verify: an index is told, and a wrong one changes no exit code', async () => {
    const path = bench.path()
    const engine = await bench.open(path, { segmentBytes: SEGMENT_BYTES_MIN }, bank)
    await engine.execute(OpenAccount, { account: 'alice', ...OPEN })
    await engine.execute(OpenAccount, { account: 'bob', ...OPEN })
    const transfer = { from: 'alice', to: 'bob', amount: 0 }
    while (engine.journalPosition().segmentNumber < 2) {
      for (let i = 0; i < 500; i++) {
        engine.submit(Transfer, { ...transfer, amount: i % 2 })
        engine.submit(Transfer, { from: 'bob', to: 'alice', amount: i % 2 })
      }
      await engine.synced()
    }
    for await (const { id } of engine.read(Account, 'alice')) expect(id).toBe('alice')
    const index = join(path, indexName(1))
    await expect.poll(() => existsSync(index)).toBe(true)
    await bench.close(engine)
    const info = await runCli(['info', path, '--json'])
    const { segments } = JSON.parse(info.stdout) as { segments: { indexBytes: number }[] }
    expect(segments[0]?.indexBytes).toBe(statSync(index).size)
    expect(segments[1]?.indexBytes).toBe(0)
    expect((await runCli(['info', path])).stdout).toMatch(
      /^ +1 +1\.0 MiB +[\d.]+ [KM]iB +- +8\.0 KiB /m,
    )
    const right = await runCli(['verify', path])
    expect(right.code).toBe(0)
    expect(right.stdout).toMatch(/^ {2}segments +\d, 1 index$/m)
    expect(linesOf(right.stdout).at(-1)).toBe('OK: nothing is wrong.')
    writeFileSync(index, 'anything')
    const before = fingerprint(path)
    const wrong = await runCli(['verify', path])
    expect([wrong.code, wrong.stderr]).toEqual([0, ''])
    expect(wrong.stdout).toMatch(/^0000000001\.index, offset 0: INDEX_WRONG: .* cache/m)
    expect(linesOf(wrong.stdout).at(-1)).toBe('OK: nothing is wrong with the journal.')
    const json = await runCli(['verify', path, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: true, warnings: [{ code: 'INDEX_WRONG' }] })
    expect(fingerprint(path)).toEqual(before)
  })
})
