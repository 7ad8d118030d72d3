import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { connectHost, type ConnectOptions } from '../../src/main/core/ssh/connect.ts'
import { putDamagedAside } from '../../src/main/core/ssh/damaged-keys.ts'
import type { ConnectQuestions, HostAddress, HostConnection } from '../../src/main/core/ssh/host-connection.ts'
import { forgetHostKeys, writeHostKey } from '../../src/main/core/ssh/known-hosts.ts'
import { connectQuestions } from '../../src/main/doors/cli/connect-questions.ts'
import { nobody } from '../../src/main/doors/cli/terminal.ts'
import type { Failure } from '../../src/shared/failure.ts'
import { freePort, fingerprint, makeKey, startSshd, type SshdOptions, type TestSshd } from './sshd.ts'
import { eventually, PATIENCE_MS } from '../patience.ts'

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function sshdWith(options: SshdOptions = {}): Promise<TestSshd> {
  const sshd = await startSshd(options)
  cleanups.push(() => sshd.stop())
  return sshd
}

const trusting: ConnectQuestions = {
  unknownHostKey: () => Promise.resolve(true),
  passphrase: () => Promise.resolve(undefined)
}

interface Login extends Partial<Omit<ConnectOptions, 'questions'>> {
  readonly questions?: Partial<ConnectQuestions>
  readonly address?: Partial<HostAddress>
}

async function login(sshd: TestSshd, { address, questions, ...options }: Login = {}): Promise<HostConnection> {
  const host = await connectHost(
    { ...sshd.address, ...address },
    { settingsDir: sshd.settings, homeDir: sshd.home, ...options, questions: { ...trusting, ...questions } }
  )
  cleanups.push(() => host.close())
  return host
}

const failure = (expected: Partial<Failure>): unknown =>
  expect.objectContaining({ failure: expect.objectContaining(expected as object) as unknown })

const containing = (text: string): string => expect.stringContaining(text) as string

const refuse = vi.fn(() => Promise.resolve(false))
const knownHostsLine = (sshd: TestSshd, key: string): string => `[127.0.0.1]:${sshd.port} ${key}\n`

const remove = (dir: string): Promise<void> => {
  rmSync(dir, { recursive: true })
  return Promise.resolve()
}

