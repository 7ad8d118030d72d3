import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'ssh2'
import { StillpointError, fail } from '../../../shared/failure.ts'
import { dialTcp, dialThrough, openClient, type ConnectContext, type OpenClient, type Target } from './open-client.ts'

/** One login that stands. It does not come back once it is lost. */
export interface Route {
  readonly client: Client
  readonly user: string
  /** Once it is lost or ended. */
  readonly closed: Promise<void>
  isClosed(): boolean
  /** Why it was ended from here, where a machine on the way did what none may. */
  fault(): string | undefined
  /** Once most of what was sent has left this computer: what waits lies in memory. */
  room(): Promise<void>
  end(): void
  /** For a host that does not take our goodbye. */
  cut(): void
}

/** Logs in to each target through the one before. */
export async function openRoute(targets: readonly Target[], context: ConnectContext): Promise<Route> {
  const opened: OpenClient[] = []
  const end = (): void => {
    for (const { client } of opened.toReversed()) client.end()
  }
  try {
    let dial = dialTcp
    for (const target of targets) {
      const open = await openClient(target, dial, context)
      opened.push(open)
      dial = dialThrough(open.client, target.label)
    }
  } catch (error) {
    end()
    throw error
  }
  return standing(opened, targets.at(-1)?.user ?? '', end)
}

function standing(opened: readonly OpenClient[], user: string, end: () => void): Route {
  const client = opened.at(-1)?.client
  if (!client) throw new Error('a route without targets')
  const { promise, resolve } = Promise.withResolvers<undefined>()
  let closed = false
  client.once('close', () => {
    closed = true
    end() // the hops are of no use any more
    resolve(undefined)
  })
  return {
    client,
    user,
    closed: promise,
    isClosed: () => closed,
    fault: () => opened.map(({ flow }) => flow.fault).find((fault) => fault !== undefined),
    room: async () => {
      for (const { flow } of opened) await flow.room()
    },
    end,
    cut: () => opened.toReversed().forEach(({ flow }) => flow.cut())
  }
}

/** After a loss: at once on next use; by itself after a second, then ever more seldom, so that a fleet does not rush a host. */
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000

/** `fraction` in [0, 1): where in the second half of the wait this try falls. */
export const retryDelayMs = (attempt: number, fraction: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 16)) * (0.5 + fraction / 2)

type Asking = 'may ask' | 'must not ask'
type Open = (asking: Asking) => Promise<Route>

/** How long a host may take to say goodbye. */
const CLOSE_MS = 2_000

/** The login that is there when it is needed. */
export class Link {
  readonly #label: string
  readonly #open: Open
  #route: Route | undefined
  #opening: Promise<Route> | undefined
  #asking: Asking = 'may ask'
  #attempts = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(label: string, open: Open) {
    this.#label = label
    this.#open = open
  }

  get state(): 'connected' | 'reconnecting' | 'closed' {
    if (this.#closed) return 'closed'
    return this.#route?.isClosed() === false ? 'connected' : 'reconnecting'
  }

  /** The login, or a new one if it is lost. Rejects with what stands in the way of that. */
  async live(): Promise<Route> {
    if (this.#route?.isClosed() === false) return this.#route
    // A try that was made by itself may not ask: if that was what it failed for, ask now.
    if (this.#asking === 'must not ask') await this.#opening?.catch(() => undefined)
    if (this.#closed) this.#fail()
    if (this.#route?.isClosed() === false) return this.#route
    return (this.#opening ??= this.#connect('may ask'))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    if (!this.#route) return
    this.#route.end()
    await Promise.race([this.#route.closed, sleep(CLOSE_MS, undefined, { ref: false })])
    this.#route.cut() // a host that fell silent does not close its side
  }

  async #connect(asking: Asking): Promise<Route> {
    clearTimeout(this.#timer)
    this.#asking = asking
    try {
      const route = await this.#open(asking)
      if (this.#closed) return this.#tooLate(route)
      this.#route = route
      void route.closed.then(() => {
        if (route.fault() === undefined) this.#attempts = 0 // who was sent away comes back ever more seldom
        this.#retryLater()
      })
      return route
    } catch (error) {
      // The first login is the caller's to repeat; a lost one is ours.
      if (this.#route && isPassing(error)) this.#retryLater()
      throw error
    } finally {
      this.#opening = undefined
    }
  }

  #tooLate(route: Route): never {
    route.end()
    return this.#fail()
  }

  #fail(): never {
    return fail({ kind: 'connection-lost', host: this.#label, during: 'the connection was closed here' })
  }

  #retryLater(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const retry = (): void => {
      if (this.state !== 'reconnecting') return
      this.#opening ??= this.#connect('must not ask')
      this.#opening.catch(() => undefined) // the next use says why
    }
    this.#timer = setTimeout(retry, retryDelayMs(this.#attempts++, Math.random()))
    this.#timer.unref()
  }
}

/** A host that is down comes back; a key that changed or does not open stays as it is until somebody acts. */
const isPassing = (error: unknown): boolean =>
  error instanceof StillpointError && ['host-unreachable', 'connection-lost'].includes(error.failure.kind)
