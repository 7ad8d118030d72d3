import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostAddress } from '../../src/main/core/ssh/host-connection.ts'
import { PATIENCE_MS } from '../patience.ts'

/**
 * A real sshd of our own: loopback, its own keys, in a temporary folder, gone with `stop`. Who logs in is who we are, but
 * at home in that folder: the start-up files of this machine's account have no say.
 */
export interface TestSshd {
  readonly port: number
  /** Home of the client: `.ssh` with an identity that this sshd lets in. */
  readonly home: string
  /** For our own known_hosts. */
  readonly settings: string
  readonly identity: string
  readonly address: HostAddress
  /** As `ssh-keygen -lf` prints it. */
  fingerprint(type?: HostKeyType): string
  /** The host key as in a `.pub` file: type and base64. */
  hostKey(type?: HostKeyType): string
  /** Ends the sshd processes of the connections that stand; the listener goes on. */
  dropConnections(): void
  /** What it logged so far. */
  log(): string
  stop(): Promise<void>
}

export type HostKeyType = 'ed25519' | 'ecdsa' | 'rsa'

export interface SshdOptions {
  readonly hostKeys?: readonly HostKeyType[]
  /** More lines for sshd_config. */
  readonly config?: readonly string[]
}

export async function startSshd({ hostKeys = ['ed25519'], config = [] }: SshdOptions = {}): Promise<TestSshd> {
  const dir = mkdtempSync(join(tmpdir(), 'stillpoint-sshd-'))
  const home = join(dir, 'home')
  const settings = join(dir, 'settings')
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  mkdirSync(settings)
  mkdirSync('/run/sshd', { recursive: true }) // its privilege separation folder; made by systemd where that runs
  const identity = makeKey(join(home, '.ssh/id_ed25519'))
  for (const type of hostKeys) makeKey(join(dir, `host_${type}`), type)
  chmodSync(dir, 0o755)
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(`${identity}.pub`))
  const port = await freePort()
  writeFileSync(join(dir, 'sshd_config'), configOf(dir, port, hostKeys, [...config, `SetEnv HOME=${home}`]))
  const sshd = spawn('/bin/sh', ['-c', keeper, 'sh', dir], { stdio: ['pipe', 'ignore', 'pipe'] })
  const log: string[] = []
  sshd.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  await untilItServes(port, dir, log)
  return {
    port,
    home,
    settings,
    identity,
    address: { name: 'lab', address: '127.0.0.1', user: userInfo().username, port, identityFile: undefined },
    fingerprint: (type = 'ed25519') => fingerprint(join(dir, `host_${type}`)),
    hostKey: (type = 'ed25519') =>
      readFileSync(join(dir, `host_${type}.pub`), 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' '),
    dropConnections: () => endConnections(dir),
    log: () => log.join(''),
    stop: async () => {
      endConnections(dir)
      await ended(sshd)
    }
  }
}

/** Ends sshd and clears up once its stdin closes: also when a test run is killed. */
const keeper = `
/usr/sbin/sshd -D -e -f "$1/sshd_config" >/dev/null &
read -r _
kill $!
wait
rm -rf "$1"`

const hasNotedPid = (dir: string): boolean =>
  existsSync(join(dir, 'pid')) && readFileSync(join(dir, 'pid'), 'utf8').endsWith('\n')

function endConnections(dir: string): void {
  for (const child of childrenOf(readFileSync(join(dir, 'pid'), 'utf8').trim())) endIfThere(child)
}

/** Makes a key pair and returns its path. */
export function makeKey(file: string, type: HostKeyType = 'ed25519', passphrase = ''): string {
  const size = type === 'rsa' ? ['-b', '2048'] : [] // a larger one takes seconds to find
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test@stillpoint', '-f', file, ...size])
  chmodSync(file, 0o600)
  return file
}

export const fingerprint = (file: string): string =>
  execFileSync('ssh-keygen', ['-lf', `${file}.pub`])
    .toString()
    .split(' ')[1] ?? ''

function configOf(dir: string, port: number, hostKeys: readonly HostKeyType[], more: readonly string[]): string {
  return [
    ...more, // the first value wins
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeys.map((type) => `HostKey ${dir}/host_${type}`),
    `AuthorizedKeysFile ${dir}/authorized_keys`,
    `PidFile ${dir}/pid`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    'StrictModes no', // the folder lies in /tmp
    'UsePAM no',
    ''
  ].join('\n')
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
}

/** It notes its pid, which ends its connections, only after it listens. */
async function untilItServes(port: number, dir: string, log: readonly string[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (performance.now() < deadline) {
    if (hasNotedPid(dir) && (await listens(port))) return
    await sleep(25)
  }
  throw new Error(`sshd does not listen: ${log.join('')}`)
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).once('error', () => resolve(false))
  })
}

function childrenOf(pid: string): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // it has ended
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve()
      return
    }
    child.once('exit', () => resolve())
    child.stdin?.end()
  })
}

/** It may have ended by itself since it was listed. */
function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