/** A key of the right form that no host has. */
function strangeKey(): string {
  const dir = mkdtempSync(join(tmpdir(), 'stillpoint-key-'))
  try {
    return readFileSync(`${makeKey(join(dir, 'k'))}.pub`, 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ')
  } finally {
    rmSync(dir, { recursive: true })
  }
}

describe('the key of a host', () => {
  it('that nobody has vouched for is asked about once, with the fingerprint that ssh-keygen prints', async () => {
    const sshd = await sshdWith()
    const unknownHostKey = vi.fn(() => Promise.resolve(true))
    await login(sshd, { questions: { unknownHostKey } })
    await login(sshd, { questions: { unknownHostKey } })
    const asked = { address: `127.0.0.1:${sshd.port}`, keyType: 'ssh-ed25519', fingerprint: sshd.fingerprint() }
    expect(unknownHostKey.mock.calls).toEqual([[asked]])
    expect(readFileSync(join(sshd.settings, 'known_hosts'), 'utf8')).toBe(knownHostsLine(sshd, sshd.hostKey()))
    expect(statSync(join(sshd.settings, 'known_hosts')).mode & 0o777).toBe(0o600)
    expect(existsSync(join(sshd.home, '.ssh/known_hosts'))).toBe(false)
  })

  it('that is refused ends it before anything about us was sent', async () => {
    const sshd = await sshdWith({ config: ['LogLevel DEBUG1'] })
    await expect(login(sshd, { questions: { unknownHostKey: refuse } })).rejects.toEqual(
      failure({ kind: 'host-key-unknown', host: 'lab', fingerprint: sshd.fingerprint() })
    )
    await eventually(() => expect(sshd.log()).toContain('[preauth]'))
    expect(sshd.log()).not.toMatch(/userauth|for user|authenticating user/)
    expect(existsSync(join(sshd.settings, 'known_hosts'))).toBe(false)
  })

  it.each<[string, Partial<Failure>, () => Promise<boolean>]>([
    ['that cannot be written down', { kind: 'io', code: 'EEXIST' }, () => Promise.resolve(true)],
    ['that nobody can be asked about', { kind: 'bug' }, () => Promise.reject(new Error('no window'))]
  ])('%s is told as that, not as a host that does not answer', async (_, wanted, unknownHostKey) => {
    const sshd = await sshdWith()
    rmSync(sshd.settings, { recursive: true, force: true })
    writeFileSync(sshd.settings, 'a file in the place of the folder')
    await expect(login(sshd, { questions: { unknownHostKey } })).rejects.toEqual(failure(wanted))
  })

  it('that has changed is refused without a question, naming file and line', async () => {
    const sshd = await sshdWith()
    const file = join(sshd.home, '.ssh/known_hosts')
    writeFileSync(file, `# mine\n${knownHostsLine(sshd, strangeKey())}`)
    await expect(login(sshd)).rejects.toEqual(
      failure({ kind: 'host-key-changed', knownIn: `${file}:2`, fingerprint: sshd.fingerprint() })
    )
  })

  it('that has changed may be forgotten where it is ours, and is then asked about', async () => {
    const sshd = await sshdWith()
    await writeHostKey(sshd.settings, '127.0.0.1', sshd.port, Buffer.from(strangeKey().split(' ')[1] ?? '', 'base64'))
    await expect(login(sshd)).rejects.toEqual(failure({ kind: 'host-key-changed' }))
    expect(await forgetHostKeys(sshd.settings, '127.0.0.1', sshd.port)).toBe(1)
    expect((await login(sshd)).state).toBe('connected')
  })

  it('that is revoked is refused', async () => {
    const sshd = await sshdWith()
    const file = join(sshd.home, '.ssh/known_hosts')
    writeFileSync(file, `${knownHostsLine(sshd, sshd.hostKey())}@revoked * ${sshd.hostKey()}\n`)
    await expect(login(sshd)).rejects.toEqual(failure({ kind: 'host-key-revoked', knownIn: `${file}:2` }))
  })

  it('is known whichever of its keys is written down, also hashed', async () => {
    const types = ['rsa', 'ecdsa', 'ed25519'] as const
    const sshd = await sshdWith({ hostKeys: types })
    const file = join(sshd.home, '.ssh/known_hosts')
    for (const type of types) {
      writeFileSync(file, knownHostsLine(sshd, sshd.hostKey(type)))
      execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' })
      expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/)
      expect((await login(sshd, { questions: { unknownHostKey: refuse } })).state).toBe('connected')
    }
  })

  it('of a type left out to look unknown is a change', async () => {
    const sshd = await sshdWith({ hostKeys: ['ecdsa'] })
    writeFileSync(join(sshd.home, '.ssh/known_hosts'), knownHostsLine(sshd, strangeKey()))
    await expect(login(sshd)).rejects.toEqual(failure({ kind: 'host-key-changed', keyType: 'ecdsa-sha2-nistp256' }))
  })

  it('with the expected fingerprint is taken without a question, any other is not', async () => {
    const sshd = await sshdWith()
    const questions = { unknownHostKey: refuse }
    await expect(login(sshd, { questions, expectedFingerprint: 'SHA256:AAAA' })).rejects.toEqual(
      failure({ kind: 'host-key-changed', knownIn: containing('SHA256:AAAA') })
    )
    expect((await login(sshd, { questions, expectedFingerprint: sshd.fingerprint() })).state).toBe('connected')
    expect((await login(sshd, { questions })).state).toBe('connected')
  })

  it('that a line held which cannot be read is not taken as it is, also once that line was put aside', async () => {
    const sshd = await sshdWith()
    const file = join(sshd.settings, 'known_hosts')
    mkdirSync(sshd.settings, { recursive: true })
    writeFileSync(file, knownHostsLine(sshd, strangeKey()).slice(0, -20))
    const questions = connectQuestions(true, nobody)
    const refused = (damagedIn: string): unknown => failure({ kind: 'host-key-unknown', damagedIn })
    await expect(login(sshd, { questions })).rejects.toEqual(refused(file))
    expect(putDamagedAside(sshd.settings)).toHaveLength(1)
    await expect(login(sshd, { questions })).rejects.toEqual(refused(`${file}.damaged`))
    expect((await login(sshd, { questions, expectedFingerprint: sshd.fingerprint() })).state).toBe('connected')
    expect((await login(sshd, { questions: { unknownHostKey: refuse } })).state).toBe('connected')
  })

  it('may take longer to compare than the host waits', async () => {
    const sshd = await sshdWith()
    const unknownHostKey = async (): Promise<boolean> => {
      sshd.dropConnections() // as at the end of its LoginGraceTime
      await sleep(100)
      return true
    }
    expect((await login(sshd, { questions: { unknownHostKey } })).state).toBe('connected')
  })
})

