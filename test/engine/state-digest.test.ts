import { describe, expect, it } from 'vitest'
import { domain, Engine, int, object, text } from '../../engine/index.js'

const digests = domain('digests', import.meta.url)
const Tagged = digests.aggregate('Tagged', {
  id: text,
  state: object({ create: () => ({ tags: new Map<string, number>(), order: {} as object }) }),
})
const Plain = digests.aggregate('Plain', {
  id: text,
  state: object({ create: () => ({ members: {} as Record<string, number> }) }),
})
const MemberSet = Plain.event('MemberSet', { name: text, value: int }, (plain, event) => {
  plain.members[event.name] = event.value
})
const TaggedAdded = Tagged.event('TaggedAdded', { name: text }, (tagged, event) => {
  tagged.tags.set(event.name, 1)
})
const SetMember = digests.command(
  'SetMember',
  { plain: Plain.id, name: text, value: int },
  (command, tx) => {
    tx.emit(MemberSet, command.plain, { name: command.name, value: command.value })
  },
)
const Tag = digests.command('Tag', { tagged: Tagged.id, name: text }, (command, tx) => {
  tx.emit(TaggedAdded, command.tagged, { name: command.name })
})

async function digestAfter(members: readonly (readonly [string, number])[]): Promise<string> {
  const engine = await Engine.open('unused', digests, { durability: 'none' })
  for (const [name, value] of members) await engine.execute(SetMember, { plain: 'p', name, value })
  const digest = await engine.digest()
  await engine.close()
  return digest
}

describe('state digest', () => {
  it('object state: the order in which members came is not state, their values are', async () => {
    const one = await digestAfter([
      ['a', 1],
      ['b', 2],
    ])
    expect(
      await digestAfter([
        ['b', 2],
        ['a', 1],
      ]),
    ).toBe(one)
    expect(
      await digestAfter([
        ['a', 1],
        ['b', 3],
      ]),
    ).not.toBe(one)
    expect(await digestAfter([['a', 1]])).not.toBe(one)
  })

  it('object state: what is no plain data is refused, not passed over', async () => {
    const engine = await Engine.open('unused', digests, { durability: 'none' })
    await engine.execute(Tag, { tagged: 't', name: 'x' })
    await expect(engine.digest()).rejects.toThrow(/INVALID_DOMAIN.*Tagged t.*snapshot, restore/)
    await engine.close()
  })
})
