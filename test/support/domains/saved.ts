/**
 * State of every shape that a snapshot has to hold, and a way to fill segments quickly. Slabs are
 * small, since tests make thousands.
 */
import {
  any,
  bool,
  bytes,
  domain,
  f64,
  i32,
  int,
  object,
  oneOf,
  text,
  u32,
  u64,
  uuid,
} from '../../../engine/index.js'

const saved = domain('saved', import.meta.url)
export default saved

export const Small = saved.aggregate('Small', { capacity: 500, id: u32, state: { count: int } })
export const Wide = saved.aggregate('Wide', { capacity: 500, id: u64, state: { count: int } })
export const Unique = saved.aggregate('Unique', { capacity: 500, id: uuid, state: { count: int } })
export const Empty = saved.aggregate('Empty', { capacity: 500, id: text, state: { count: int } })

const FIELDS = {
  flag: bool,
  signed: i32,
  small: u32,
  money: int,
  wide: u64,
  ratio: f64,
  token: uuid,
  title: text,
  blob: bytes,
  note: any,
  colour: oneOf('red', 'green', 'blue'),
  unit: Small.id,
}
export const Full = saved.aggregate('Full', { capacity: 500, id: text, state: FIELDS })

export const Tree = saved.aggregate('Tree', {
  capacity: 500,
  id: u32,
  state: object({ create: () => ({ names: [] as string[], total: 0 }) }),
})
export const Bag = saved.aggregate('Bag', {
  capacity: 500,
  id: text,
  state: object({
    create: () => new Map<string, number>(),
    snapshot: (bag) => [...bag],
    restore: (data: [string, number][]) => new Map(data),
  }),
})

const SmallCounted = Small.event('SmallCounted', {}, (small) => {
  small.count += 1
})
const WideCounted = Wide.event('WideCounted', { by: Small.id }, (wide) => {
  wide.count += 1
})
const UniqueCounted = Unique.event('UniqueCounted', {}, (unique) => {
  unique.count += 1
})
const Filled = Full.event('Filled', FIELDS, (full, event) => {
  full.flag = event.flag
  full.signed = event.signed
  full.small = event.small
  full.money = event.money
  full.wide = event.wide
  full.ratio = event.ratio
  full.token = event.token
  full.title = event.title
  full.blob = event.blob
  full.note = event.note
  full.colour = event.colour
  full.unit = event.unit
})
const Grown = Tree.event('Grown', { name: text }, (tree, event, meta) => {
  tree.names.push(event.name)
  tree.total += meta.sequence
})
const Put = Bag.event('Put', { name: text, value: int }, (bag, event) => {
  bag.set(event.name, event.value)
})
/** Not in the state: only makes the journal longer. */
const Padded = Small.event('Padded', { padding: bytes }, () => undefined)

export const Count = saved.command(
  'Count',
  { small: Small.id, wide: Wide.id, unique: Unique.id },
  (command, tx) => {
    if (command.small === 13) return tx.reject('UNLUCKY', { small: command.small })
    tx.emit(SmallCounted, command.small, {})
    tx.emit(WideCounted, command.wide, { by: command.small })
    tx.emit(UniqueCounted, command.unique, {})
  },
)
export const Fill = saved.command('Fill', { full: Full.id, ...FIELDS }, (command, tx) => {
  tx.emit(Filled, command.full, command)
})
export const Change = saved.command(
  'Change',
  { tree: Tree.id, bag: Bag.id, name: text, value: int },
  (command, tx) => {
    tx.emit(Grown, command.tree, { name: command.name })
    tx.emit(Put, command.bag, { name: command.name, value: command.value })
  },
)
export const Pad = saved.command('Pad', { small: Small.id, padding: bytes }, (command, tx) => {
  tx.emit(Padded, command.small, { padding: command.padding })
})
