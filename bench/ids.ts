/** Ids of accounts that are counted from 0, in the forms that the transfer benchmarks use. */

/** Spread over all 64 bits, the same for the same account: two bijections of its number. */
export class ScatteredId {
  low = 0
  high = 0
  private readonly words = new Uint32Array(2)
  private readonly value = new BigUint64Array(this.words.buffer)

  set(account: number): void {
    this.low = mixed(account)
    this.high = mixed(account ^ 0x5bd1e995)
  }

  /** As the engine takes it. Makes a bigint, as whoever reads ids out of a message does. */
  get bigint(): bigint {
    this.words[0] = this.low
    this.words[1] = this.high
    return this.value[0]!
  }
}

/** Made anew each time, as text that comes out of a message is. */
export function textId(account: number): string {
  return `account-${account + 10_000_000}`
}

/** Every bit depends on every bit; a bijection. An Int32. */
function mixed(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}
