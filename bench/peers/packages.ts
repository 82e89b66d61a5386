/**
 * The packages of the peers lie in bench/peers/node_modules, apart from the project's own, so that
 * nobody who works on tidewheel has to install them. Installed without install scripts: what needs
 * one, or has no prebuilt binary here, is skipped.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PeerUnavailable } from './peer.js'

// Compiled, this lies in dist/bench/peers.
const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'bench', 'peers')
const requirePeer = createRequire(join(folder, 'package.json'))

/** Returns why it failed, or undefined. */
export function installPackages(): string | undefined {
  const lock = join(folder, 'package-lock.json')
  const installed = join(folder, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  console.log(`installing the peers into ${join(folder, 'node_modules')}`)
  const result = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (result.status === 0) return
  console.error(result.stderr)
  const reason = result.error?.message ?? /^npm error (?!code)(.+)$/m.exec(result.stderr)?.[1]
  return `npm ci failed: ${reason ?? 'it said no more'}`
}

/** @throws PeerUnavailable when it is not installed, or its binary does not load */
export function loadPackage<Exports>(name: string): Exports {
  try {
    return requirePeer(name) as Exports
  } catch (error) {
    throw new PeerUnavailable(`${name} does not load: ${firstLine(error)}`)
  }
}

/** @throws PeerUnavailable */
export function packageVersion(name: string): string {
  return manifestOf(name).version
}

/** Refused before its binary is loaded, which may crash. @throws PeerUnavailable */
export function requireNodeFor(name: string): void {
  const least = /^>=\s*(\d+)/.exec(manifestOf(name).engines?.node ?? '')?.[1]
  if (least === undefined || Number(process.versions.node.split('.')[0]) >= Number(least)) return
  throw new PeerUnavailable(`${name} needs Node ${least}; this is ${process.version}`)
}

interface Manifest {
  readonly version: string
  readonly engines?: { readonly node?: string }
}

function manifestOf(name: string): Manifest {
  const file = join(folder, 'node_modules', name, 'package.json')
  if (!existsSync(file)) throw new PeerUnavailable(`${name} is not installed`)
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
}
