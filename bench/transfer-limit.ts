/**
 * The same transfers as one hand-written loop: index, decide, evolve and encode inlined on typed
 * arrays, the same 64 bytes a transfer, a journal thread that syncs blocks. What no engine can beat
 * here: it knows one command, has no producers, receipts, keys, reports or recovery.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  LIMIT_PUBLISHED,
  LIMIT_STOP,
  LIMIT_SYNCED,
  LIMIT_UNIT_BYTES,
  type LimitJournalData,
} from './limit-journal-thread.js'
import {
  AMOUNT,
  INITIAL_BALANCE,
  type TransferOptions,
  TransferWorkload,
} from './transfer-workload.js'

const BATCH = 256
const RING_BYTES = 8 * 1024 * 1024
const FILE_BYTES = 64 * 1024 * 1024
const WARM_UP = 500_000

const DEBITED = 17
const CREDITED = 18
const TRANSFER = 19

export async function measure(options: TransferOptions): Promise<number> {
  const { directory, accounts, transfers, seed } = options
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const warmUp = Math.min(WARM_UP, transfers)
  const files = prepareFiles(directory, warmUp + transfers)
  const data = new SharedArrayBuffer(RING_BYTES)
  const control = new SharedArrayBuffer(512)
  const workerData: LimitJournalData = { files, fileBytes: FILE_BYTES, data, control }
  const worker = new Worker(new URL('./limit-journal-thread.js', import.meta.url), { workerData })
  await new Promise((resolve) => worker.once('online', resolve))
  const ended = new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const loop = new TransferLoop(data, control, accounts, new TransferWorkload(seed, accounts))
  loop.run(warmUp)
  const startedMs = performance.now()
  loop.run(transfers)
  const seconds = (performance.now() - startedMs) / 1000
  Atomics.store(new Int32Array(control), LIMIT_STOP, 1)
  const syncedBytes = await ended
  if (syncedBytes !== (warmUp + transfers) * LIMIT_UNIT_BYTES) throw new Error('bytes are missing')
  if (loop.sum() !== accounts * INITIAL_BALANCE) throw new Error('money is missing')
  rmSync(directory, { recursive: true, force: true })
  return transfers / seconds
}

function prepareFiles(directory: string, transfers: number): string[] {
  // Half as much again, for headers and padding.
  const count = Math.ceil((transfers * LIMIT_UNIT_BYTES * 1.5) / FILE_BYTES) + 1
  const zeros = new Uint8Array(FILE_BYTES)
  return Array.from({ length: count }, (_, i) => {
    const file = join(directory, `${i}.limit`)
    writeFileSync(file, zeros, { flush: true })
    return file
  })
}

class TransferLoop {
  private readonly view: DataView
  private readonly cells: Int32Array
  private readonly slots: Int32Array
  private readonly balances: Float64Array
  private readonly versions: Uint32Array
  private readonly workload: TransferWorkload
  private readonly from = new Int32Array(BATCH)
  private readonly to = new Int32Array(BATCH)
  private written = 0
  private touched = 0

  constructor(
    data: SharedArrayBuffer,
    control: SharedArrayBuffer,
    accounts: number,
    workload: TransferWorkload,
  ) {
    this.view = new DataView(data)
    this.cells = new Int32Array(control)
    this.workload = workload
    this.slots = Int32Array.from({ length: accounts }, (_, account) => account + 1)
    this.balances = new Float64Array(accounts + 1).fill(INITIAL_BALANCE, 1)
    this.versions = new Uint32Array(accounts + 1).fill(1, 1)
  }

  sum(): number {
    return this.balances.reduce((total, balance) => total + balance, 0)
  }

  /** Returns when all of them are on disk. */
  run(transfers: number): void {
    for (let done = 0; done < transfers; done += BATCH) {
      this.batch(Math.min(BATCH, transfers - done))
    }
    while (Atomics.load(this.cells, LIMIT_SYNCED) * LIMIT_UNIT_BYTES !== this.written) {
      // The last blocks are being written.
    }
  }

  private batch(count: number): void {
    const { from, to, slots, balances, workload, cells } = this
    for (let i = 0; i < count; i++) {
      from[i] = slots[workload.nextAccount()]!
      to[i] = slots[workload.nextAccount()]!
    }
    let touched = 0
    for (let i = 0; i < count; i++) touched += balances[from[i]!]! + balances[to[i]!]!
    this.touched += touched
    const room = RING_BYTES - count * LIMIT_UNIT_BYTES
    while (this.written - Atomics.load(cells, LIMIT_SYNCED) * LIMIT_UNIT_BYTES > room) {
      // The disk is behind.
    }
    const time = Date.now()
    for (let i = 0; i < count; i++) this.transfer(from[i]!, to[i]!, time)
    Atomics.store(cells, LIMIT_PUBLISHED, this.written / LIMIT_UNIT_BYTES)
  }

  private transfer(from: number, to: number, time: number): void {
    const { view, balances, versions } = this
    if (balances[from]! < AMOUNT) throw new Error('insufficient funds')
    const o = this.written & (RING_BYTES - 1)
    view.setUint32(o, LIMIT_UNIT_BYTES, true)
    view.setUint16(o + 4, TRANSFER, true)
    view.setUint16(o + 6, 2, true)
    view.setFloat64(o + 8, time, true)
    view.setUint32(o + 16, 24, true)
    view.setUint32(o + 20, DEBITED, true)
    view.setUint32(o + 24, from, true)
    view.setUint32(o + 28, ++versions[from]!, true)
    view.setFloat64(o + 32, AMOUNT, true)
    view.setUint32(o + 40, 24, true)
    view.setUint32(o + 44, CREDITED, true)
    view.setUint32(o + 48, to, true)
    view.setUint32(o + 52, ++versions[to]!, true)
    view.setFloat64(o + 56, AMOUNT, true)
    balances[from]! -= view.getFloat64(o + 32, true)
    balances[to]! += view.getFloat64(o + 56, true)
    this.written += LIMIT_UNIT_BYTES
  }
}