describe('logging in', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startSshd()
    await (
      await connectHost(sshd.address, { settingsDir: sshd.settings, homeDir: sshd.home, questions: trusting })
    ).close()
  })
  afterAll(() => sshd.stop())

  /** A home without the identity that opens. */
  function homeWithout(): string {
    const home = mkdtempSync(join(sshd.home, 'other-'))
    mkdirSync(join(home, '.ssh'), { mode: 0o700 })
    return home
  }

  function locked(home: string, passphrase: string, name = 'id_ed25519'): string {
    const file = join(home, '.ssh', name)
    writeFileSync(file, readFileSync(sshd.identity), { mode: 0o600 })
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', file], { stdio: 'ignore' })
    return file
  }

  it('with a key that the host does not know fails, saying what was tried', async () => {
    const homeDir = homeWithout()
    const file = makeKey(join(homeDir, '.ssh/id_rsa'), 'rsa')
    const user = sshd.address.user ?? ''
    await expect(login(sshd, { homeDir })).rejects.toEqual(failure({ kind: 'auth-failed', user, tried: [file] }))
  })

  it('without any key fails', async () => {
    await expect(login(sshd, { homeDir: homeWithout() })).rejects.toEqual(failure({ kind: 'auth-failed', tried: [] }))
  })

  it('asks for the passphrase until it is right, and not again when the connection comes back', async () => {
    const homeDir = homeWithout()
    const file = locked(homeDir, 'right')
    const answers = ['wrong', 'right']
    const passphrase = vi.fn(() => Promise.resolve(answers.shift()))
    const host = await login(sshd, { homeDir, questions: { passphrase } })
    sshd.dropConnections()
    await eventually(() => expect(host.state).toBe('reconnecting'))
    await host.shell.run(['true'])
    expect(passphrase.mock.calls).toEqual([[file], [file]])
  })

  it('gives an identity up after three wrong passphrases', async () => {
    const homeDir = homeWithout()
    const file = locked(homeDir, 'right')
    const passphrase = vi.fn(() => Promise.resolve('wrong'))
    await expect(login(sshd, { homeDir, questions: { passphrase } })).rejects.toEqual(
      failure({ kind: 'identity-unusable', file, reason: containing('three times') })
    )
    expect(passphrase).toHaveBeenCalledTimes(3)
  })

  it('passes over an identity whose passphrase is not to be had', async () => {
    const homeDir = homeWithout()
    const file = locked(homeDir, 'right')
    await expect(login(sshd, { homeDir })).rejects.toEqual(
      failure({ kind: 'auth-failed', tried: [`${file} (it is encrypted, and no passphrase was given)`] })
    )
  })

  it('does not ask for the passphrase of a key that the host does not take', async () => {
    const homeDir = homeWithout()
    makeKey(join(homeDir, '.ssh/id_ed25519'), 'ed25519', 'secret')
    const passphrase = vi.fn(() => Promise.resolve('secret'))
    await expect(login(sshd, { homeDir, questions: { passphrase } })).rejects.toEqual(failure({ kind: 'auth-failed' }))
    expect(passphrase).not.toHaveBeenCalled()
  })

  it('uses the identity file given for the host', async () => {
    const identityFile = locked(homeWithout(), 'right', 'elsewhere')
    const passphrase = (): Promise<string> => Promise.resolve('right')
    expect(
      (await login(sshd, { homeDir: homeWithout(), address: { identityFile }, questions: { passphrase } })).state
    ).toBe('connected')
  })

  it.each([
    ['is a PuTTY key', 'PuTTY-User-Key-File-3: ssh-ed25519\n', 0o600, 'puttygen'],
    [
      'has DOS line ends',
      '-----BEGIN OPENSSH PRIVATE KEY-----\r\nAAAA\r\n-----END OPENSSH PRIVATE KEY-----\r\n',
      0o600,
      'DOS line ends'
    ],
    ['others can read', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n', 0o644, 'chmod 600'],
    ['is no key at all', 'hello\n', 0o600, 'not a private key'],
    [
      'is cut short',
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
      0o600,
      'not a private key'
    ]
  ])('refuses an identity file that %s', async (_, content, mode, reason) => {
    const identityFile = join(homeWithout(), 'key')
    writeFileSync(identityFile, content)
    chmodSync(identityFile, mode)
    await expect(login(sshd, { address: { identityFile } })).rejects.toEqual(
      failure({ kind: 'identity-unusable', file: identityFile, reason: containing(reason) })
    )
  })

  it('refuses an identity file that is not there', async () => {
    await expect(login(sshd, { address: { identityFile: '~/nowhere' } })).rejects.toEqual(
      failure({ kind: 'identity-unusable', file: join(sshd.home, 'nowhere'), reason: 'there is no such file' })
    )
  })

  it('tells of a default identity that could not be used, among what was tried', async () => {
    const homeDir = homeWithout()
    writeFileSync(join(homeDir, '.ssh/id_ed25519'), 'PuTTY-User-Key-File-3: ssh-ed25519\n', { mode: 0o600 })
    await expect(login(sshd, { homeDir })).rejects.toEqual(
      failure({ kind: 'auth-failed', tried: [containing('PuTTY')] })
    )
  })

  it.each(['-oProxyCommand=touch /tmp/x', '', 'a b', 'user@host', 'a/b', '$(id)', 'x\n'])(
    'refuses the address %j',
    async (address) => {
      await expect(login(sshd, { address: { address } })).rejects.toEqual(failure({ kind: 'usage' }))
    }
  )

  it.each([0, 65_536, -1, 1.5, Number.NaN])('refuses the port %d', async (port) => {
    await expect(login(sshd, { address: { port } })).rejects.toEqual(failure({ kind: 'usage' }))
  })

  describe('with an agent', () => {
    let agent: ChildProcess
    let socket: string
    beforeAll(async () => {
      socket = join(sshd.home, 'agent.sock')
      agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
      await eventually(() => expect(existsSync(socket)).toBe(true))
      vi.stubEnv('SSH_AUTH_SOCK', socket)
    })
    afterAll(() => {
      vi.unstubAllEnvs()
      agent.kill()
    })

    function hold(file: string): void {
      execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' })
    }

    it('names the keys of the agent that were tried', async () => {
      const file = makeKey(join(homeWithout(), 'stranger'))
      hold(file)
      await expect(login(sshd, { homeDir: homeWithout() })).rejects.toEqual(
        failure({ kind: 'auth-failed', tried: [containing(fingerprint(file))] })
      )
    })

    it('keeps the agent out where IdentitiesOnly says so', async () => {
      const homeDir = homeWithout()
      writeFileSync(join(homeDir, '.ssh/config'), 'IdentitiesOnly yes\n')
      await expect(login(sshd, { homeDir })).rejects.toEqual(failure({ kind: 'auth-failed', tried: [] }))
    })

    it('needs no passphrase for a key that the agent holds', async () => {
      hold(sshd.identity)
      const homeDir = homeWithout()
      locked(homeDir, 'right')
      writeFileSync(join(homeDir, '.ssh/config'), 'IdentitiesOnly yes\n')
      const passphrase = vi.fn(() => Promise.resolve(undefined))
      expect((await login(sshd, { homeDir, questions: { passphrase } })).state).toBe('connected')
      expect(passphrase).not.toHaveBeenCalled()
    })
  })
})

