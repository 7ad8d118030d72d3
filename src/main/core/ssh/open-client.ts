import { connect as connectSocket } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2, { type Client, type ConnectConfig } from 'ssh2'
import { failureOf, StillpointError, isFailure } from '../../../shared/failure.ts'
import { connectFailure, tooLate, unreachable, type ConnectPhase } from './connect-errors.ts'
import { Deadline } from './deadline.ts'
import { FlowControl } from './flow-control.ts'
import { checkHostKey, hostKeyAlgorithms, type HostKeyName } from './host-key.ts'
import type { ConnectQuestions } from './host-connection.ts'
import type { IdentityProblem } from './identities.ts'
import { damagedLineOf } from './damaged-keys.ts'
import { readKnownHosts, writeHostKey, type KnownHostLine } from './known-hosts.ts'
import { LoginAgent, type LoginKeys } from './login-agent.ts'

/** One machine to log in to: the host, or a hop on the way to it. */
export interface Target {
  /** What it is called in messages. */
  readonly label: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly keyName: HostKeyName
  readonly keys: Omit<LoginKeys, 'askPassphrase' | 'whileAgentSigns'>
  /** Identity files that cannot be used: told if nothing else lets us in. */
  readonly problems: readonly IdentityProblem[]
  /** Accepts exactly this host key, without asking. */
  readonly expectedFingerprint: string | undefined
}

export interface ConnectContext {
  readonly questions: ConnectQuestions
  readonly settingsDir: string
  readonly homeDir: string
  readonly connectTimeoutMs: number
}

/** A login that stands, and what holds both sides of it to what they may send. */
export interface OpenClient {
  readonly client: Client
  readonly flow: FlowControl
}

/** Opens the byte stream to a target. The signal ends a try that came to nothing. */
export type Dial = (target: Target, signal: AbortSignal) => Promise<Duplex>

const KEEPALIVE_MS = 10_000
/** Three unanswered in a row: a host that fell silent is noticed within 40 s. */
const KEEPALIVE_COUNT = 3

/** What a try has asked of a person so far: the host may hang up on us meanwhile. */
interface Asked {
  pending: Promise<unknown>
  answered: boolean
}

/**
 * Logs in. Rejects with `host-unreachable`, `host-key-…`, `auth-failed` or `identity-unusable`. Where the host hangs up
 * while a person reads a question, the login is begun anew with the answer.
 */
export async function openClient(target: Target, dial: Dial, context: ConnectContext): Promise<OpenClient> {
  const asked: Asked = { pending: Promise.resolve(), answered: false }
  try {
    return await tryOpen(target, dial, context, asked)
  } catch (error) {
    await asked.pending
    if (!asked.answered || !isFailure(error, 'host-unreachable')) throw error
    return tryOpen(target, dial, context, { ...asked })
  }
}

async function tryOpen(target: Target, dial: Dial, context: ConnectContext, asked: Asked): Promise<OpenClient> {
  let phase: ConnectPhase = 'connecting'
  const deadline = new Deadline(context.connectTimeoutMs, () => tooLate(target.label, phase, context.connectTimeoutMs))
  const abort = new AbortController()
  try {
    const known = await readKnownHosts(context.homeDir, context.settingsDir)
    const socket = await deadline.race(dial(target, abort.signal))
    abort.signal.addEventListener('abort', () => socket.destroy())
    phase = 'handshake'
    const whileAgentSigns: LoginKeys['whileAgentSigns'] = (sign) => deadline.pausedWhile(sign)
    const login = new Login(target, known, patient(context, deadline, asked), asked, whileAgentSigns)
    return await deadline.race(login.over(socket, () => (phase = 'login')))
  } catch (error) {
    abort.abort()
    throw connectFailure(target.label, phase, error)
  } finally {
    deadline.dispose()
  }
}

/** The same questions, with the deadline standing still while they are open. */
function patient(context: ConnectContext, deadline: Deadline, asked: Asked): ConnectContext {
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    const answer = await deadline.pausedWhile(question)
    asked.answered ||= answer !== false && answer !== undefined
    return answer
  }
  return {
    ...context,
    questions: {
      unknownHostKey: (key) => ask(() => context.questions.unknownHostKey(key)),
      passphrase: (file) => {
        const answer = ask(() => context.questions.passphrase(file))
        asked.pending = answer.catch(() => undefined)
        return answer
      }
    }
  }
}

class Login {
  readonly #target: Target
  readonly #known: readonly KnownHostLine[]
  readonly #context: ConnectContext
  readonly #agent: LoginAgent
  readonly #asked: Asked
  #begun = false
  /** Why the host key was refused: says more than ssh2's error. */
  #refusal: StillpointError | undefined
  #accepted: Buffer | undefined
  /** What the host takes besides, as it said when it refused us. */
  #hostTakes: readonly string[] = []

