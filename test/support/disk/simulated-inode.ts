/**
 * The bytes of one file of a simulated disk, twice: as programs see them (`live`, the page cache),
 * and as they are on the disk (`durable`), with what lies between the two.
 *
 *   write ─▶ live ─▶ pending: the versions of each sector that the disk may have or not
 *                      │ sync             │ failed sync            │ power is lost
 *                      ▼                  ▼                        ▼
 *                    durable     clean, and not durable     of each sector any version,
 *                                (some of it got there)     or what was durable
 *
 * A sector of 512 bytes is written whole or not at all. The size is one more thing that is pending.
 */
export const SECTOR_BYTES = 512
/** What is allocated, and dropped from the page cache, at once. */
export const PAGE_BYTES = 4096

/** Picks one of `count` possibilities, from 0. */
export type Choose = (count: number) => number

const NOTHING = new Uint8Array(0)

export class SimulatedInode {
  readonly ordinal: number
  /** As programs see it. */
  size = 0
  private bytes = NOTHING
  private durableSize = 0
  private durableBytes = NOTHING
  /** Clones, and a file right after a loss of power, share bytes until they are written. */
  private sharesBytes = false
  private sharesDurable = false
  /** By sector: what was written since the last sync, oldest first. */
  private readonly pending = new Map<number, Uint8Array[]>()
  private readonly pendingSizes: number[] = []
  /** Sectors that look clean and differ from the disk, since a sync failed. */
  private readonly lost = new Set<number>()
  private readonly allocated = new Set<number>()

  constructor(ordinal: number) {
    this.ordinal = ordinal
  }

  get live(): Uint8Array {
    return this.bytes.subarray(0, this.size)
  }

  get durable(): Uint8Array {
    return this.durableBytes.subarray(0, this.durableSize)
  }

  /** Bytes of pages that were ever written. */
  get allocatedBytes(): number {
    return this.allocated.size * PAGE_BYTES
  }

  /** How many sectors, and sizes, a loss of power decides about. */
  get pendingCount(): number {
    return this.pending.size + (this.pendingSizes.length > 0 ? 1 : 0)
  }

  get hasLost(): boolean {
    return this.lost.size > 0
  }

