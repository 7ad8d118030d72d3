import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { listAgentKeys, typeOfBlob } from '../../src/main/core/ssh/agent-keys.ts'
import { connectHost } from '../../src/main/core/ssh/connect.ts'
import type { HostConnection } from '../../src/main/core/ssh/host-connection.ts'
import { StillpointError, type Failure } from '../../src/shared/failure.ts'
import { eventually } from '../patience.ts'
import { makeKey, startSshd, type TestSshd } from './sshd.ts'

let sshd: TestSshd
beforeAll(async () => {
  const dir = mkdtempSync('/tmp/stillpoint-ca-')
  makeKey(join(dir, 'ca'))
  sshd = await startSshd({ config: [`TrustedUserCAKeys ${dir}/ca.pub`] })
  renameSync(join(dir, 'ca'), join(sshd.home, 'ca'))
  renameSync(join(dir, 'ca.pub'), join(sshd.home, 'ca.pub'))
  writeFileSync(join(dir, 'ca.pub'), readFileSync(join(sshd.home, 'ca.pub')))
  cleanUp.push(() => execFileSync('rm', ['-rf', dir]))
})
const cleanUp: (() => unknown)[] = []
afterAll(async () => {
  for (const clean of cleanUp.reverse()) clean()
  await sshd.stop()
})
afterEach(() => vi.unstubAllEnvs())

/** A home of its own, with this ~/.ssh/config. */
function homeWith(config = ''): string {
  const home = mkdtempSync(join(sshd.home, 'h-'))
  mkdirSync(join(home, '.ssh'), { mode: 0o700 })
  writeFileSync(join(home, '.ssh/config'), config)
  return home
}

async function login(homeDir: string, connectTimeoutMs?: number): Promise<HostConnection> {
  const questions = { unknownHostKey: () => Promise.resolve(true), passphrase: () => Promise.resolve(undefined) }
  const options = { settingsDir: sshd.settings, homeDir, questions, ...(connectTimeoutMs && { connectTimeoutMs }) }
  const host = await connectHost(sshd.address, options)
  cleanUp.push(() => host.close())
  return host
}

async function failureOfLogin(homeDir: string): Promise<Failure> {
  const error = await login(homeDir).then(
    () => undefined,
    (reason: unknown) => reason
  )
  if (!(error instanceof StillpointError)) throw new Error('the login did not fail')
  return error.failure
}

async function agentAt(socket: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore', env: { ...process.env, ...env } })
  cleanUp.push(() => agent.kill())
  await eventually(() => expect(existsSync(socket)).toBe(true))
}

const add = (socket: string, ...args: string[]): Buffer =>
  execFileSync('ssh-add', ['-q', ...args], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'pipe' })

