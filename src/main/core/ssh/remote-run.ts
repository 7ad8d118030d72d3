import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'
import { StillpointError, fail, type Failure } from '../../../shared/failure.ts'
import type { Argv, RunOptions, RunResult } from '../../../shared/shell.ts'
import type { Running } from '../../../shell/limits.ts'
import { outputsOf, pump } from '../../../shell/output.ts'
import { chunksOf, feed } from '../../../shell/stdin.ts'
import { Frame, TooNoisy, parseStarted, type Started } from './framing.ts'
import type { Route } from './link.ts'
import { loginFailure } from './login-failure.ts'
import { commandLine, firstLine, type Through } from './quoting.ts'

/** Where and as whom a program runs. */
export interface RemoteSeat {
  readonly host: string
  readonly route: Route
  readonly through: Through
  /** Ends a session's processes over another channel. False: some are left, or nobody could look. */
  endSession(session: string): Promise<boolean>
}

/** The host has no more channels for us at the moment (MaxSessions). Nothing was run. */
export class ChannelRefused extends Error {}

/** How long a program that is to be ended may take to show up: before that there is nothing to end. */
const SHOW_UP_MS = 3_000

interface Exit {
  readonly exitCode: number | undefined
  readonly signal: string | undefined
}

/** Starts a program behind its frame. `usage` is thrown at once. */
export function startRemote(seat: RemoteSeat, argv: Argv, options: RunOptions): Running<RunResult> {
  const marker = randomBytes(16).toString('hex')
  const line = firstLine(argv, options.env ?? {}, marker)
  const opened = openChannel(seat, argv[0])
  const started = Promise.withResolvers<Started | undefined>()
  const done = opened.then((channel) =>
    follow(seat, channel, argv, options, { marker, line, onStarted: started.resolve })
  )
  const settle = (): void => started.resolve(undefined)
  done.then(settle, settle)
  return { done, end: () => endRemote(seat, opened, started.promise) }
}

interface Opened {
  readonly channel: ClientChannel
  readonly ended: Promise<Exit | undefined>
}

function lossOf(host: string, route: Route, during: string): Failure {
  const reason = route.fault()
  return { kind: 'connection-lost', host, during, ...(reason !== undefined && { reason }) }
}

/** Listens for the end at once: a program that ends immediately has its end in the same packet as the channel's beginning. */
function openChannel({ host, route, through }: RemoteSeat, program: string): Promise<Opened> {
  const lost = (cause: Error): StillpointError => new StillpointError(lossOf(host, route, program), { cause })
  return new Promise((resolve, reject) => {
    try {
      route.client.exec(commandLine(through), (error: (Error & { reason?: unknown }) | undefined, channel) => {
        if (!error) resolve({ channel, ended: exitOf(channel) })
        else if (route.isClosed() || error.reason === undefined) reject(lost(error))
        else reject(new ChannelRefused(error.message, { cause: error }))
      })
    } catch (error) {
      reject(lost(error as Error)) // ssh2 throws "Not connected"
    }
  })
}

interface Framing {
  readonly marker: string
  readonly line: string
  readonly onStarted: (started: Started) => void
}

async function follow(
  seat: RemoteSeat,
  { channel, ended }: Opened,
  argv: Argv,
  options: RunOptions,
  { marker, line, onStarted }: Framing
): Promise<RunResult> {
  const { stdout, stderr } = outputsOf(argv[0], options)
  let begun: Started | undefined
  const frames = {
    stdout: new Frame(marker, stdout.take, (rest) => onStarted((begun = parseStarted(rest)))),
    stderr: new Frame(marker, stderr.take)
  }
  const pumped = Promise.all([pump(channel, frames.stdout.take), pump(channel.stderr, frames.stderr.take)])
  const fed = feed(channel, withFirstLine(line, options.stdin, seat.route))
  const faults = fed.then(() => new Promise<never>(() => undefined))
  const exit = await Promise.race([Promise.all([ended, pumped]).then(([end]) => end), faults]).catch(
    (error: unknown) => {
      throw error instanceof TooNoisy ? tooNoisy(seat) : error
    }
  )
  const host = seat.host
  if (!exit) return fail(lossOf(host, seat.route, argv[0]))
  if (!begun) return fail(deadLogin(seat, exit, frames.stdout.noise + frames.stderr.noise))
  if (!isFound(begun)) return fail({ kind: 'missing-tool', tool: argv[0] })
  return { ...exit, stdout: stdout.text(), stderr: stderr.text() }
}

/** For TypeScript, which does not see the callback assign. */
const isFound = (started: Started): boolean => started.found

async function* withFirstLine(line: string, stdin: RunOptions['stdin'], route: Route): AsyncGenerator<Uint8Array> {
  yield Buffer.from(line)
  for await (const chunk of chunksOf(stdin)) {
    await route.room()
    yield chunk
  }
}

/** Undefined: the channel closed before the program's end was told, so the connection is gone. */
function exitOf(channel: ClientChannel): Promise<Exit | undefined> {
  return new Promise((resolve) => {
    let exit: Exit | undefined
    channel.on('exit', (code: number | null, signal?: string) => {
      exit = { exitCode: code ?? undefined, signal }
    })
    channel.once('close', () => resolve(exit))
  })
}

const deadLogin = (seat: RemoteSeat, { exitCode }: Exit, printed: string): ReturnType<typeof loginFailure> =>
  loginFailure({ host: seat.host, user: seat.route.user, through: seat.through, exitCode, printed })

function tooNoisy({ host }: RemoteSeat): StillpointError {
  const reason = 'the login prints without end before it runs what it was told to: its start-up files must be silent'
  return new StillpointError({ kind: 'login-shell', host, reason })
}

/** Ends the program on the host, then its channel: closing a channel alone leaves the program running. */
async function endRemote(
  seat: RemoteSeat,
  opened: Promise<Opened>,
  started: Promise<Started | undefined>
): Promise<void> {
  const channel = (await opened.catch(() => undefined))?.channel
  if (channel === undefined) return
  const shownUp = await Promise.race([started, sleep(SHOW_UP_MS, undefined, { ref: false })])
  const gone = shownUp === undefined || (await seat.endSession(shownUp.session))
  if (!gone) channel.signal('KILL') // sshd does it, if it is new enough and the program is not root's over sudo
  channel.close()
  channel.resume()
  channel.stderr.resume()
}