  /** Bytes that a write would have to allocate. */
  unallocated(position: number, lengthBytes: number): number {
    let pages = 0
    for (
      let page = first(position, PAGE_BYTES);
      page * PAGE_BYTES < position + lengthBytes;
      page++
    ) {
      if (!this.allocated.has(page)) pages++
    }
    return pages * PAGE_BYTES
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.byteLength
    this.reserve(end)
    this.own().set(bytes, position)
    if (end > this.size) this.resize(end)
    for (let page = first(position, PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      this.allocated.add(page)
    }
    for (let sector = first(position, SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      this.note(sector)
    }
  }

  /** Of a write past the page cache: what it wrote is on the disk. */
  settle(position: number, lengthBytes: number): void {
    const end = position + lengthBytes
    for (let sector = first(position, SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++) {
      if (this.pending.has(sector)) this.settleSector(sector)
    }
    this.settleSize(this.size)
  }

  truncate(size: number): void {
    this.reserve(size)
    const cutFrom = Math.min(size, this.size)
    this.own().fill(0, cutFrom)
    for (let sector = first(cutFrom, SECTOR_BYTES); sector * SECTOR_BYTES < this.size; sector++) {
      this.note(sector)
    }
    this.resize(size)
  }

  sync(): void {
    for (const sector of [...this.pending.keys()]) this.settleSector(sector)
    this.settleSize(this.size)
  }

  /** Some of it reaches the disk; the rest looks clean from here on, and no later sync writes it. */
  failSync(choose: Choose): void {
    for (const sector of [...this.pending.keys()]) {
      if (choose(2) === 1) {
        this.settleSector(sector)
      } else {
        this.pending.delete(sector)
        this.lost.add(sector)
      }
    }
    if (this.pendingSizes.length > 0 && choose(2) === 1) this.settleSize(this.size)
    this.pendingSizes.length = 0
  }

  /** The page cache gives up pages that look clean: what the disk has shows again. */
  evict(choose: Choose): void {
    const pages = new Set([...this.lost].map((sector) => first(sector * SECTOR_BYTES, PAGE_BYTES)))
    for (const page of pages) {
      const sectors = sectorsOf(page)
      if (sectors.some((sector) => this.pending.has(sector)) || choose(2) === 0) continue
      for (const sector of sectors) {
        this.lost.delete(sector)
        this.own().set(this.durableSector(sector), sector * SECTOR_BYTES)
      }
    }
  }

  /** The power is gone. Afterwards programs see what is on the disk. */
  losePower(choose: Choose): void {
    for (const [sector, versions] of this.pending) {
      const chosen = choose(versions.length + 1)
      if (chosen > 0) this.store(sector, versions[chosen - 1]!)
    }
    const sizes = [this.durableSize, ...this.pendingSizes]
    if (sizes.length > 1) this.settleSize(sizes[choose(sizes.length)]!)
    this.pending.clear()
    this.lost.clear()
    this.size = this.durableSize
    this.bytes = this.durableBytes
    this.sharesBytes = true
    this.sharesDurable = true
  }

  /** Independent of this one. */
  clone(): SimulatedInode {
    const clone = new SimulatedInode(this.ordinal)
    clone.size = this.size
    clone.bytes = this.bytes
    clone.durableSize = this.durableSize
    clone.durableBytes = this.durableBytes
    for (const inode of [this, clone]) {
      inode.sharesBytes = true
      inode.sharesDurable = true
    }
    // Versions are never changed, so they are shared.
    for (const [sector, versions] of this.pending) clone.pending.set(sector, [...versions])
    clone.pendingSizes.push(...this.pendingSizes)
    for (const sector of this.lost) clone.lost.add(sector)
    for (const page of this.allocated) clone.allocated.add(page)
    return clone
  }

  /** What a sector holds now may reach the disk from here on. */
  private note(sector: number): void {
    const at = sector * SECTOR_BYTES
    const now = this.bytes.subarray(at, at + SECTOR_BYTES)
    const versions = this.pending.get(sector)
    if (versions !== undefined) {
      versions.push(now.slice())
    } else if (Buffer.compare(now, this.durableSector(sector)) !== 0) {
      this.pending.set(sector, [now.slice()])
    }
    this.lost.delete(sector)
  }

  private settleSector(sector: number): void {
    this.store(sector, this.pending.get(sector)!.at(-1)!)
    this.pending.delete(sector)
  }

  private store(sector: number, bytes: Uint8Array): void {
    this.reserve(sector * SECTOR_BYTES + SECTOR_BYTES)
    this.ownDurable().set(bytes, sector * SECTOR_BYTES)
  }

  private settleSize(size: number): void {
    this.durableSize = size
    this.pendingSizes.length = 0
    // What lies behind the end is not kept.
    if (isNonZero(this.durableBytes, size)) this.ownDurable().fill(0, size)
  }

  private resize(size: number): void {
    if (size !== this.size) this.pendingSizes.push(size)
    this.size = size
  }

  private durableSector(sector: number): Uint8Array {
    const at = sector * SECTOR_BYTES
    return this.durableBytes.subarray(at, at + SECTOR_BYTES)
  }

  /** The live bytes, to be written to. */
  private own(): Uint8Array {
    if (this.sharesBytes) this.bytes = this.bytes.slice()
    this.sharesBytes = false
    return this.bytes
  }

  /** The durable ones, likewise. */
  private ownDurable(): Uint8Array {
    if (this.sharesDurable) this.durableBytes = this.durableBytes.slice()
    this.sharesDurable = false
    return this.durableBytes
  }

  /** Both have room for whole pages; behind the sizes they are zero. */
  private reserve(size: number): void {
    const rounded = Math.ceil(size / PAGE_BYTES) * PAGE_BYTES
    if (rounded <= this.bytes.byteLength) return
    this.bytes = grown(this.bytes, rounded)
    this.durableBytes = grown(this.durableBytes, rounded)
    this.sharesBytes = false
    this.sharesDurable = false
  }
}

function first(position: number, unitBytes: number): number {
  return Math.floor(position / unitBytes)
}

function sectorsOf(page: number): number[] {
  const perPage = PAGE_BYTES / SECTOR_BYTES
  return Array.from({ length: perPage }, (_, index) => page * perPage + index)
}

function isNonZero(bytes: Uint8Array, from: number): boolean {
  return bytes.subarray(from).some((byte) => byte !== 0)
}

function grown(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size)
  larger.set(bytes)
  return larger
}
