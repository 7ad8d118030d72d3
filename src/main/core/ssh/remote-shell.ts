import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure, fail, type Failure } from '../../../shared/failure.ts'
import type { Argv, RunOptions, RunResult, Shell } from '../../../shared/shell.ts'
import { supervise, watchLimits, type Limits } from '../../../shell/limits.ts'
import type { Link, Route } from './link.ts'
import { sudoersLine } from './login-failure.ts'
import { endSession, type Through } from './quoting.ts'
import { ChannelRefused, startRemote, type RemoteSeat } from './remote-run.ts'
import { Slots } from './slots.ts'
import { SMALL_ANSWER_BYTES } from './small-answers.ts'

/** sshd allows ten sessions on a connection (MaxSessions): eight for programs, two to end them with. */
const PROGRAM_CHANNELS = 8
const ENDING_CHANNELS = 2
/** TERM, two seconds, KILL, three more; then we stop waiting. */
const END_TIMEOUT_MS = 10_000
const PROBE_TIMEOUT_MS = 30_000
/** A session that is over for us still counts on a host that has not cleared it away: so long, so often, it is asked again. */
const CLEARING_MS = 50
const CLEARING_TRIES = 300
const IN_SHORT: RunOptions = { maxOutputBytes: SMALL_ANSWER_BYTES }

/** Runs programs as root on the host at the other end of a link. */
export class RemoteShell implements Shell {
  readonly label: string
  readonly #link: Link
  readonly #programs = new Slots(PROGRAM_CHANNELS)
  readonly #endings = new Slots(ENDING_CHANNELS)
  #root: Promise<Through> | undefined
  /** Whether this host has opened a session for us at all. */
  #hasOpened = false

  constructor(label: string, link: Link) {
    this.label = label
    this.#link = link
  }

  async run(argv: Argv, options: RunOptions = {}): Promise<RunResult> {
    const limits = watchLimits(argv[0], options)
    try {
      await limits.race(Promise.resolve()) // cancelled before it began: do not begin
      const route = await limits.race(this.#link.live())
      const through = await limits.race(this.#wayToRoot(route))
      return await this.#runIn(this.#seat(route, through), argv, options, limits)
    } finally {
      limits.dispose()
    }
  }

  async #runIn(seat: RemoteSeat, argv: Argv, options: RunOptions, limits: Limits): Promise<RunResult> {
    for (let tries = 0; ;) {
      const release = await this.#slot(limits)
      try {
        const result = await supervise(startRemote(seat, argv, options), limits)
        this.#hasOpened = true
        return result
      } catch (error) {
        if (!(error instanceof ChannelRefused)) throw error
        if (this.#programs.used > 1)
          this.#programs.lower(this.#programs.used - 2) // what the host allows, and one to end programs with
        else if (this.#hasOpened && tries++ < CLEARING_TRIES) await limits.race(sleep(CLEARING_MS))
        else return this.#refused(error)
      } finally {
        release()
      }
    }
  }

  /** A slot whose turn comes after the run was given up goes to the next one. */
  async #slot(limits: Limits): Promise<() => void> {
    const slot = this.#programs.take()
    try {
      return await limits.race(slot)
    } catch (error) {
      void slot.then((release) => release())
      throw error
    }
  }

  #refused(error: ChannelRefused): never {
    const reason = `it accepts the login, but opens no session (${error.message})`
    return fail({ kind: 'login-shell', host: this.label, reason }, error)
  }

  #seat(route: Route, through: Through): RemoteSeat {
    const seat: RemoteSeat = {
      host: this.label,
      route,
      through,
      endSession: (session) => this.#endSession(seat, session)
    }
    return seat
  }

  /** Over a channel of its own; false if that does not go. */
  async #endSession(seat: RemoteSeat, session: string): Promise<boolean> {
    if (seat.route.isClosed()) return true // nothing to be done from here; sshd closes the program's pipes
    if (session === '') return false
    const release = await this.#endings.take()
    const limits = watchLimits('ending a program', { timeoutMs: END_TIMEOUT_MS })
    try {
      // Should this one hang as well, there is no third to end it.
      const last = { ...seat, endSession: () => Promise.resolve(false) }
      const { exitCode } = await supervise(startRemote(last, endSession(session), IN_SHORT), limits)
      return exitCode === 0
    } catch {
      return false
    } finally {
      limits.dispose()
      release()
    }
  }

  /** Found out on first use, and again after it failed: sudoers may have been set right meanwhile. */
  #wayToRoot(route: Route): Promise<Through> {
    this.#root ??= this.#findRoot(route).catch((error: unknown) => {
      this.#root = undefined
      throw error
    })
    return this.#root
  }

  async #findRoot(route: Route): Promise<Through> {
    if ((await this.#userId(route, 'login')) === '0') return 'login'
    const failures: Failure[] = []
    for (const through of ['sudo', 'doas'] as const) {
      try {
        if ((await this.#userId(route, through)) === '0') return through
      } catch (error) {
        // The plain login has just worked, so it is this program that did not: missing, or it wants a password.
        if (!isFailure(error, 'login-shell', 'no-root')) throw error
        failures.push(error.failure)
      }
    }
    const refusal = failures.find(({ kind }) => kind === 'no-root')
    return fail(
      refusal ?? { kind: 'no-root', host: this.label, user: route.user, sudoersLine: sudoersLine(route.user) }
    )
  }

  async #userId(route: Route, through: Through): Promise<string> {
    const limits = watchLimits('the login', { timeoutMs: PROBE_TIMEOUT_MS })
    try {
      const { stdout } = await this.#runIn(this.#seat(route, through), ['id', '-u'], IN_SHORT, limits)
      return stdout.trim()
    } finally {
      limits.dispose()
    }
  }
}
