import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ChainHead } from '../../engine/index.js'
import bank, { Account, OpenAccount, Transfer } from '../../examples/bank/bank.js'
import { headText, parseHead } from '../../journal/chain-head.js'
import { surveyJournal } from '../../journal/journal-survey.js'
import { verifyJournal } from '../../journal/verify.js'
import { linesOf, runCli } from '../support/cli.js'
import { describeModes, EngineBench, failureOf } from '../support/engine-fixture.js'

describeModes('head', (bench) => {
  it('head: covers what was answered, and stays in the journal (idle, under load, reopened)', async () => {
    const path = bench.path()
    const heads: ChainHead[] = []
    for (let session = 0; session < 2; session++) {
      const engine = await bench.open(path, {}, bank)
      heads.push(await engine.head())
      for (const account of ['a', 'b']) {
        const command = { account: account + session, owner: 'x', initialBalance: 100 }
        const receipt = await engine.execute(OpenAccount, command)
        const head = await engine.head()
        expect(head.sequence).toBeGreaterThanOrEqual(receipt.sequence)
        heads.push(head)
      }
      const transfer = { from: `a${session}`, to: `b${session}`, amount: 1 }
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 50; i++) engine.submit(Transfer, transfer)
        heads.push(await engine.head())
      }
      await engine.synced()
      await bench.close(engine)
      // Also when nothing is written any more: then it is the seal of closing.
      heads.push(await engine.head())
    }
    const { head: last } = await surveyJournal(path)
    expect(heads.at(-1)).toEqual(last)
    expect(heads[0]).toEqual({ sequence: 0, block: 0, hash: '00'.repeat(32) })
    const blocks = heads.map(({ block }) => block)
    expect(blocks).toEqual(blocks.toSorted((a, b) => a - b))
    for (const head of heads.filter((_, index) => index % 9 < 2)) {
      const report = await verifyJournal(path, { head, threads: 1 })
      expect(report).toMatchObject({ ok: true, notedBlock: head.block })
      expect(parseHead(headText(head))).toEqual({ sequence: head.sequence, hash: head.hash })
    }
  })

  it("head: needs a journal (durability 'none')", async () => {
    const engine = await bench.open(bench.path(), { durability: 'none' }, bank)
    expect((await failureOf(engine.head())).code).toBe('NO_JOURNAL')
    await bench.close(engine)
  })
})

describe('tidewheel verify --head', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  it('verify --head: what info printed is found later, anything else is exit code 1', async () => {
    const path = bench.path()
    let engine = await bench.open(path, {}, bank)
    await engine.execute(OpenAccount, { account: 'alice', owner: 'x', initialBalance: 1 })
    await bench.close(engine)
    const info = await runCli(['info', path])
    const noted = /^ {2}head +(\S+)$/m.exec(info.stdout)?.[1] ?? ''
    expect(noted).toMatch(/^1:[0-9a-f]{64}$/)
    engine = await bench.open(path, {}, bank)
    await engine.execute(OpenAccount, { account: 'bob', owner: 'x', initialBalance: 1 })
    expect(await engine.query(Account, 'bob')).toBeDefined()
    // The engine is open: it is verified beside it.
    const right = await runCli(['verify', path, '--head', noted])
    expect(right).toMatchObject({ code: 0, stderr: '' })
    expect(right.stdout).toMatch(/^ {2}noted head +block \d+: everything up to it is what it was$/m)
    const wrong = noted.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
    const none = await runCli(['verify', path, '--head', wrong])
    expect(none.code).toBe(1)
    expect(none.stdout).toMatch(/HEAD_MISSING: no block has the noted hash/)
    expect(linesOf(none.stdout).at(-1)).toBe('FAILED: 1 problem.')
    const beyond = await runCli(['verify', path, '--json', '--head', `9${wrong}`])
    expect(JSON.parse(beyond.stdout)).toMatchObject({ problems: [{ code: 'HEAD_MISSING' }] })
    expect((await runCli(['verify', join(path), '--head', 'abc'])).code).toBe(2)
    await bench.close(engine)
  })
})
