/**
 * A book that knows price levels only, as exchanges publish it: a price and the volume there, both
 * as the decimal strings that were received, since checksums count trailing zeros. Prices are
 * compared as integers, never as floats.
 */
import { crc32 } from 'node:zlib'

export type LevelSide = 'ask' | 'bid'
export type LevelUpdate = readonly [price: string, volume: string]

export interface LevelBookSnapshot {
  readonly asks: readonly LevelUpdate[]
  readonly bids: readonly LevelUpdate[]
}

interface Level {
  /** The price as an integer. */
  readonly rank: bigint
  readonly price: string
  volume: string
}

export const LEVELS_MAX = 1_000
const CHECKED_LEVELS = 10

export class LevelBook {
  readonly asks: Level[] = []
  readonly bids: Level[] = []

  set(side: LevelSide, price: string, volume: string): void {
    const levels = side === 'ask' ? this.asks : this.bids
    const rank = integerOf(price)
    const index = levels.findIndex((level) =>
      side === 'ask' ? level.rank >= rank : level.rank <= rank,
    )
    const place = index < 0 ? levels.length : index
    const present = levels[place]?.rank === rank
    if (integerOf(volume) === 0n) levels.splice(place, present ? 1 : 0)
    else levels.splice(place, present ? 1 : 0, { rank, price, volume })
    levels.splice(LEVELS_MAX)
  }

  clear(): void {
    this.asks.length = 0
    this.bids.length = 0
  }

  snapshot(): LevelBookSnapshot {
    const plain = ({ price, volume }: Level): LevelUpdate => [price, volume]
    return { asks: this.asks.map(plain), bids: this.bids.map(plain) }
  }

  static restore(snapshot: LevelBookSnapshot): LevelBook {
    const book = new LevelBook()
    book.asks.push(...snapshot.asks.map(levelOf))
    book.bids.push(...snapshot.bids.map(levelOf))
    return book
  }
}

/** Kraken's checksum: digits of the best ten asks and bids, without point and leading zeros. */
export function checksumOf({ asks, bids }: LevelBookSnapshot): number {
  const digits = (text: string) => text.replace('.', '').replace(/^0+/, '')
  const best = [...asks.slice(0, CHECKED_LEVELS), ...bids.slice(0, CHECKED_LEVELS)]
  return crc32(best.map(([price, volume]) => digits(price) + digits(volume)).join(''))
}

function levelOf([price, volume]: LevelUpdate): Level {
  return { rank: integerOf(price), price, volume }
}

/** 16 digits before the point and 10 after it: more than a safe integer holds. */
function integerOf(text: string): bigint {
  const [, whole = '', fraction = ''] = /^(\d{1,16})(?:\.(\d{1,10}))?$/.exec(text) ?? []
  if (whole === '') throw new Error(`${text} is not a decimal of a known form`)
  return BigInt(whole + fraction.padEnd(10, '0'))
}
