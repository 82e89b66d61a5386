/**
 * Runs a replay on a clock of another day: one right after the live run, or after another replay,
 * would else see the same date, and an `evolve` that asks for it would not show.
 */
const OTHER_DAY_MS = 400 * 24 * 60 * 60 * 1000

/** Runs with the clock put forward, for everything that asks `Date`. */
export function onAnotherDay<T>(run: () => T): T {
  const Real = globalThis.Date
  const now = (): number => Real.now() + OTHER_DAY_MS
  globalThis.Date = new Proxy(Real, {
    get: (target, name, receiver) =>
      name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown),
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new Real(now()).toString(),
  })
  try {
    return run()
  } finally {
    globalThis.Date = Real
  }
}