describe('the agent that ~/.ssh/config names', () => {
  let socket: string
  beforeAll(async () => {
    socket = join(sshd.home, 'other agent.sock')
    await agentAt(socket)
    add(socket, sshd.identity)
  })

  it('lets in where the session has none', async () => {
    vi.stubEnv('SSH_AUTH_SOCK', undefined)
    expect((await failureOfLogin(homeWith())).kind).toBe('auth-failed')
    expect((await login(homeWith(`IdentityAgent "${socket}"\n`))).state).toBe('connected')
  })

  it('has the keys of which only the public half is here', async () => {
    vi.stubEnv('SSH_AUTH_SOCK', undefined)
    const home = homeWith(`IdentityAgent "${socket}"\nIdentitiesOnly yes\nIdentityFile %d/.ssh/it.pub\n`)
    writeFileSync(join(home, '.ssh/it.pub'), readFileSync(`${sshd.identity}.pub`))
    expect((await login(home)).state).toBe('connected')
  })

  it('is asked in place of that of the session, and none where it says so', async () => {
    vi.stubEnv('SSH_AUTH_SOCK', socket)
    expect((await login(homeWith())).state).toBe('connected')
    expect(await failureOfLogin(homeWith('IdentityAgent none\n'))).toMatchObject({ kind: 'auth-failed', tried: [] })
  })

  it('that is not there is named as a reason', async () => {
    const missing = join(sshd.home, 'no.sock')
    expect(await failureOfLogin(homeWith(`IdentityAgent ${missing}\n`))).toMatchObject({
      kind: 'auth-failed',
      tried: [`${missing} (as an agent for keys it cannot be used: there is no such socket)`]
    })
  })

  it('may ask a person for longer than a login may take', async () => {
    const askpass = join(sshd.home, 'askpass')
    writeFileSync(askpass, '#!/bin/sh\nsleep 7\nexit 0\n', { mode: 0o755 })
    const asking = join(sshd.home, 'asking.sock')
    await agentAt(asking, { SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' })
    add(asking, '-c', sshd.identity)
    const home = homeWith(`IdentityAgent ${asking}\n`)
    expect((await login(home, 6000)).state).toBe('connected')
  })
})

const string = (text: string | Buffer): Buffer => {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** As OpenSSH writes it for a key on a token; nobody can make one here. */
const tokenKey = Buffer.concat([string('sk-ssh-ed25519@openssh.com'), string(Buffer.alloc(32, 7)), string('ssh:')])

async function socketThat(greets: (socket: Socket) => void): Promise<string> {
  const path = join(mkdtempSync(join(sshd.home, 's-')), 'agent.sock')
  const server = createServer((socket) => greets(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  cleanUp.push(() => server.close())
  return path
}

describe('keys that this program cannot use', () => {
  it('are named where an agent holds them: on a token, as a certificate', async () => {
    const answer = Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), string(tokenKey), string('my yubikey')])
    const socket = await socketThat((client) => client.once('data', () => client.write(string(answer))))
    expect(await failureOfLogin(homeWith(`IdentityAgent ${socket}\n`))).toMatchObject({
      kind: 'auth-failed',
      tried: [expect.stringMatching(/^my yubikey of ssh-agent \(it is on a security key \(FIDO\)/)]
    })
  })

  it('are named where they lie at the usual place', async () => {
    const home = homeWith()
    const blob = [string('openssh-key-v1').subarray(4), Buffer.of(0), string('none'), string('none'), string('')]
    const body = Buffer.concat([...blob, Buffer.from([0, 0, 0, 1]), string(tokenKey), string('secret')])
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
    const file = join(home, '.ssh/id_ed25519_sk')
    writeFileSync(file, text, { mode: 0o600 })
    expect(await failureOfLogin(home)).toMatchObject({
      tried: [expect.stringMatching(/id_ed25519_sk \(it is on a security key \(FIDO\).*ssh-keygen -t ed25519\)$/)]
    })
  })

  it('are certificates where the host takes nothing else: ssh gets in, and we say why we do not', async () => {
    const home = homeWith()
    const key = makeKey(join(home, '.ssh/id_ed25519'))
    const sign = ['-q', '-s', join(sshd.home, 'ca'), '-I', 'me', '-n', sshd.address.user ?? '', `${key}.pub`]
    execFileSync('ssh-keygen', sign, { stdio: 'pipe' })
    const [known, port] = [join(home, 'known'), String(sshd.port)]
    const options = ['-F', 'none', '-i', key, '-o', `UserKnownHostsFile=${known}`, '-o', 'StrictHostKeyChecking=no']
    const ssh = ['-p', port, ...options, '-o', 'BatchMode=yes', `${sshd.address.user ?? ''}@127.0.0.1`, 'echo in']
    expect(execFileSync('ssh', ssh, { stdio: 'pipe' }).toString()).toBe('in\n')
    const why = expect.stringMatching(
      /id_ed25519-cert\.pub \(it is a certificate, which Stillpoint cannot show/
    ) as string
    expect(await failureOfLogin(home)).toMatchObject({ kind: 'auth-failed', tried: [key, why] })
    renameSync(`${key}-cert.pub`, join(home, 'elsewhere.pub'))
    appendFileSync(join(home, '.ssh/config'), `CertificateFile ${home}/elsewhere.pub\n`)
    expect(await failureOfLogin(home)).toMatchObject({
      tried: [key, expect.stringContaining('elsewhere.pub (it is a certificate')]
    })
  })
})

describe('what an agent lists', () => {
  it.each<[string, (socket: Socket) => void, RegExp]>([
    ['nothing at all', () => undefined, /did not answer within 0.3 s/],
    ['a gigabyte', (socket) => socket.write(Buffer.from([0x40, 0, 0, 0, 12])), /does not speak the protocol/],
    ['nothing but a hang-up', (socket) => socket.destroy(), /hung up/]
  ])('may be %s', async (_, greets, reason) => {
    await expect(listAgentKeys(await socketThat(greets), 300)).rejects.toThrow(reason)
  })

  it('is taken as far as it is whole', async () => {
    const answer = Buffer.concat([Buffer.from([12, 0, 0, 0, 9]), string(tokenKey), string('one'), Buffer.alloc(3)])
    const keys = await listAgentKeys(await socketThat((client) => client.write(string(answer))))
    expect(keys.map(({ blob, comment }) => [typeOfBlob(blob), comment])).toEqual([
      ['sk-ssh-ed25519@openssh.com', 'one']
    ])
  })
})