describe('a host that cannot be reached', () => {
  const address: HostAddress = { name: 'dark', address: '127.0.0.1', user: 'root', port: 1, identityFile: undefined }

  async function connectTo(
    port: number,
    more: Partial<HostAddress> = {},
    connectTimeoutMs = PATIENCE_MS
  ): Promise<HostConnection> {
    const dir = mkdtempSync(join(tmpdir(), 'stillpoint-dark-'))
    cleanups.push(() => remove(dir))
    const options = { settingsDir: dir, homeDir: dir, questions: trusting, connectTimeoutMs }
    return connectHost({ ...address, port, ...more }, options)
  }

  async function serverThat(greets: (socket: Socket) => void): Promise<number> {
    const sockets: Socket[] = []
    const server: Server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined))
      greets(socket)
    })
    const port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    cleanups.push(async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    })
    return port
  }

  function flood(socket: Socket): void {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    let left = 1024
    const more = (): void => {
      while (left-- > 0 && socket.write(chunk));
    }
    socket.on('drain', more)
    more()
  }

  it.each([
    [
      'answers garbage',
      (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(2000)),
      'no SSH server'
    ],
    ['answers a gigabyte without a newline', flood, 'no SSH server'],
    ['answers NULs', (socket: Socket) => socket.write(Buffer.alloc(100_000)), 'no SSH server'],
    [
      'says SSH and then garbage',
      (socket: Socket) => socket.write(`SSH-2.0-x\r\n${'garbage'.repeat(10_000)}`),
      'no SSH connection'
    ],
    ['speaks SSH 1', (socket: Socket) => socket.write('SSH-1.5-old\r\n'), ''],
    ['hangs up at once', (socket: Socket) => socket.end(), 'without a word of SSH']
  ])('because it %s is named', async (_, greets, reason) => {
    const before = process.memoryUsage().rss
    const port = await serverThat(greets)
    await expect(connectTo(port)).rejects.toEqual(
      failure({ kind: 'host-unreachable', host: 'dark', reason: containing(reason) })
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  })

  it.each([
    ['takes the connection', () => undefined],
    ['says SSH', (socket: Socket) => socket.write('SSH-2.0-x\r\n')]
  ])('because it %s and hangs is named', async (_, greets) => {
    const reason = containing('did not speak SSH within 1.5 s')
    await expect(connectTo(await serverThat(greets), {}, 1500)).rejects.toEqual(
      failure({ kind: 'host-unreachable', host: 'dark', reason })
    )
  })

  it('because nothing listens is named', async () => {
    const reason = containing('nothing listens there')
    await expect(connectTo(await freePort())).rejects.toEqual(failure({ kind: 'host-unreachable', reason }))
  })

  it('because its name is not known is named', async () => {
    const reason = containing('DNS')
    await expect(connectTo(22, { address: 'stillpoint.invalid' })).rejects.toEqual(
      failure({ kind: 'host-unreachable', reason })
    )
  })
})

