import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { type Engine, Producer, type RejectedReceipt } from '../../engine/index.js'
import probe, { Account, Count, Counter, Credit, Log } from '../support/domains/probe.js'
import {
  accepted,
  all,
  describeModes,
  EngineBench,
  failureOf,
  run,
} from '../support/engine-fixture.js'
import { startProcess } from '../support/processes/start.js'

/** The thread to be killed: the processor's, or, inline, the journaler's. */
function threadOf(engine: Engine): Worker {
  const { side } = engine as unknown as {
    side: { worker?: Worker; host?: { journaler: { journaler: Worker } } }
  }
  const worker = side.worker ?? side.host?.journaler.journaler
  expect(worker).toBeDefined()
  return worker!
}

describeModes('stopping', (bench) => {
  it.each(['a bug', 'value', 'nothing', `x${'\u{1f600}'.repeat(6000)}`])(
    'EVOLVE_FAILED: what was complete is answered, the engine stops, reopening works (%#)',
    async (how) => {
      const path = bench.path()
      let engine = await bench.open(path)
      await accepted(engine, Credit, { account: 'a', amount: 1 })
      await run(engine, 'credit each', [['b', 1]])
      const digest = await engine.digest()
      const following = all(engine.subscribe()).catch((error) => error)
      const before = Array.from({ length: 20 }, () => engine.execute(Count, { counter: 1, by: 0 }))
      const failing = run(engine, 'burst after two', { account: 'a', how }, 'the key')
      const query = engine.query(Account, 'a').catch((error) => error)
      const after = Array.from({ length: 20 }, () =>
        engine.execute(Count, { counter: 1, by: 1 }).catch((error) => error),
      )
      for (const receipt of await Promise.all(before)) expect(receipt.accepted).toBe(true)
      const receipt = (await failing) as RejectedReceipt
      expect(receipt).toMatchObject({ accepted: false, code: 'EVOLVE_FAILED' })
      expect(receipt.detail).toContain('Run')
      for (const error of await Promise.all(after)) {
        // A thread may have stopped before this one has handed in all of them.
        const wasTaken = !error.message.includes('was not taken')
        if (bench.mode === 'inline') expect(wasTaken).toBe(true)
        expect(error.code).toBe('ENGINE_STOPPED')
        expect(error.outcome).toBe(wasTaken ? 'unknown' : undefined)
      }
      // Nobody sees the half of a transaction.
      const seen = await query
      if ('balance' in seen) expect(seen).toMatchObject({ balance: 1 })
      else expect(seen.code).toBe('ENGINE_STOPPED')
      expect(await following).toMatchObject({ code: 'ENGINE_STOPPED' })
      const late = await failureOf(engine.execute(Count, { counter: 1, by: 1 }))
      expect(late.code).toBe('ENGINE_STOPPED')
      expect(late.message).toContain('EVOLVE_FAILED')
      expect(late.message).toContain('this command was not taken')
      expect(late.outcome).toBeUndefined()
      expect(() => engine.submit(Count, { counter: 1, by: 1 })).toThrow(/ENGINE_STOPPED/)
      expect((await failureOf(engine.query(Account, 'a'))).code).toBe('ENGINE_STOPPED')
      expect((await failureOf(engine.digest())).code).toBe('ENGINE_STOPPED')
      if (bench.mode === 'inline') expect(() => engine.get(Account, 'a')).toThrow(/ENGINE_STOPPED/)
      await bench.close(engine)
      engine = await bench.open(path)
      expect(engine.report).toMatchObject({ events: 22, repaired: [] })
      expect(await engine.query(Account, 'a')).toMatchObject({ balance: 1 })
      expect(await engine.query(Log, 'a')).toBeUndefined()
      expect(await engine.query(Counter, 1)).toEqual({ value: 0 })
      expect(await engine.digest()).not.toBe(digest)
      // Its key was not kept: mended, it may run.
      const again = await run(engine, 'nothing', null, 'the key')
      expect(again).toMatchObject({ accepted: true, repeated: false })
      await bench.close(engine)
    },
  )

  it('EVOLVE_FAILED: a value out of range after object state has changed', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    await accepted(engine, Credit, { account: 'a', amount: 1 })
    const receipt = await run(engine, 'change object state, then a value out of range', 'a')
    if (receipt.accepted) throw new Error('accepted')
    expect(['EVOLVE_FAILED', 'HANDLER_FAILED']).toContain(receipt.code)
    await bench.close(engine).catch(() => undefined)
    engine = await bench.open(path)
    expect(await engine.query(Log, 'a')).toBeUndefined()
    expect(engine.report.events).toBe(1)
    await bench.close(engine)
  })

  it('a thread that dies: nothing more is taken, which is said, reopening works', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    const producer = Producer.connect(engine.producer(), probe)
    for (let i = 0; i < 10; i++) await accepted(engine, Credit, { account: 'kept', amount: 1 })
    await producer.execute(Credit, { account: 'kept', amount: 1 })
    const following = all(engine.subscribe()).catch((error) => error)
    await threadOf(engine).terminate()
    const reads = [engine.query(Account, 'kept'), engine.digest()]
    const commands = [
      engine.execute(Credit, { account: 'kept', amount: 100 }),
      engine.execute(Credit, { account: 'kept', amount: 100 }, { key: 'k' }),
    ]
    for (const error of await Promise.all([...reads, ...commands].map(failureOf))) {
      expect(error.code).toBe('ENGINE_STOPPED')
      expect(error.message).toMatch(/ended unexpectedly/)
    }
    expect(() => engine.submit(Credit, { account: 'kept', amount: 1 })).toThrow(/ENGINE_STOPPED/)
    commands.push(producer.execute(Credit, { account: 'kept', amount: 100 }))
    for (const error of await Promise.all(commands.map(failureOf))) {
      expect(error).toMatchObject({ code: 'ENGINE_STOPPED', outcome: undefined })
      expect(error.message).toContain('this command was not taken')
      expect(error.message).not.toContain('may or may not')
    }
    expect(await following).toMatchObject({ code: 'ENGINE_STOPPED' })
    // All that was taken is answered.
    await engine.synced()
    // Both calls say the same, whatever that is, and the directory is free.
    const closings = await Promise.all(
      [1, 2].map(() => engine.close().catch((error) => error.code)),
    )
    expect(closings[0]).toBe(closings[1])
    expect([undefined, 'STORAGE_FAILED', 'ENGINE_STOPPED']).toContain(closings[0])
    engine = await bench.open(path)
    expect(await engine.query(Account, 'kept')).toMatchObject({ balance: 11 })
    expect(await engine.execute(Credit, { account: 'kept', amount: 1 })).toMatchObject({
      accepted: true,
    })
    await bench.close(engine)
  })

  it('a thread that dies under load: what was answered is kept, what was pending is unknown', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    let answered = 0
    engine.onReceipts((_, last) => {
      answered = last
    })
    const outcomes: Promise<string>[] = []
    for (let i = 0; i < 3000; i++) {
      const receipt = engine.execute(Count, { counter: 1, by: 1 })
      outcomes.push(
        receipt.then(() => 'answered').catch((error) => `${error.code} ${error.outcome}`),
      )
      if (i === 1500) {
        await outcomes[700]
        void threadOf(engine).terminate()
      }
      if (i % 300 === 0) await new Promise(setImmediate)
    }
    const settled = await Promise.all(outcomes)
    const kept = settled.findIndex((outcome) => outcome !== 'answered')
    // None is unknown when the thread died right after an answer.
    const taken = Math.max(kept, settled.lastIndexOf('ENGINE_STOPPED unknown') + 1)
    expect(kept).toBeGreaterThan(700)
    expect(new Set(settled.slice(0, kept))).toEqual(new Set(['answered']))
    for (const lost of settled.slice(kept, taken)) expect(lost).toBe('ENGINE_STOPPED unknown')
    for (const late of settled.slice(taken)) expect(late).toBe('ENGINE_STOPPED undefined')
    expect(answered).toBe(kept)
    // Not `synced`: when the thread died after its last answer, everything taken is answered.
    const late = engine.execute(Count, { counter: 1, by: 1 })
    expect((await failureOf(late)).code).toBe('ENGINE_STOPPED')
    await engine.close().catch(() => undefined)
    engine = await bench.open(path)
    const value = (await engine.query(Counter, 1))?.value ?? 0
    expect(value).toBeGreaterThanOrEqual(kept)
    expect(value, 'what was not taken is not there').toBeLessThanOrEqual(taken)
    await bench.close(engine)
  })

  it('close: twice, at once and later', async () => {
    const engine = await bench.open(bench.path())
    await Promise.all([engine.close(), engine.close()])
    await engine.close()
  })

  it('a process ends by itself when nothing is in flight, and not before', async () => {
    const idle = startProcess('idle', bench.mode, bench.path())
    const pending = startProcess('pending', bench.mode, bench.path())
    expect(await idle.ended).toBe(0)
    expect(idle.lines).toEqual(['exit'])
    expect(await pending.ended).toBe(0)
    expect(pending.lines.toSorted()).toEqual([
      'execute true',
      expect.stringMatching(/^query [25]$/),
      'synced',
    ])
  })
})

