import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createDoorbell, Doorbell } from '../../journal/doorbell.js'

describe('doorbell', () => {
  it('Doorbell: awake ends a wait that nobody has rung', async () => {
    const sleeper = new Doorbell(createDoorbell())
    const parked = sleeper.parked(sleeper.prepareToPark(), 30_000)
    expect(parked).toBeDefined()
    sleeper.awake()
    expect(await parked).toBe('ok')
  })

  it('doorbell: a ring between the preparation and the sleep is not lost', () => {
    const memory = createDoorbell()
    const sleeper = new Doorbell(memory)
    const ringer = new Doorbell(memory)
    const value = sleeper.prepareToPark()
    ringer.ring()
    expect(sleeper.parked(value, 60_000)).toBeUndefined()
    sleeper.awake()
  })

  it('doorbell: a ring while nobody sleeps leaves nothing behind', async () => {
    const memory = createDoorbell()
    const sleeper = new Doorbell(memory)
    new Doorbell(memory).ring()
    const value = sleeper.prepareToPark()
    expect(await sleeper.parked(value, 1)).toBe('timed-out')
    sleeper.awake()
    new Doorbell(memory).ring()
    expect(await sleeper.parked(sleeper.prepareToPark(), 1)).toBe('timed-out')
  })

  it('doorbell: every piece of work is noticed (ringer on another thread)', async () => {
    const memory = createDoorbell()
    const work = new Int32Array(new SharedArrayBuffer(4))
    const pieces = 20_000
    const source = `
      const { workerData } = require('node:worker_threads')
      import(workerData.module).then(({ Doorbell }) => {
        const bell = new Doorbell(workerData.memory)
        const work = new Int32Array(workerData.work)
        for (let piece = 1; piece <= ${pieces}; piece++) {
          Atomics.store(work, 0, piece)
          bell.ring()
          for (let pause = piece % 300; pause > 0; pause--) Atomics.load(work, 0)
        }
      })`
    const module = new URL('../../journal/doorbell.js', import.meta.url).href
    const worker = new Worker(source, {
      eval: true,
      workerData: { memory, work: work.buffer, module },
    })
    onTestFinished(() => worker.terminate().then(() => undefined))
    const sleeper = new Doorbell(memory)
    let seen = 0
    while (seen < pieces) {
      const value = sleeper.prepareToPark()
      const now = Atomics.load(work, 0)
      if (now === seen) expect(await sleeper.parked(value, 20_000)).not.toBe('timed-out')
      sleeper.awake()
      seen = Atomics.load(work, 0)
    }
  })
})
