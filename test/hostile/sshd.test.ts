import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { connectHost } from '../../src/main/core/ssh/connect.ts'
import type { HostAddress, HostConnection } from '../../src/main/core/ssh/host-connection.ts'
import { openClient, type OpenClient } from '../../src/main/core/ssh/open-client.ts'
import { resolveTargets } from '../../src/main/core/ssh/targets.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { failureOf } from '../../src/shared/failure.ts'
import { makeKey } from '../contract/sshd.ts'
import { eventually, PATIENCE_MS } from '../patience.ts'
import { tallyOf } from './tally.ts'
import type { Attack, Counts } from './unruly-sshd.ts'

const tally = tallyOf('an sshd that does not keep to the protocol')

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Unruly {
  readonly port: number
  readonly connect: () => Promise<HostConnection>
  readonly counts: () => Promise<Counts>
}

async function unruly(attack: Attack): Promise<Unruly> {
  const path = join(import.meta.dirname, 'unruly-sshd.ts')
  const child = fork(path, [attack], { execArgv: ['--experimental-transform-types', '--no-warnings'] })
  const isOver = once(child, 'exit')
  cleanups.push(async () => {
    child.kill('SIGKILL')
    await isOver
  })
  const port = (await said(child)) as number
  return {
    port,
    connect: () => login(port),
    counts: async () => {
      child.send('counts')
      return (await said(child)) as Counts
    }
  }
}

const said = async (child: ChildProcess): Promise<unknown> => ((await once(child, 'message')) as unknown[])[0]

function homeWithKey(): string {
  const homeDir = mkdtempSync(join(tmpdir(), 'stillpoint-unruly-'))
  cleanups.push(() => rmSync(homeDir, { recursive: true }))
  mkdirSync(join(homeDir, '.ssh'))
  makeKey(join(homeDir, '.ssh/id_ed25519'))
  return homeDir
}

const questions = { unknownHostKey: () => Promise.resolve(true), passphrase: () => Promise.resolve(undefined) }

const evilAt = (port: number): HostAddress => ({
  name: 'evil',
  address: '127.0.0.1',
  user: 'root',
  port,
  identityFile: undefined
})

async function login(port: number): Promise<HostConnection> {
  const homeDir = homeWithKey()
  const host = await connectHost(evilAt(port), { homeDir, settingsDir: join(homeDir, 'settings'), questions })
  cleanups.push(() => host.close())
  return host
}

interface Pipe {
  /** Takes nothing more: kernels hold megabytes for a peer that does not read. */
  readonly holdBack: () => void
  /** Is never done with all that it was given, as a line that is slower than what goes up it; yet all of it arrives. */
  readonly lagBehind: () => void
}

async function loginThroughPipe(port: number): Promise<OpenClient & Pipe> {
  const homeDir = homeWithKey()
  let isHeldBack = false
  let lagsBehind = false
  let last: { readonly bytes: number; readonly done: () => void } | undefined
  const dial = (): Promise<Duplex> => {
    const socket = connect({ host: '127.0.0.1', port })
    const pipe = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) => {
        if (isHeldBack) return
        if (lagsBehind) last = { bytes: chunk.length, done }
        socket.write(chunk, lagsBehind ? undefined : done)
      },
      destroy: (error, done) => {
        socket.destroy()
        done(error)
      }
    })
    const hear = (chunk: Buffer): void => {
      pipe.push(chunk)
      while (last !== undefined && pipe.writableLength > last.bytes) last.done()
    }
    socket.on('data', hear).on('error', () => undefined)
    return Promise.resolve(pipe)
  }
  const [target] = await resolveTargets(evilAt(port), { homeDir })
  if (target === undefined) throw new Error('no target')
  const open = await openClient(target, dial, {
    homeDir,
    settingsDir: join(homeDir, 'settings'),
    questions,
    connectTimeoutMs: PATIENCE_MS
  })
  return { ...open, holdBack: () => void (isHeldBack = true), lagBehind: () => void (lagsBehind = true) }
}

const ENDED = 'The connection to evil was ended'
const MEGA = 1 << 20
const heldBytes = (): number => process.memoryUsage().arrayBuffers

