import { setTimeout as sleep } from 'node:timers/promises'
import { line } from './good-host.ts'
import type { Command } from './played-sshd.ts'

/** A way of not answering what was asked. */
export interface Lie {
  readonly name: string
  /** Nobody may take this for an answer. Else it may be one, or not. */
  readonly isNoAnswer: boolean
  /** It does not end by itself: whoever asks has to. */
  readonly hangs: boolean
  /** So much that it need not be tried in every place. */
  readonly isHeavy: boolean
  tell(command: Command, right: () => Promise<string>): Promise<void>
}

type Tell = Lie['tell']

const lie = (name: string, tell: Tell, more: Partial<Lie> = {}): Lie => ({
  ...{ name, tell, isNoAnswer: true, hangs: false, isHeavy: false },
  ...more
})

/** Says this behind its frame, and ends. */
const saying =
  (text: string | Uint8Array, exitCode = 0): Tell =>
  async (command) => {
    await command.begin()
    await command.out(text)
    command.exit(exitCode)
  }

/** Says what it makes of the right answer, and ends. */
const making =
  (make: (right: string) => string | Uint8Array, exitCode = 0): Tell =>
  async (command, right) =>
    saying(make(await right()), exitCode)(command, right)

const half = (text: string): string => text.slice(0, Math.floor(text.length / 2))
const MiB = 1 << 20
export const repeated = (text: string, bytes: number): string =>
  text.repeat(Math.ceil(bytes / Math.max(text.length, 1)))

/** Goes on for as long as somebody takes it, up to so many bytes. */
export const flooding =
  (where: 'out' | 'err', text: string, bytes: number): Tell =>
  async (command) => {
    await command.begin()
    const part = Buffer.from(repeated(text, MiB))
    for (let sent = 0; sent < bytes && !command.isOver(); sent += part.length) await command[where](part)
    command.exit(0)
  }

const ending =
  (end: (command: Command) => void): Tell =>
  (command) => {
    end(command)
    return Promise.resolve()
  }

/** Before the frame, in place of it, or in it. */
const OF_THE_FRAME: readonly Lie[] = [
  lie(
    'ends at once',
    ending((command) => command.exit(0))
  ),
  lie(
    'ends at once as a login that is refused',
    ending((command) => command.exit(255))
  ),
  lie(
    'is killed at once',
    ending((command) => command.die('SIGKILL'))
  ),
  lie('has no frame', async (command, right) => {
    await command.out(await right())
    command.exit(0)
  }),
  lie('says that there is no such program', async (command) => {
    await command.err(`\n${command.marker}\n`)
    await command.out(`\n${command.marker} 1 1 missing\n`)
    command.exit(127)
  }),
  lie('has half a frame', async (command) => {
    await command.out(`\n${command.marker} 1`)
    command.exit(0)
  }),
  lie('has the frame of another', async (command, right) => {
    await command.out(`\n${'0'.repeat(32)} 1 1 found\n${await right()}`)
    command.exit(0)
  }),
  lie('greets without end', async (command) => {
    for (let n = 0; n < 4096 && !command.isOver(); n++) await command.out(repeated('Welcome! ', MiB))
    command.exit(0)
  }),
  lie('has its frame twice', (command, right) => command.begin().then(() => making((text) => text)(command, right)), {
    isNoAnswer: false
  }),
  lie(
    'runs in the session of init',
    async (command, right) => {
      await command.err(`\n${command.marker}\n`)
      await command.out(`\n${command.marker} 1 ${'9'.repeat(400)} found\n${await right()}`)
      command.exit(0)
    },
    { isNoAnswer: false }
  )
]

/** Between a frame that is right and an end. */
const OF_THE_BYTES: readonly Lie[] = [
  lie('says nothing', saying('')),
  lie('says nothing and fails', saying('', 1)),
  lie('cannot be executed', saying('', 126)),
  lie('was not found after all', saying('', 127)),
  lie('ends with a code that no program has', saying('', 4_294_967_295)),
  lie('says half of it', making(half)),
  lie('says half of it and fails', making(half, 1)),
  lie('says half of it and is killed', async (command, right) => {
    await command.begin()
    await command.out(half(await right()))
    command.die('SIGSEGV')
  }),
  lie(
    'says half of it and hangs',
    async (command, right) => {
      await command.begin()
      await command.out(half(await right()))
    },
    { hangs: true }
  ),
  lie('hangs', (command) => command.begin(), { hangs: true }),
  lie(
    'says all of it and hangs',
    async (command, right) => {
      await command.begin()
      await command.out(await right())
    },
    { hangs: true, isNoAnswer: false }
  ),
  lie(
    'says all of it and closes its outputs only',
    async (command, right) => {
      await command.begin()
      await command.out(await right())
      command.closeOutputs()
    },
    { hangs: true, isNoAnswer: false }
  ),
  lie(
    'drips one byte at a time',
    async (command, right) => {
      await command.begin()
      const bytes = Buffer.from(await right())
      for (let at = 0; at < Math.min(bytes.length, 60); at++) {
        await command.out(bytes.subarray(at, at + 1))
        await sleep(1)
      }
      await command.out(bytes.subarray(60))
      command.exit(0)
    },
    { isNoAnswer: false }
  ),
  lie(
    'has bytes that are no text',
    making((right) => Buffer.concat([Buffer.from(half(right)), Buffer.from([0xff, 0xc0, 0xfe])]))
  ),
  lie(
    'is in UTF-16',
    making((right) => Buffer.from(right, 'utf16le'))
  ),
  lie('is all zeros', saying(Buffer.alloc(100_000))),
  lie(
    'has a million empty lines',
    making((right) => `${'\n'.repeat(1_000_000)}${right}`),
    { isNoAnswer: false }
  ),
  lie(
    'ends its lines as Windows does',
    making((right) => right.replaceAll('\n', '\r\n')),
    { isNoAnswer: false }
  ),
  lie(
    'says it with a failure’s exit code',
    making((right) => right, 3),
    { isNoAnswer: false }
  ),
  lie(
    'complains at length besides',
    async (command, right) => {
      await command.begin()
      await command.err(repeated('error: out of order\n', 8 * MiB))
      await command.out(await right())
      command.exit(0)
    },
    { isNoAnswer: false }
  ),
  lie('complains without end', flooding('err', 'error: out of order\n', 1024 * MiB), { isHeavy: true }),
  lie('has a line of 1 GB', flooding('out', 'x', 1024 * MiB), { isHeavy: true }),
  lie('has 1 GB of lines', flooding('out', 'what?\n', 1024 * MiB), { isHeavy: true })
]