describe('doing nothing', () => {
  it('an open engine with nothing to do costs less than 1 % of a core', async () => {
    const bench = new EngineBench('inline')
    const children = ['inline', 'thread'].map((mode) => startProcess('cpu', mode, bench.path()))
    for (const child of children) {
      expect(await child.ended).toBe(0)
      expect(Number(child.lines[0])).toBeLessThan(1)
    }
    await bench.clear()
  })
})

describe('stopping, on a read-only file system', () => {
  it('JOURNAL_UNREADABLE: at open, and it opens when it can be written again', async (test) => {
    const bench = new EngineBench('inline')
    const path = bench.path()
    mkdirSync(path)
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', path]).status !== 0) {
      const why = 'SKIPPED: the read-only file system; a tmpfs cannot be mounted here'
      console.warn(why)
      return test.skip(why)
    }
    try {
      let engine = await bench.open(path)
      await accepted(engine, Count, { counter: 1, by: 1 })
      await bench.close(engine)
      spawnSync('mount', ['-o', 'remount,ro', path])
      const error = await failureOf(bench.open(path))
      expect(error.code).toBe('JOURNAL_UNREADABLE')
      expect(error.message).toMatch(/read-only/i)
      spawnSync('mount', ['-o', 'remount,rw', path])
      engine = await bench.open(path)
      expect(await engine.query(Counter, 1)).toEqual({ value: 1 })
      await bench.close(engine)
    } finally {
      spawnSync('umount', [path])
      await bench.clear()
    }
  })
})