describe('what an SSH server sends', () => {
  it.each([
    ['more output than it was allowed to', 'output', 'sends more than it was allowed to'],
    ['more errors than it was allowed to', 'errors', 'sends more than it was allowed to'],
    ['something after its end', 'afterwards', 'goes on sending after it said that this was all'],
    ['the wish for packets that hold nothing', 'nothing', 'wants what is sent to it in packets too small to hold it']
  ] as const)('ends the connection in words, where it is %s', async (_, attack, words) => {
    await tally.tried(async () => {
      const { connect, counts } = await unruly(attack)
      const { shell } = await connect()
      const before = heldBytes()
      const busy = Promise.withResolvers<undefined>()
      const take = (): Promise<void> => busy.promise // a copy to a disk that is slower than the network
      const stuck: () => unknown = take
      const run = shell
        .run(['cat'], { timeoutMs: Infinity, onStdout: take, onStderr: stuck })
        .then(() => undefined, failureOf)
      await eventually(async () => {
        const { ended, output } = await counts()
        expect(ended > 0 || output > 512 * MEGA).toBe(true)
      })
      expect(heldBytes() - before).toBeLessThan(64 * MEGA)
      busy.resolve(undefined)
      const { title, explanation } = describeFailure((await run) ?? expect.fail('it went well'))
      expect(title).toBe(ENDED)
      expect(explanation).toContain(`evil ${words}`)
    })
  })

  it('ends the connection in words, where it is requests whose answers nobody takes', async () => {
    await tally.tried(async () => {
      const { port } = await unruly('requests')
      const { client, flow, holdBack } = await loginThroughPipe(port)
      const isClosed = new Promise<void>((resolve) => client.once('close', () => resolve()))
      client.exec('cat', (_, channel) => {
        holdBack()
        channel.resume()
      })
      await isClosed
      expect(flow.fault).toContain('evil asks for answers without end and takes none')
    })
  })

  it.each([
    ['how thousands of programs ended, which wants no answer', 'ends'],
    ['the question whether we are there, thousands of times', 'asks']
  ] as const)('is answered for as long as something of ours is on its way to it: %s', async (_, attack) => {
    const { port } = await unruly(attack)
    const { client, flow, lagBehind } = await loginThroughPipe(port)
    const heard = new Promise<string>((resolve) => {
      client.once('close', () => resolve('it was closed'))
      client.exec('cat', (_, channel) => {
        channel.write('something')
        channel.on('data', (chunk: Buffer) => resolve(chunk.toString()))
      })
      lagBehind()
    })
    cleanups.push(() => client.destroy())
    expect(await heard).toBe('all\n')
    expect(flow.fault).toBeUndefined()
  })

  it('is told nothing more in a channel that we have closed, whatever of it still lies here', async () => {
    const { connect, counts } = await unruly('closed')
    const { shell } = await connect()
    const isCancelled = new AbortController()
    const gate = Promise.withResolvers<undefined>()
    let taken = 0
    const take = ({ length }: Uint8Array): Promise<void> => {
      taken += length
      return gate.promise
    }
    const run = shell.run(['cat'], { timeoutMs: Infinity, signal: isCancelled.signal, onStdout: take })
    const ends = run.catch(() => undefined)
    let before = -1
    await eventually(async () => {
      const { output } = await counts()
      const isStill = output > MEGA && output === before
      before = output
      expect(isStill).toBe(true)
    })
    isCancelled.abort()
    await ends
    await eventually(async () => expect((await counts()).closed).toBe(1))
    gate.resolve(undefined)
    await eventually(async () => expect(taken).toBe((await counts()).output))
    await shell.run(['id'], { timeoutMs: Infinity })
    expect((await counts()).late).toEqual([])
  })

  it('is held to one window for output and errors: reading the errors gives no leave for more output', async () => {
    await tally.tried(async () => {
      const { connect, counts } = await unruly('leave')
      const { shell } = await connect()
      let errors = 0
      const isOver = new AbortController()
      const run = shell.run(['cat'], {
        timeoutMs: Infinity,
        signal: isOver.signal,
        onStdout: () => new Promise<void>((resolve) => isOver.signal.addEventListener('abort', () => resolve())),
        onStderr: ({ length }) => void (errors += length)
      })
      const ends = run.catch(() => undefined)
      let before = -1
      await eventually(async () => {
        const { errors: sent } = await counts()
        const isStill = sent > 0 && sent === before && errors === sent
        before = sent
        expect(isStill || sent > 64 * MEGA).toBe(true)
      })
      expect((await counts()).output).toBeLessThan(8 * MEGA)
      expect((await counts()).ended).toBe(0)
      isOver.abort()
      await ends
    })
  })

  it('cannot open anything here, nor have its keys looked into', async () => {
    await tally.tried(async () => {
      const { connect, counts } = await unruly('opens')
      const host = await connect()
      const run = host.shell.run(['cat'], { timeoutMs: Infinity }).catch(() => undefined)
      await eventually(async () => expect(await counts()).toMatchObject({ refused: 4000, opened: 0, ended: 0 }))
      await host.close()
      await run
    })
  })

  it('is not compressed', async () => {
    await tally.tried(async () => {
      const { connect } = await unruly('zlib')
      const failure = await connect().then(() => undefined, failureOf)
      expect(failure).toMatchObject({ kind: 'host-unreachable', reason: expect.stringContaining('compress') as string })
    })
  })
})

describe('what is sent to an SSH server', () => {
  it('waits at its source while the server takes nothing, whatever it has given leave for', async () => {
    await tally.tried(async () => {
      const { connect } = await unruly('deaf')
      const host = await connect()
      const before = heldBytes()
      let read = 0
      async function* source(): AsyncGenerator<Uint8Array> {
        while (read < 512 * MEGA) {
          await sleep(0)
          read += MEGA
          yield Buffer.alloc(MEGA)
        }
      }
      const run = host.shell.run(['cat'], { timeoutMs: Infinity, stdin: source() }).catch(() => undefined)
      let looks: number[] = []
      await eventually(() => {
        looks = [...looks, read].slice(-50)
        const isStill = looks.length === 50 && looks[0] === read
        expect((read > 0 && isStill) || read > 256 * MEGA).toBe(true)
      })
      expect(heldBytes() - before).toBeLessThan(64 * MEGA)
      expect(read).toBeLessThan(256 * MEGA)
      await host.close()
      await run
    })
  })
})
