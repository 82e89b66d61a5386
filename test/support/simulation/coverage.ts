/** What a simulation has met, counted under names: a suite that says what it covered. */
export class Coverage {
  private readonly counts = new Map<string, number>()

  add(name: string, count = 1): void {
    this.counts.set(name, this.of(name) + count)
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0
  }

  /** All that was counted, by name. */
  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  merge(other: Coverage): void {
    for (const [name, count] of other.counts) this.add(name, count)
  }

  /** One line a group: what stands before the colon of a name. */
  toString(): string {
    const groups = new Map<string, string[]>()
    for (const name of [...this.counts.keys()].sort()) {
      const [group = '', what = ''] = name.split(': ')
      const line = groups.get(group) ?? []
      line.push(`${what === '' ? '' : `${what} `}${this.of(name)}`)
      groups.set(group, line)
    }
    return [...groups].map(([group, line]) => `  ${group}: ${line.join(', ')}`).join('\n')
  }
}
