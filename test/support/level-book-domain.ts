/**
 * Price-level books as a domain of its own: object state, text fields, many events a command, and
 * nothing like the exchange otherwise.
 */
import { bool, domain, object, oneOf, text } from '../../engine/index.js'
import { LevelBook, type LevelUpdate } from './level-book.js'

const levelBooks = domain('level-books', import.meta.url)
export default levelBooks

export const Book = levelBooks.aggregate('LevelBook', {
  id: text,
  state: object({
    create: () => new LevelBook(),
    snapshot: (book) => book.snapshot(),
    restore: LevelBook.restore,
  }),
})

export const BookCleared = Book.event('BookCleared', {}, (book) => {
  book.clear()
})

export const LevelSet = Book.event(
  'LevelSet',
  { side: oneOf('ask', 'bid'), price: text, volume: text },
  (book, event) => {
    book.set(event.side, event.price, event.volume)
  },
)

/** Levels as `price volume price volume …`, in the order received; a volume of zero removes one. */
export const UpdateBook = levelBooks.command(
  'UpdateBook',
  { book: Book.id, clear: bool, asks: text, bids: text },
  (command, tx) => {
    if (command.clear) tx.emit(BookCleared, command.book, {})
    for (const [price, volume] of levelsIn(command.asks)) {
      tx.emit(LevelSet, command.book, { side: 'ask', price, volume })
    }
    for (const [price, volume] of levelsIn(command.bids)) {
      tx.emit(LevelSet, command.book, { side: 'bid', price, volume })
    }
  },
)

export function levelsToText(levels: readonly LevelUpdate[]): string {
  return levels.map(([price, volume]) => `${price} ${volume}`).join(' ')
}

function levelsIn(levels: string): LevelUpdate[] {
  return Array.from(levels.matchAll(/(\S+) (\S+)/g), ([, price = '', volume = '']) => [
    price,
    volume,
  ])
}
