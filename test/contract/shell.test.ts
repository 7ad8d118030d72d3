import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FailureKind } from '../../src/shared/failure.ts'
import { uniqueSeconds } from '../processes-with.ts'
import { shellMakers, type MadeShell } from './shell-makers.ts'
import { eventually } from '../patience.ts'

const MiB = 1024 * 1024

const untilGone = (made: MadeShell, token: string): Promise<void> =>
  eventually(() => expect(made.running(token)).toBe(0))
const untilRunning = (made: MadeShell, token: string): Promise<void> =>
  eventually(() => expect(made.running(token)).toBeGreaterThan(0))

const failing = (kind: FailureKind): unknown =>
  expect.objectContaining({ failure: expect.objectContaining({ kind }) as unknown })

describe.each(shellMakers)('a shell ($name)', (maker) => {
  let made: MadeShell
  beforeAll(async () => {
    made = await maker.make()
  })
  afterAll(() => made.close())

  describe('arguments', () => {
    const words = [
      'two words', '', ' ', "it's", '"quoted"', '$(touch /tmp/stillpoint-x)', '`id`', '$HOME', '\\', '\\n', 'line\nline\n', 'tab\there',
      '-rf', '--help', ';', '|', '&', '*', '~', '!!', '#', '%s%n', 'grüße 🦊 漢字', '\u202e\u200b', '\x1b[31m', '\r', '=', 'A=b', "'".repeat(5), '0'
    ] // prettier-ignore

    it('reach the program untouched', async () => {
      const { stdout, exitCode } = await made.shell.run(['printf', '%s\\0', ...words])
      expect(stdout.split('\0').slice(0, -1)).toEqual(words)
      expect(exitCode).toBe(0)
    })

    it('may be long', async () => {
      const long = Array.from({ length: 12 }, (_, index) => String(index).repeat(20_000))
      const { stdout } = await made.shell.run(['printf', '%s\\0', ...long])
      expect(stdout.split('\0').slice(0, -1)).toEqual(long)
    })
  })

  describe('environment', () => {
    it('has the C locale', async () => {
      expect((await made.shell.run(['printenv', 'LC_ALL'])).stdout).toBe('C\n')
    })

    it('takes what is added, whatever is in it', async () => {
      const value = `a 'b' "c" $(d) \`e\``
      expect((await made.shell.run(['printenv', 'STILLPOINT_TEST'], { env: { STILLPOINT_TEST: value } })).stdout).toBe(
        `${value}\n`
      )
    })
  })

  describe('stdin', () => {
    it('is empty unless given', async () => {
      expect((await made.shell.run(['cat'])).stdout).toBe('')
    })

    it('takes text', async () => {
      expect((await made.shell.run(['cat'], { stdin: 'line\nno newline at the end: ü' })).stdout).toBe(
        'line\nno newline at the end: ü'
      )
    })

    it('takes bytes of every value', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value))
      const chunks: Uint8Array[] = []
      await made.shell.run(['cat'], { stdin: bytes, onStdout: (chunk) => void chunks.push(chunk) })
      expect(Buffer.concat(chunks)).toEqual(bytes)
    })

    it('takes much, in pieces', async () => {
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let piece = 0; piece < 80; piece++) yield await Promise.resolve(Buffer.alloc(256 * 1024, piece))
      }
      let bytes = 0
      await made.shell.run(['cat'], { stdin: pieces(), onStdout: (chunk) => void (bytes += chunk.length) })
      expect(bytes).toBe(20 * MiB)
    })

    it('may be left unread by the program', async () => {
      const { exitCode } = await made.shell.run(['sh', '-c', 'echo out; echo err >&2; exit 3'], {
        stdin: Buffer.alloc(8 * MiB)
      })
      expect(exitCode).toBe(3)
    })

    it('that fails fails the run', async () => {
      // eslint-disable-next-line @typescript-eslint/require-await -- an async source is what is tested
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('a')
        throw new Error('the source broke')
      }
      await expect(made.shell.run(['cat'], { stdin: broken() })).rejects.toThrow('the source broke')
    })
  })

  describe('the end of a program', () => {
    it('is returned with its exit code and both streams, not thrown', async () => {
      const result = await made.shell.run(['sh', '-c', 'echo out; echo err >&2; exit 3'])
      expect(result).toEqual({ exitCode: 3, signal: undefined, stdout: 'out\n', stderr: 'err\n' })
    })

    it('by a signal is told by its name', async () => {
      expect(await made.shell.run(['sh', '-c', 'kill -KILL $$'])).toMatchObject({
        exitCode: undefined,
        signal: 'SIGKILL'
      })
    })

    it.each(['stillpoint-no-such-program', '/nowhere/program', '-x'])(
      'that is not there (%s) is a missing tool',
      async (program) => {
        await expect(made.shell.run([program, 'x'])).rejects.toEqual(failing('missing-tool'))
      }
    )
  })

  describe('output', () => {
    it('is streamed in full, and held back for a slow consumer in bounded memory', async () => {
      const before = process.memoryUsage().rss
      let bytes = 0
      let most = 0
      let atOnce = 0
      const onStdout = async (chunk: Uint8Array): Promise<void> => {
        expect(++atOnce).toBe(1)
        bytes += chunk.length
        if (bytes % (5 * MiB) < chunk.length) await sleep(30)
        most = Math.max(most, process.memoryUsage().rss)
        atOnce--
      }
      const { stdout } = await made.shell.run(['head', '-c', '100000000', '/dev/zero'], { onStdout })
      expect(bytes).toBe(100_000_000)
      expect(stdout).toBe('')
      expect(most - before).toBeLessThan(80 * MiB)
    })

    it('beyond the limit is refused, and the program ended', async () => {
      const token = uniqueSeconds()
      const run = made.shell.run(['yes', token], { maxOutputBytes: MiB })
      await expect(run).rejects.toEqual(failing('output-too-large'))
      await untilGone(made, token)
    })

    it('on stderr is kept as it begins and as it ends, in bounded memory', async () => {
      const complain = 'echo first >&2; head -c 9000000 /dev/zero | tr "\\0" x >&2; echo last >&2'
      const { stderr } = await made.shell.run(['sh', '-c', complain])
      expect(stderr).toMatch(/^first\nx+\n… \d+ bytes are left out …\nx+last\n$/)
      expect(stderr.length).toBeLessThan(MiB)
      const leftOut = Number(/\d+/.exec(stderr)?.[0])
      expect(stderr.replace(/\n… .* …\n/, '')).toHaveLength(9_000_000 + 'first\nlast\n'.length - leftOut)
    })

    it('may be as large as the limit', async () => {
      expect(
        (await made.shell.run(['head', '-c', String(MiB), '/dev/zero'], { maxOutputBytes: MiB })).stdout
      ).toHaveLength(MiB)
    })

    it('whose consumer fails ends the program', async () => {
      const token = uniqueSeconds()
      const onStdout = (): never => {
        throw new Error('no more')
      }
      await expect(made.shell.run(['yes', token], { onStdout })).rejects.toThrow('no more')
      await untilGone(made, token)
    })
  })

  describe('a deadline', () => {
    it('ends the program', async () => {
      const token = uniqueSeconds()
      await expect(made.shell.run(['sleep', token], { timeoutMs: 600 })).rejects.toEqual(failing('timeout'))
      await untilGone(made, token)
    })

    it('ends what the program started, too', async () => {
      const token = uniqueSeconds()
      const run = made.shell.run(['sh', '-c', `sleep ${token} & sleep ${token}; echo done`], { timeoutMs: 600 })
      await expect(run).rejects.toEqual(failing('timeout'))
      await untilGone(made, token)
    })

    it('ends a program that does not heed TERM', async () => {
      const token = uniqueSeconds()
      const run = made.shell.run(['sh', '-c', `trap '' TERM; sleep ${token}; sleep ${token}`], { timeoutMs: 600 })
      await expect(run).rejects.toEqual(failing('timeout'))
      await untilGone(made, token)
    })

    it('ends a program whose output nobody takes', async () => {
      const token = uniqueSeconds()
      const onStdout = (): Promise<void> => new Promise(() => undefined)
      await expect(made.shell.run(['yes', token], { onStdout, timeoutMs: 600 })).rejects.toEqual(failing('timeout'))
      await untilGone(made, token)
    })

    it('ends a program that waits for its stdin', async () => {
      const stdin: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) })
      }
      await expect(made.shell.run(['cat'], { stdin, timeoutMs: 500 })).rejects.toEqual(failing('timeout'))
    })
  })

  describe('a cancel', () => {
    it('ends the program', async () => {
      const token = uniqueSeconds()
      const abort = new AbortController()
      const run = made.shell.run(['sleep', token], { signal: abort.signal })
      const outcome = expect(run).rejects.toEqual(failing('cancelled'))
      await untilRunning(made, token)
      abort.abort()
      await outcome
      await untilGone(made, token)
    })

    it('before the beginning runs nothing', async () => {
      const run = made.shell.run(['printf', '%s\\0', 'x'], { signal: AbortSignal.abort() })
      await expect(run).rejects.toEqual(failing('cancelled'))
    })
  })

  it('runs ten programs at a time', async () => {
    const runs = Array.from({ length: 10 }, (_, index) => made.shell.run(['printf', '%s\\0', String(index)]))
    expect((await Promise.all(runs)).map(({ stdout }) => stdout)).toEqual(runs.map((_, index) => `${index}\0`))
  })

  if (!maker.hasConnection) return

  it('says that the connection was lost in the middle', async () => {
    const token = uniqueSeconds()
    const outcome = expect(made.shell.run(['sleep', token])).rejects.toEqual(failing('connection-lost'))
    await untilRunning(made, token)
    made.cut()
    await outcome
    made.reap(token) // from here it cannot be ended; a program that prints nothing outlives its connection
    expect((await made.shell.run(['printf', '%s\\0', 'back'])).stdout).toBe('back\0')
  })
})