  constructor(
    target: Target,
    known: readonly KnownHostLine[],
    context: ConnectContext,
    asked: Asked,
    whileAgentSigns: LoginKeys['whileAgentSigns']
  ) {
    this.#asked = asked
    this.#target = target
    this.#known = known
    this.#context = context
    this.#agent = new LoginAgent({
      ...target.keys,
      askPassphrase: (file) => context.questions.passphrase(file),
      whileAgentSigns
    })
  }

  over(socket: Duplex, onHandshake: () => void): Promise<OpenClient> {
    const client = new ssh2.Client()
    return new Promise((resolve, reject) => {
      client
        .on('error', (error: Error & { level?: string }) => {
          if (error.level === 'agent') return // one key did not sign; ssh2 goes on with the next
          reject(this.#explain(error))
          socket.destroy()
        })
        .once('close', () => reject(unreachable(this.#target.label, 'it closed the connection during the login')))
        .once('handshake', onHandshake)
        .once('ready', () => resolve({ client, flow }))
        .connect(this.#config(socket))
      const flow = new FlowControl(this.#target.label, client, socket)
    })
  }

  #config(socket: Duplex): ConnectConfig {
    return {
      sock: socket,
      username: this.#target.user,
      readyTimeout: 0, // ours stands still while a person is asked
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: KEEPALIVE_COUNT,
      // What is compressed may grow a thousandfold: no window and no limit counts that.
      algorithms: { serverHostKey: hostKeyAlgorithms(this.#known, this.#target.keyName), compress: ['none'] },
      hostVerifier: (key: Buffer, verify: (trusted: boolean) => void) => void this.#verify(key).then(verify),
      authHandler: (methods, partial, next) => this.#nextMethod(methods, partial, next)
    }
  }

  async #verify(key: Buffer): Promise<boolean> {
    if (this.#accepted) return this.#accepted.equals(key) // keys are exchanged anew now and then
    const { label, host, port, keyName, expectedFingerprint } = this.#target
    const check = checkHostKey(key, {
      label,
      address: port === 22 ? host : `${host}:${port}`,
      name: keyName,
      known: this.#known,
      expectedFingerprint,
      damagedLine: () => damagedLineOf(this.#context.settingsDir, keyName.host, keyName.port),
      ask: (shown) => this.#context.questions.unknownHostKey(shown),
      remember: (vouched) => writeHostKey(this.#context.settingsDir, keyName.host, keyName.port, vouched)
    })
    const outcome = check.then(
      () => true,
      (error: unknown) => this.#refuse(error)
    )
    this.#asked.pending = outcome // not before the key is written down is the login to be begun anew
    if (await outcome) this.#accepted = key
    return outcome
  }

  /** Whatever went wrong here, on this computer, the host has no part in it. */
  #refuse(reason: unknown): boolean {
    this.#refusal =
      reason instanceof StillpointError ? reason : new StillpointError(failureOf(reason), { cause: reason })
    return false
  }

  /** All our keys, then nothing. Not by what is null: with no key to show, the host has not said anything by then. */
  #nextMethod(methods: readonly string[] | null, partial: boolean | null, next: (method: never) => void): void {
    if (!this.#begun) {
      this.#begun = true
      next({ type: 'agent', username: this.#target.user, agent: this.#agent } as never)
      return
    }
    this.#hostTakes = (methods ?? []).map((method) => (partial === true ? `${method} on top of a key` : method))
    next(false as never)
  }

  #explain(error: Error & { level?: string }): Error {
    if (this.#refusal !== undefined) return this.#refusal
    const refused = error.level === 'client-authentication' || /authentication failures/i.test(error.message)
    return refused ? this.#authFailure() : error
  }

  #authFailure(): StillpointError {
    const { label, user, problems } = this.#target
    const wrong = this.#agent.problems.find(({ reason }) => reason.includes('wrong'))
    if (wrong) return new StillpointError(wrong)
    const unusable = [...this.#agent.problems, ...problems]
    const asides = unusable.map(({ file, reason }) => `${file} (${reason})`)
    const unlocked = this.#agent.tried.filter((label) => !unusable.some(({ file }) => file === label))
    const wants = this.#hostTakes.filter((method) => method !== 'publickey')
    const note = wants.length > 0 ? [`(the host takes: ${wants.join(', ')})`] : []
    return new StillpointError({ kind: 'auth-failed', host: label, user, tried: [...unlocked, ...asides, ...note] })
  }
}

/** Straight over TCP. */
export const dialTcp: Dial = (target, signal) => {
  const socket = connectSocket({ host: target.host, port: target.port, noDelay: true })
  signal.addEventListener('abort', () => socket.destroy())
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket)).once('error', reject)
  })
}

/** Through a hop that we are logged in to: ProxyJump. */
export const dialThrough =
  (hop: Client, hopLabel: string): Dial =>
  (target, signal) =>
    new Promise((resolve, reject) => {
      hop.forwardOut('127.0.0.1', 0, target.host, target.port, (error, stream) => {
        if (error) reject(unreachable(target.label, `through ${hopLabel}: ${error.message}`, error))
        else if (signal.aborted) stream.destroy()
        else resolve(stream)
      })
    })
