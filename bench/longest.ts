/** The longest of many short steps, in milliseconds: a pause shows, the steps themselves hardly do. */

export function longestMs(steps: number, step: (count: number) => void): number {
  let longest = 0
  let beforeMs = performance.now()
  for (let count = 0; count < steps; count++) {
    step(count)
    const nowMs = performance.now()
    if (nowMs - beforeMs > longest) longest = nowMs - beforeMs
    beforeMs = nowMs
  }
  return longest
}
