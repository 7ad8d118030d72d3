import { createServer, type Server, type Socket } from 'node:net'
import { constants } from 'node:os'
import { join } from 'node:path'
import { startSshd, type TestSshd } from '../contract/sshd.ts'

/** One command that came over SSH, as far as whoever plays the host is concerned. */
export interface Command {
  /** What was to be run. */
  readonly argv: readonly string[]
  /** The line that tells what the login printed from what the program prints. */
  readonly marker: string
  /** By this name the controller ends it. */
  readonly session: string
  /** What comes on its stdin behind the first line. */
  readonly input: AsyncIterable<Uint8Array>
  /** Once it has ended, or nobody listens any more. */
  readonly over: Promise<void>
  isOver(): boolean
  out(bytes: string | Uint8Array): Promise<void>
  err(bytes: string | Uint8Array): Promise<void>
  /** As a host does that means well. */
  begin(): Promise<void>
  exit(code: number): void
  /** Ends by a signal. */
  die(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSEGV'): void
  /** Nothing more is said, and it goes on all the same. */
  closeOutputs(): void
}

export type Play = (command: Command) => void | Promise<void>

export interface PlayedSshd {
  readonly sshd: TestSshd
  stop(): Promise<void>
}

/** A real sshd that starts nothing: every command is answered by `play`. */
export async function startPlayedSshd(play: Play): Promise<PlayedSshd> {
  const commands = new Map<string, PlayedCommand>()
  const server = createServer({ allowHalfOpen: true })
  const sockets = new Set<Socket>()
  const relay = join(import.meta.dirname, 'relay.pl')
  const path = `/tmp/stillpoint-played-${process.pid}-${Math.random().toString(36).slice(2)}.sock`
  const sshd = await startSshd({ config: [`ForceCommand exec perl ${relay} ${path}`] })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const session = String(10_000 + commands.size)
    const command = new PlayedCommand(socket, session)
    commands.set(session, command)
    void command.read().then(async (isWhole) => {
      if (!isWhole) return
      const ended = sessionToEnd(command.argv)
      if (ended === undefined) await play(command)
      else await endFor(command, commands.get(ended))
    })
  })
  await listening(server, path)
  return {
    sshd,
    stop: async () => {
      sockets.forEach((socket) => socket.destroy())
      await sshd.stop()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

const listening = (server: Server, path: string): Promise<void> =>
  new Promise((resolve) => server.listen(path, () => resolve()))

/** The script by which a controller ends what it has begun has the session as its argument. */
const sessionToEnd = (argv: readonly string[]): string | undefined =>
  argv[0] === '/bin/sh' && argv[2]?.includes('find_left') === true ? argv[4] : undefined

async function endFor(command: PlayedCommand, ended: PlayedCommand | undefined): Promise<void> {
  await command.begin()
  const isGone = ended?.isDeaf !== true
  if (isGone) ended?.die('SIGTERM')
  command.exit(isGone ? 0 : 1)
}

const frame = (what: string, number: number, bytes?: Uint8Array): Buffer => {
  const head = Buffer.alloc(5)
  head.write(what, 0, 'latin1')
  head.writeUInt32BE(number, 1)
  return bytes === undefined ? head : Buffer.concat([head, bytes])
}

const LARGEST_FRAME = 32_768

class PlayedCommand implements Command {
  readonly session: string
  readonly over: Promise<void>
  argv: readonly string[] = []
  marker = ''
  /** Does not end when it is told to. */
  isDeaf = false
  private readonly socket: Socket
  private readonly chunks: AsyncIterator<Buffer>
  private rest: Buffer = Buffer.alloc(0)
  private ended = false

  constructor(socket: Socket, session: string) {
    this.socket = socket
    this.session = session
    // Whoever sends nothing more may still listen.
    this.chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
    this.over = new Promise((resolve) =>
      socket
        .on('error', () => undefined)
        .once('close', () => {
          this.ended = true
          resolve()
        })
    )
  }

  /** Its first line. False: it ended before. */
  async read(): Promise<boolean> {
    while (!this.rest.includes(0x0a, 4 + (this.rest.length < 4 ? 0 : this.rest.readUInt32BE(0)))) {
      const more = await this.more()
      if (more === undefined) return false
      this.rest = Buffer.concat([this.rest, more])
    }
    const from = 4 + this.rest.readUInt32BE(0)
    const end = this.rest.indexOf(0x0a, from)
    const script = Buffer.from(this.rest.toString('latin1', from, end), 'base64').toString('utf8')
    this.rest = this.rest.subarray(end + 1)
    this.argv = wordsOf(/\nset -- ('[^]*)\nif command -v --/.exec(script)?.[1] ?? '')
    this.marker = /^printf .* ([0-9a-f]{32}) "/m.exec(script)?.[1] ?? ''
    return true
  }

  get input(): AsyncIterable<Uint8Array> {
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      const { rest } = this
      this.rest = Buffer.alloc(0)
      const value = rest.length > 0 ? rest : await this.more()
      return value === undefined ? { done: true, value } : { done: false, value }
    }
    return { [Symbol.asyncIterator]: () => ({ next }) }
  }

  isOver(): boolean {
    return this.ended
  }

  out(bytes: string | Uint8Array): Promise<void> {
    return this.put('o', Buffer.from(bytes))
  }

  err(bytes: string | Uint8Array): Promise<void> {
    return this.put('e', Buffer.from(bytes))
  }

  async begin(): Promise<void> {
    await this.err(`\n${this.marker}\n`)
    await this.out(`\n${this.marker} ${this.session} ${this.session} found\n`)
  }

  exit(code: number): void {
    this.say(frame('x', code))
  }

  die(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSEGV'): void {
    this.say(frame('k', constants.signals[signal]))
  }

  closeOutputs(): void {
    this.say(frame('c', 0))
  }

  private say(bytes: Buffer): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(bytes)
  }

  /** As fast as it is taken. */
  private async put(what: 'o' | 'e', bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.ended; at += LARGEST_FRAME) {
      const part = bytes.subarray(at, at + LARGEST_FRAME)
      if (this.socket.destroyed || !this.socket.writable) return
      if (!this.socket.write(frame(what, part.length, part)))
        await Promise.race([this.over, new Promise((resolve) => this.socket.once('drain', resolve))])
    }
  }

  private async more(): Promise<Buffer | undefined> {
    try {
      const next = await this.chunks.next()
      return next.done === true ? undefined : next.value
    } catch {
      return undefined
    }
  }
}

/** Words that a shell was to read, each in single quotes. */
const wordsOf = (text: string): string[] =>
  Array.from(text.matchAll(/'((?:[^']|'\\'')*)'(?: |$)/g), ([, word = '']) => word.replaceAll("'\\''", "'"))
