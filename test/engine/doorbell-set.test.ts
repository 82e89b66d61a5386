import { expect, it } from 'vitest'
import { DoorbellSet } from '../../engine/doorbell-set.js'
import { createDoorbell, Doorbell } from '../../journal/doorbell.js'
import { seededRandom } from '../support/seeded-random.js'

/** Long enough that a test which has to wait for it does not pass. */
const NEVER_MS = 30_000

function setOf(count: number) {
  const own = new Doorbell(createDoorbell())
  const set = new DoorbellSet(own)
  const memories = Array.from({ length: count }, () => createDoorbell())
  const sleepers = memories.map((memory) => new Doorbell(memory))
  for (const sleeper of sleepers) set.add(sleeper)
  /** As another thread has them. */
  const ringers = memories.map((memory) => new Doorbell(memory))
  return { set, memories, sleepers, ringers }
}

it('DoorbellSet: any of its doorbells ends the sleep, again and again', async () => {
  const { set, ringers } = setOf(3)
  for (let round = 0; round < 30; round++) {
    set.prepareToPark()
    const parked = set.parked(NEVER_MS)
    expect(parked).toBeDefined()
    const ringer = [set, ...ringers][round % 4]!
    ringer.ring()
    await parked
    set.awake()
  }
})

it('DoorbellSet: a ring between the last look and the sleep is not lost', () => {
  const { set, ringers } = setOf(3)
  for (const ringer of [set, ...ringers]) {
    set.prepareToPark()
    ringer.ring()
    expect(set.parked(NEVER_MS)).toBeUndefined()
    set.awake()
  }
})

it('DoorbellSet: a ring is heard, whatever another doorbell’s memory holds', async () => {
  const seed = Date.now() % 100_000
  const random = seededRandom(seed)
  const { set, memories, ringers } = setOf(2)
  const hostile = new Int32Array(memories[0]!)
  const scribble = (): void => {
    for (let i = 0; i < hostile.length; i++) hostile[i] = random.below(3)
  }
  for (let round = 0; round < 200; round++) {
    set.prepareToPark()
    if (random.below(2) === 0) scribble()
    const parked = set.parked(NEVER_MS)
    scribble()
    ringers[1]!.ring()
    await parked
    set.awake()
  }
})

it('DoorbellSet: a doorbell that is added ends the sleep that does not know it', async () => {
  const { set } = setOf(1)
  set.prepareToPark()
  const parked = set.parked(NEVER_MS)
  const memory = createDoorbell()
  set.add(new Doorbell(memory))
  await parked
  set.awake()
  set.prepareToPark()
  const again = set.parked(NEVER_MS)
  new Doorbell(memory).ring()
  await again
  set.awake()
})

it('DoorbellSet: a doorbell that was removed wakes nobody', async () => {
  const { set, sleepers, ringers } = setOf(2)
  set.remove(sleepers[0]!)
  set.prepareToPark()
  const parked = set.parked(NEVER_MS)
  let woken = false
  void parked?.then(() => {
    woken = true
  })
  ringers[0]!.ring()
  await new Promise(setImmediate)
  expect(woken).toBe(false)
  ringers[1]!.ring()
  await parked
})
