/**
 * A PostgreSQL server of our own, for one run: its files lie where the others' do, its settings are
 * known, and it can be stopped and started again. A server that runs already has none of that, so it
 * is not used.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { PeerUnavailable } from './peer.js'

const PORT = 5432
const DEBIAN = '/usr/lib/postgresql'
/** `fsync`, `synchronous_commit` and `full_page_writes` stay on, as they are by default. */
const SETTINGS = [
  'shared_buffers=512MB',
  'max_wal_size=4GB',
  'autovacuum=off',
  'max_connections=64',
]

export interface PostgresServer {
  readonly host: string
  readonly port: number
  readonly user: string
  stop(): Promise<void>
}

/** @throws PeerUnavailable */
export async function startPostgres(directory: string): Promise<PostgresServer> {
  const user = runner()
  const binaries = binariesFolder()
  if (!existsSync(directory)) createCluster(binaries, directory, user)
  // The path of a socket has at most 107 bytes.
  const host = mkdtempSync(join(tmpdir(), 'tw-pg-'))
  if (user.uid !== undefined) chownSync(host, user.uid, user.gid)
  const settings = [...SETTINGS, `unix_socket_directories=${host}`, 'listen_addresses=']
  const child = spawn(
    join(binaries, 'postgres'),
    ['-D', directory, '-p', String(PORT), ...settings.flatMap((setting) => ['-c', setting])],
    { ...user, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const killAtExit = () => child.kill('SIGQUIT')
  process.once('exit', killAtExit)
  await ready(child)
  return {
    host,
    port: PORT,
    user: 'bench',
    async stop() {
      const exited = once(child, 'exit')
      // A fast shutdown: connections are ended, a checkpoint is written.
      child.kill('SIGINT')
      await exited
      process.removeListener('exit', killAtExit)
      rmSync(host, { recursive: true, force: true })
    },
  }
}

/** @throws PeerUnavailable */
export function postgresVersion(): string {
  const output = execFileSync(join(binariesFolder(), 'postgres'), ['--version'])
  return output.toString().trim()
}

function binariesFolder(): string {
  const installed = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(DEBIAN, version, 'bin'))
    : []
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...installed]
  const found = folders.find((folder) =>
    ['postgres', 'initdb'].every((name) => existsSync(join(folder, name))),
  )
  if (found === undefined) throw new PeerUnavailable('there is no postgres and initdb in the path')
  return found
}

/** Empty: as who we are. */
type Runner = { readonly uid?: never } | { readonly uid: number; readonly gid: number }

/** PostgreSQL refuses to run as root; then the system's account for it is used. */
function runner(): Runner {
  if (process.getuid?.() !== 0) return {}
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    throw new PeerUnavailable('as root, PostgreSQL needs a user named postgres, and there is none')
  }
}

function createCluster(binaries: string, directory: string, user: Runner): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid)
  const options = ['-D', directory, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C']
  try {
    execFileSync(join(binaries, 'initdb'), options, { ...user, stdio: 'pipe' })
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer }
    throw new PeerUnavailable(`initdb failed: ${stderr?.toString().trim() ?? error}`)
  }
}

/** The server says on stderr when it takes connections. */
async function ready(child: ChildProcess): Promise<void> {
  let output = ''
  for await (const chunk of child.stderr ?? []) {
    output += chunk
    if (output.includes('ready to accept connections')) {
      // Nobody reads on; a full pipe would stop the server.
      child.stderr?.resume()
      return
    }
  }
  throw new PeerUnavailable(`PostgreSQL did not start: ${output.trim()}`)
}
