/** One event with a field of each type, and streams with ids of each type: what tools must show. */
import {
  any,
  bool,
  bytes,
  domain,
  f64,
  i32,
  int,
  oneOf,
  text,
  u32,
  u64,
  uuid,
} from '../../../engine/index.js'

const showcase = domain('showcase', import.meta.url)
export default showcase

export const Named = showcase.aggregate('Named', { id: text, state: { count: int } })
export const Small = showcase.aggregate('Small', { id: u32, state: { count: int } })
export const Wide = showcase.aggregate('Wide', { id: u64, state: { count: int } })
export const Unique = showcase.aggregate('Unique', { id: uuid, state: { count: int } })

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
  colour: oneOf('red', 'gr"een\u001b', 'blue'),
  owner: Named.id,
  unit: Small.id,
  lot: Wide.id,
  key: Unique.id,
}

export const Shown = Named.event('Shown', FIELDS, (named) => {
  named.count += 1
})
export const SmallTouched = Small.event('SmallTouched', {}, (small) => {
  small.count += 1
})
export const WideTouched = Wide.event('WideTouched', {}, (wide) => {
  wide.count += 1
})
export const UniqueTouched = Unique.event('UniqueTouched', {}, (unique) => {
  unique.count += 1
})

export const Show = showcase.command('Show', { target: Named.id, ...FIELDS }, (command, tx) => {
  if (command.money < 0) return tx.reject('NEGATIVE', { money: command.money })
  tx.emit(Shown, command.target, command)
  tx.emit(SmallTouched, command.unit, {})
  tx.emit(WideTouched, command.lot, {})
  tx.emit(UniqueTouched, command.key, {})
})
