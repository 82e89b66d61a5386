/**
 * The limit of a growing index: as many ids into a table of the right size from the start. What is
 * left are pages that the system gives when they are touched, and whatever interrupts the thread.
 */
import type { Contender } from '../benchmark.js'
import { type GrowthOptions, WARM_UP_IDS } from '../benchmarks/index-growth.js'
import { ScatteredId } from '../ids.js'
import { longestMs } from '../longest.js'
import { PairTable } from './pair-table.js'
import { encodeText, hashText, TEXT_WORDS, TextTable } from './text-tables.js'

export async function prepare({ ids, type }: GrowthOptions): Promise<Contender<number>> {
  longestMs(WARM_UP_IDS, adder(WARM_UP_IDS, type))
  return {
    round: async () => longestMs(ids, adder(ids, type)),
    async end() {
      // There is nothing that could be wrong with it.
    },
  }
}

function adder(ids: number, type: GrowthOptions['type']): (count: number) => void {
  if (type === 'u32') return direct(ids)
  return type === 'u64' ? pairs(ids) : texts(ids)
}

function direct(ids: number): (count: number) => void {
  const slots = new Int32Array(ids)
  return (count) => {
    slots[count] = count + 1
  }
}

function pairs(ids: number): (count: number) => void {
  const table = new PairTable(ids)
  const id = new ScatteredId()
  return (count) => {
    id.set(count)
    table.add(id.low, id.high, count + 1)
  }
}

function texts(ids: number): (count: number) => void {
  const table = new TextTable(ids)
  const words = new Int32Array(TEXT_WORDS)
  const bytes = new Uint8Array(words.buffer)
  return (count) => {
    words.fill(0)
    encodeText(`account-${count}`, bytes, 0)
    table.put(count + 1, hashText(words, 0), words, 0)
  }
}
