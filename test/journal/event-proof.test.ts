import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../../engine/index.js'
import bank, { OpenAccount } from '../../examples/bank/bank.js'
import { blockHash, readProvenHeader } from '../../journal/block-header.js'
import { headText, type NotedHead } from '../../journal/chain-head.js'
import {
  type EventProof,
  type ProofPart,
  proofText,
  proveEvent,
} from '../../journal/event-proof.js'
import { type JournalEvent, readEvents } from '../../journal/event-reader.js'
import { checkProof } from '../../journal/proof-check.js'
import { linesOf, runCli } from '../support/cli.js'
import { failureOf } from '../support/engine-fixture.js'
import { growTo, openSaved } from '../support/saved-journal.js'
import { seededRandom } from '../support/seeded-random.js'

const root = mkdtempSync(join(tmpdir(), 'tidewheel-proof-'))
afterAll(() => rmSync(root, { recursive: true }))

const SEED = 11

interface Journal {
  readonly path: string
  readonly heads: NotedHead[]
  readonly events: JournalEvent[]
}

/** Streams of every kind of id, references to them, several segments and sessions. */
async function largeJournal(): Promise<Journal> {
  const path = join(root, 'large')
  const heads: NotedHead[] = []
  for (const segment of [2, 3]) {
    const engine = await openSaved(path)
    await growTo(engine, segment, SEED + segment)
    heads.push(await engine.head())
    await engine.close()
    heads.push(await engine.head())
  }
  return { path, heads, events: await eventsOf(path) }
}

/** A block an account, so that the ids lie apart. */
async function smallJournal(): Promise<Journal> {
  const path = join(root, 'small')
  const engine = await Engine.open(path, bank)
  const heads: NotedHead[] = []
  for (const account of ['a', 'b', 'c', 'd']) {
    await engine.execute(OpenAccount, { account, owner: account, initialBalance: 1 })
    heads.push(await engine.head())
  }
  await engine.close()
  return { path, heads, events: await eventsOf(path) }
}

async function eventsOf(path: string): Promise<JournalEvent[]> {
  const events: JournalEvent[] = []
  for await (const event of readEvents(path)) events.push(event)
  return events
}

function failure(proof: EventProof, head: NotedHead): unknown {
  try {
    return checkProof(proofText(proof), head)
  } catch (error) {
    return error
  }
}

const FAILED = expect.objectContaining({ code: 'PROOF_FAILED' }) as unknown

