/**
 * Runs a replay as if on another day and in another process: one right after the live run, or after
 * another replay, would else see the same date and the same pid, and an `evolve` that asks for them
 * would not show.
 */
const OTHER_DAY_MS = 400 * 24 * 60 * 60 * 1000

/** For everything that asks `Date` or `process.pid`. */
export function elsewhere<T>(run: () => T): T {
  const Real = globalThis.Date
  const { pid } = process
  const now = (): number => Real.now() + OTHER_DAY_MS
  globalThis.Date = new Proxy(Real, {
    get: (target, name, receiver) =>
      name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new Real(now()).toString(),
  })
  pretendPid(pid + 1)
  try {
    return run()
  } finally {
    globalThis.Date = Real
    pretendPid(pid)
  }
}

function pretendPid(value: number): void {
  Object.defineProperty(process, 'pid', { value })
}