/** A result of the protocol that is none. */
const result = (name: string, value: string, more: Partial<Lie> = {}): Lie =>
  lie(name, saying(`{"result":${value}}\n`), more)
const failure = (name: string, value: unknown): Lie => lie(name, saying(line({ failure: value }), 1))

/** Lines of the engine's protocol that are none, or are another's. */
const ofTheProtocol = (good: string): readonly Lie[] => [
  lie('is not JSON', saying('Segmentation fault\n')),
  result('is a number', '7', { isNoAnswer: false }),
  result('is nothing', 'null'),
  result('is deep', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, { isNoAnswer: false }),
  result('is wide', `[${'{},'.repeat(300_000)}{}]`, { isNoAnswer: false }),
  result('would be a prototype', '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"polluted":true}}}', {
    isNoAnswer: false
  }),
  lie('has keys that nobody agreed on', saying('{"result":{},"event":{},"part":"x"}\n')),
  lie('counts portions that never came', saying('{"ended":9007199254740993}\n')),
  lie('counts its portions with a number that is none', saying('{"begun":{}}\n{"ended":1e999}\n')),
  lie(
    'has a portion of portions',
    saying(`${line({ begun: [] })}${line({ of: [], more: [{ of: [], more: [] }] })}${line({ ended: 1 })}`)
  ),
  lie('has portions without end', flooding('out', line({ of: ['x'], more: ['y'.repeat(60_000)] }), 1024 * MiB), {
    isHeavy: true
  }),
  lie('has events that nobody asked for', saying(repeated(line({ event: { n: 1 } }), 4 * MiB))),
  lie(
    'answers twice',
    making((right) => `${right}${right}`)
  ),
  lie(
    'answers and fails',
    making((right) => `${right}${line({ failure: { kind: 'usage', message: 'no' } })}`)
  ),
  failure('fails as nobody does', { kind: 'gremlins' }),
  failure('fails without saying how', { kind: 'no-room' }),
  failure('fails as another host', { kind: 'host-unreachable', host: good, reason: 'gone' }),
  failure('fails as the connection to another host', { kind: 'connection-lost', host: good, during: 'everything' }),
  failure('fails as the key of another host', {
    ...{ kind: 'host-key-changed', host: good, address: good, keyType: 'ssh-ed25519' },
    ...{ fingerprint: 'SHA256:evil', knownIn: '/etc/passwd:1' }
  }),
  failure('fails with lists where there are words', { kind: 'preflight', problems: { text: 1 } }),
  failure('fails with nothing where there are lists', { kind: 'ambiguous', what: 'vm', name: null, candidates: null }),
  failure('fails at great length', { kind: 'usage', message: 'x'.repeat(4 * MiB) }),
  failure('fails with what would be markup and orders to a terminal', {
    ...{ kind: 'usage', message: '<img src=x onerror=alert(1)>\u001b]0;owned\u0007\u202egnp.exe\u009b31m' }
  })
]

/** What can be said in place of any answer. */
export const plainLies: readonly Lie[] = [...OF_THE_FRAME, ...OF_THE_BYTES]
/** And in place of an engine's. */
export const engineLies = (good: string): readonly Lie[] => [...plainLies, ...ofTheProtocol(good)]

/** The right answer, with one thing in it that is not. */
export const changed = (name: string, change: (right: string) => string): Lie =>
  lie(name, making(change), { isNoAnswer: false })
export const says = (name: string, text: string): Lie => lie(name, saying(text), { isNoAnswer: false })
export const streams = (name: string, tell: (command: Command) => Promise<void>): Lie =>
  lie(
    name,
    async (command) => {
      await command.begin()
      await tell(command)
    },
    { isNoAnswer: false, hangs: true }
  )
