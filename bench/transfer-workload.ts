/** Uniformly random transfers between accounts: the same sequence for the engine and for the limit. */

export interface TransferOptions {
  /** Of the contender's own files. */
  readonly directory: string
  readonly accounts: number
  /** In one round. */
  readonly transfers: number
  /** Before the first round, while V8 compiles. */
  readonly warmUp: number
  readonly seed: number
}

export const INITIAL_BALANCE = 1_000_000
export const AMOUNT = 1

/** xorshift32: cheap enough not to be what is measured. */
export class TransferWorkload {
  private state: number
  private readonly accounts: number

  constructor(seed: number, accounts: number) {
    this.state = seed | 0 || 1
    this.accounts = accounts
  }

  nextAccount(): number {
    let x = this.state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.state = x
    // The high bits are the random ones; accounts are at most 2³¹.
    return Math.floor(((x >>> 0) / 0x1_0000_0000) * this.accounts)
  }
}