describe('the login shell', () => {
  const noise = 'echo Welcome; printf "\\033[31mno newline"; echo warning: locale >&2; head -c 20000 /dev/zero; '

  /** Whatever the account's shell is, this one runs the command, after `before`. */
  async function shellOf(shell: string, before = ''): Promise<TestSshd> {
    const dir = mkdtempSync(join(tmpdir(), 'stillpoint-shell-'))
    cleanups.push(() => remove(dir))
    chmodSync(dir, 0o755)
    const script = join(dir, 'login')
    writeFileSync(script, `#!/bin/sh\nPATH=${dir}:$PATH\n${before}\nexec ${shell} -c "$SSH_ORIGINAL_COMMAND"\n`, {
      mode: 0o755
    })
    return sshdWith({ config: [`ForceCommand ${script}`] })
  }

  const installed = (shell: string): boolean => existsSync(`/bin/${shell}`) || existsSync(`/usr/bin/${shell}`)
  const words = ["it's", '$HOME `id` !x', '"', 'a\nb', '\\n', '*', 'ü']

  it.each(['sh', 'bash', 'dash', 'zsh', 'ksh', 'fish', 'tcsh', 'csh'].filter(installed))(
    'may be %s, and noisy',
    async (shell) => {
      const host = await login(await shellOf(shell, noise))
      expect(await host.shell.run(['printf', '%s|', ...words])).toEqual({
        exitCode: 0,
        signal: undefined,
        stdout: words.map((word) => `${word}|`).join(''),
        stderr: ''
      })
      expect(await host.shell.run(['sh', '-c', 'echo err >&2; kill -TERM $$'])).toMatchObject({
        signal: 'SIGTERM',
        stderr: 'err\n'
      })
      expect((await host.shell.run(['cat'], { stdin: 'x'.repeat(100_000) })).stdout).toHaveLength(100_000)
    }
  )

  it('may have a noisy .bashrc', async () => {
    const sshd = await sshdWith()
    writeFileSync(join(sshd.home, '.bashrc'), `${noise}\nset -x\nalias exec=false printf=false\n`)
    expect(await (await login(sshd)).shell.run(['echo', 'clean'])).toMatchObject({ stdout: 'clean\n', stderr: '' })
  })

  it.each([
    ['restricted', 'rbash', '', 'rbash'],
    ['no shell', '/usr/sbin/nologin', '', 'nologin'],
    ['not there', '/bin/none', '', 'exit code 127'],
    ['silent', '/bin/true', '', 'printed nothing'],
    ['endless', 'sh', 'yes', 'without end'],
    ['not allowed to execute', 'sh', 'echo "sh: 1: /bin/sh: Permission denied" >&2; exit 126', 'noexec']
  ])('that is %s is named', async (_, shell, before, reason) => {
    const host = await login(await shellOf(shell, before))
    await expect(host.shell.run(['true'])).rejects.toEqual(
      failure({ kind: 'login-shell', host: 'lab', reason: containing(reason) })
    )
  })

  it('that never ends meets the deadline', async () => {
    const host = await login(await shellOf('sh', 'exec sleep 30'))
    await expect(host.shell.run(['true'], { timeoutMs: 500 })).rejects.toEqual(failure({ kind: 'timeout' }))
  })

  it('of somebody who is not root nor may become it leads to the line for sudoers', async () => {
    const host = await login(await shellOf('setpriv --reuid=65534 --regid=65534 --clear-groups sh'))
    const sudoersLine = `${host.address.user ?? ''} ALL=(root) NOPASSWD: ALL`
    await expect(host.shell.run(['true'])).rejects.toEqual(failure({ kind: 'no-root', host: 'lab', sudoersLine }))
  })

  /** Programs of an account that is not root, and of what may make it root. */
  const notRoot = (programs: Readonly<Record<string, string>>): string =>
    [
      'cd "$(dirname "$0")"',
      ...Object.entries({ id: 'echo "${AS:-1000}"', ...programs }).map(
        ([name, script]) => `printf '#!/bin/sh\\n${script}\\n' > ${name}; chmod 755 ${name}`
      )
    ].join('\n')
  const becomesRoot = '[ "$1 $2" = "-n --" ] && shift 2 && AS=0 exec "$@"'

  it('of somebody who is not root leads through doas, where sudo is not there or refuses', async () => {
    const host = await login(
      await shellOf('sh', notRoot({ sudo: 'echo sudo: a password is required >&2; exit 1', doas: becomesRoot }))
    )
    expect(await host.shell.run(['printenv', 'AS'])).toMatchObject({ exitCode: 0, stdout: '0\n' })
  })

  it('of somebody whose sudo wants a terminal says so', async () => {
    const host = await login(
      await shellOf('sh', notRoot({ sudo: 'echo sudo: sorry, you must have a tty to run sudo >&2; exit 1' }))
    )
    await expect(host.shell.run(['true'])).rejects.toEqual(failure({ kind: 'no-root', wantsTerminal: true }))
  })

  it('of somebody who is not root leads through sudo, lecture and all', async () => {
    const lecture = 'echo We trust you have received the usual lecture >&2'
    const host = await login(await shellOf('sh', notRoot({ sudo: `${lecture}\\n${becomesRoot}` })))
    expect(await host.shell.run(['printenv', 'AS'])).toEqual({
      exitCode: 0,
      signal: undefined,
      stdout: '0\n',
      stderr: ''
    })
  })
})

