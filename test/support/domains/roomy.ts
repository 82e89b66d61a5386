/**
 * One domain with any capacity: the same names and the same code, as an application has that was
 * deployed again with another capacity. roomy-*.ts are its modules, since a processor thread loads
 * a domain from its module.
 */
import { type Domain, domain, int, u32 } from '../../../engine/index.js'

export function roomy(capacity: number, moduleUrl: string): Domain {
  const declared = domain('roomy', moduleUrl)
  const Shelf = declared.aggregate('Shelf', { id: u32, capacity, state: { value: int } })
  const Filled = Shelf.event('Filled', { by: int }, (shelf, event) => {
    shelf.value += event.by
  })
  declared.command('Fill', { shelf: Shelf.id, by: int }, (command, tx) => {
    tx.emit(Filled, command.shelf, { by: command.by })
  })
  return declared
}
