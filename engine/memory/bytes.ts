/** Comparing and copying a few dozen bytes: cheaper word by word than through a call of the runtime. */

export function bytesEqual(
  a: DataView,
  offsetA: number,
  b: DataView,
  offsetB: number,
  lengthBytes: number,
): boolean {
  let i = 0
  for (const end = lengthBytes - 3; i < end; i += 4) {
    if (a.getInt32(offsetA + i, true) !== b.getInt32(offsetB + i, true)) return false
  }
  for (; i < lengthBytes; i++) {
    if (a.getUint8(offsetA + i) !== b.getUint8(offsetB + i)) return false
  }
  return true
}

export function copyBytes(
  from: DataView,
  fromOffset: number,
  to: DataView,
  toOffset: number,
  lengthBytes: number,
): void {
  let i = 0
  for (const end = lengthBytes - 3; i < end; i += 4) {
    to.setInt32(toOffset + i, from.getInt32(fromOffset + i, true), true)
  }
  for (; i < lengthBytes; i++) to.setUint8(toOffset + i, from.getUint8(fromOffset + i))
}