describe('a connection', () => {
  it('is shared by ten programs at a time', async () => {
    const sshd = await sshdWith({ config: ['LogLevel VERBOSE'] })
    const host = await login(sshd)
    const runs = Array.from({ length: 10 }, (_, index) => host.shell.run(['sh', '-c', `sleep 0.2; echo ${index}`]))
    expect((await Promise.all(runs)).map(({ stdout }) => Number(stdout))).toEqual(runs.map((_, index) => index))
    expect(sshd.log().match(/Accepted publickey/g)).toHaveLength(1)
  })

  it('makes do with fewer sessions, where the host allows no more', async () => {
    const host = await login(await sshdWith({ config: ['MaxSessions 2'] }))
    const runs = Array.from({ length: 6 }, () => host.shell.run(['sh', '-c', 'sleep 0.1; echo done']))
    expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(runs.map(() => 'done\n'))
  })

  it('waits for a host that has not yet cleared away the session before', async () => {
    const host = await login(await sshdWith({ config: ['MaxSessions 1'] }))
    for (let n = 0; n < 20; n++) expect((await host.shell.run(['echo', String(n)])).stdout).toBe(`${n}\n`)
  })

  it('comes back by itself after a loss, and at once when it is needed', async () => {
    const sshd = await sshdWith()
    const host = await login(sshd)
    sshd.dropConnections()
    await eventually(() => expect(host.state).toBe('reconnecting'))
    await eventually(() => expect(host.state).toBe('connected'))
    sshd.dropConnections()
    await eventually(() => expect(host.state).toBe('reconnecting'))
    expect((await host.shell.run(['echo', 'back'])).stdout).toBe('back\n')
    expect(host.state).toBe('connected')
  })

  it('that cannot come back says why', async () => {
    const sshd = await startSshd()
    const host = await login(sshd)
    await sshd.stop()
    await eventually(() => expect(host.state).toBe('reconnecting'))
    await expect(host.shell.run(['true'])).rejects.toEqual(failure({ kind: 'host-unreachable', host: 'lab' }))
  })

  it('that was closed stays closed', async () => {
    const host = await login(await sshdWith())
    await host.close()
    expect(host.state).toBe('closed')
    await expect(host.shell.run(['true'])).rejects.toEqual(failure({ kind: 'connection-lost' }))
  })

  it('leads through a jump host that has a key of its own to verify', async () => {
    const [jump, target] = [await sshdWith(), await sshdWith()]
    appendFileSync(
      join(target.home, '.ssh/config'),
      `Host inner\n  HostName 127.0.0.1\n  Port ${target.port}\n  ProxyJump hop\nHost hop\n  HostName localhost\n  Port ${jump.port}\n  IdentityFile ${jump.identity}\n`
    )
    const unknownHostKey = vi.fn(() => Promise.resolve(true))
    const host = await login(target, { address: { address: 'inner', port: undefined }, questions: { unknownHostKey } })
    expect(unknownHostKey.mock.calls).toEqual([
      [{ address: `localhost:${jump.port}`, keyType: 'ssh-ed25519', fingerprint: jump.fingerprint() }],
      [{ address: `127.0.0.1:${target.port}`, keyType: 'ssh-ed25519', fingerprint: target.fingerprint() }]
    ])
    expect((await host.shell.run(['printenv', 'HOME'])).stdout).toBe(`${target.home}\n`)
    jump.dropConnections()
    await eventually(() => expect(host.state).toBe('reconnecting'))
    expect((await host.shell.run(['echo', 'back'])).stdout).toBe('back\n')
  })

  it('names the jump host where that is what fails', async () => {
    const [jump, target] = [await sshdWith({ config: ['AllowTcpForwarding no'] }), await sshdWith()]
    const hop = `localhost:${jump.port}`
    appendFileSync(
      join(target.home, '.ssh/config'),
      `Host 127.0.0.1\n  ProxyJump ${hop}\nHost localhost\n  IdentityFile ${jump.identity}\n`
    )
    await expect(login(target)).rejects.toEqual(
      failure({ kind: 'host-unreachable', host: 'lab', reason: containing(`through ${hop}`) })
    )
  })

  it.each([
    ['ProxyJump 127.0.0.1', 'circle'],
    ['ProxyCommand nc %h %p', 'ProxyCommand']
  ])('with %s in ssh_config is refused', async (line, message) => {
    const sshd = await sshdWith()
    writeFileSync(join(sshd.home, '.ssh/config'), `${line}\n`)
    await expect(login(sshd)).rejects.toEqual(failure({ kind: 'usage', message: containing(message) }))
  })
})