describe('event proof', () => {
  let large: Journal
  let small: Journal
  beforeAll(async () => {
    large = await largeJournal()
    small = await smallJournal()
  })

  it('proof: shows each event as the journal has it, up to each later head (sampled)', async () => {
    const { path, heads, events } = large
    const random = seededRandom(SEED)
    const referring = events.filter(({ type }) => type === 'Filled').map(({ sequence }) => sequence)
    const some = Array.from({ length: 3 }, () => 1 + random.below(events.length))
    for (const sequence of new Set([1, events.length, ...some, ...referring.slice(-1)])) {
      for (const head of heads.slice(1, 3)) {
        const proving = proveEvent(path, sequence, head)
        if (head.sequence < sequence) {
          expect((await failureOf(proving)).code).toBe('PROOF_FAILED')
          continue
        }
        const text = proofText(await proving)
        expect(checkProof(text, head), `seed ${SEED}, event ${sequence}`).toEqual(
          events[sequence - 1],
        )
      }
    }
  })

  it('proof: holds for every head that it passes, and for no other', async () => {
    const { path, heads, events } = small
    const proof = await proveEvent(path, 2)
    const results = heads.map((head) => failure(proof, head))
    expect(results).toEqual([FAILED, events[1], events[1], events[1]])
    const last = heads.at(-1) as NotedHead
    expect(failure(proof, { ...last, sequence: 1 })).toEqual(FAILED)
    expect(failure(proof, large.heads.at(-1) as NotedHead)).toEqual(FAILED)
    expect(failure({ ...proof, sequence: 1 }, last)).toEqual(events[0])
    expect(failure({ ...proof, sequence: 3 }, last)).toEqual(FAILED)
  })

  it('proof: has the blocks that it needs whole, and 32 bytes for each other one', async () => {
    const proof = await proveEvent(small.path, 2, small.heads.at(-1))
    const shape = proof.chain.map((part) =>
      'block' in part ? readProvenHeader(part.block)?.blockNumber : `${part.digests.length / 32}`,
    )
    expect(shape).toEqual([1, 2, '2'])
  })

  it('proof: no byte of it can change, no part be missing, doubled, exchanged or cut', async () => {
    const head = small.heads.at(-1) as NotedHead
    const proof = await proveEvent(small.path, 3, head)
    const { chain } = proof
    expect(chain.map((part) => 'block' in part)).toEqual([true, false, true, false])
    const changed: ProofPart[][] = []
    chain.forEach((part, index) => {
      const bytes = 'block' in part ? part.block : part.digests
      for (let at = 0; at < bytes.length; at++) {
        const copy = bytes.slice()
        copy[at]! ^= 0x40
        changed.push(chain.with(index, 'block' in part ? { block: copy } : { digests: copy }))
      }
      // The last digests lead from the event to the head: without them it is another head.
      changed.push(chain.toSpliced(index, 1), chain.toSpliced(index, 0, part))
      if (index > 0) changed.push(chain.with(index, chain[index - 1]!).with(index - 1, part))
    })
    const held = changed.filter(
      (parts) => failure({ ...proof, chain: parts }, head) instanceof Error === false,
    )
    expect(held).toEqual([])
    expect(changed.length).toBeGreaterThan(1000)
  })

  it('proof: a block that names another id does not pass (made right but for the noted hash)', async () => {
    const head = small.heads.at(-1) as NotedHead
    const { chain } = await proveEvent(small.path, 1)
    const [first] = chain as [{ block: Uint8Array }]
    const text = Buffer.from(first.block)
    const id = text.indexOf('a', text.length - 60, 'latin1')
    expect(id).toBeGreaterThan(0)
    text[id] = 'b'.charCodeAt(0)
    const forged = { sequence: 1, chain: [{ block: new Uint8Array(text) }, ...chain.slice(1)] }
    const own = { sequence: 9, hash: Buffer.from(blockHash(text)).toString('hex') }
    // Against a head of the forger's own it says what he likes; against the noted one nothing.
    expect(failure({ ...forged, chain: forged.chain.slice(0, 1) }, own)).not.toEqual(FAILED)
    expect(failure(forged, head)).toEqual(FAILED)
  })

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"tidewheel":"event proof 2","sequence":1,"chain":[{"digests":"AAAA"}]}',
    '{"tidewheel":"event proof 1","sequence":0,"chain":[{"block":""}]}',
    '{"tidewheel":"event proof 1","sequence":1,"chain":[]}',
    '{"tidewheel":"event proof 1","sequence":1,"chain":[null]}',
    '{"tidewheel":"event proof 1","sequence":1,"chain":[{"digests":"AAAA"}]}',
    `{"tidewheel":"event proof 1","sequence":1,"chain":[{"block":"${'A'.repeat(400)}"}]}`,
    `{"tidewheel":"event proof 1","sequence":1,"chain":[{"digests":"${'A'.repeat(43)}="}]}`,
    '['.repeat(100_000),
  ])('proof: what is none is refused (%#)', (text) => {
    expect(() => checkProof(text, { sequence: 1, hash: '00'.repeat(32) })).toThrow('PROOF_FAILED')
  })

  it('tidewheel prove: makes one, and checks it without the journal', async () => {
    const { path, heads } = small
    const file = join(root, 'proof.json')
    const [head, other] = [heads[1] as NotedHead, heads[0] as NotedHead]
    const made = await runCli(['prove', path, '2', '--head', headText(head)])
    expect(made).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(file, made.stdout)
    const right = await runCli(['prove', '--check', file, '--head', headText(head)])
    expect(right).toMatchObject({ code: 0, stderr: '' })
    const [line = '', verdict] = linesOf(right.stdout)
    expect(JSON.parse(line)).toMatchObject({ sequence: 2, stream: 'Account', id: 'b' })
    expect(verdict).toContain(`ends with hash ${head.hash}`)
    const wrong = await runCli(['prove', '--check', file, '--head', `2:${other.hash}`])
    expect(wrong).toMatchObject({ code: 1, stdout: '' })
    expect(wrong.stderr).toContain('PROOF_FAILED: the proof does not hold')
    expect((await runCli(['prove', path, '99'])).stderr).toContain('no event 99')
    expect(
      (await runCli(['prove', '--check', join(root, 'none'), '--head', headText(head)])).code,
    ).toBe(1)
  })
})
