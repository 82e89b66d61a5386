/**
 * Randomness for handlers: xoshiro128**, seeded by the system. Their events carry what came out, so
 * replay never asks for it. Source: Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c
 */
import { randomFillSync } from 'node:crypto'

export function createRandom(seed: Uint32Array = randomFillSync(new Uint32Array(4))): () => number {
  // An all-zero state would stay zero.
  let [a = 1, b = 2, c = 3, d = 4] = seed
  if ((a | b | c | d) === 0) a = 1
  const next = (): number => {
    const r = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotl(d, 11)
    return r
  }
  // 53 bits, as Math.random has.
  return () => (next() * 2 ** 21 + (next() >>> 11)) * 2 ** -53
}

function rotl(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k))
}
