import * as z from 'zod'
import { channelsOf, type Contract, type HandlersOf, type Push, type Stop } from '../../shared/contract-shape.ts'
import { failureOf } from '../../shared/failure.ts'
import { othersTurn } from '../../shared/turns.ts'
import { forTheWindow, handlerAt, type BugReport } from './answer.ts'
import { CheckedJson } from './checked-json.ts'

type Subscribe = (listener: (value: unknown) => void) => Stop
type Listener = (channel: string, json: string | undefined) => void

/** What was said, as JSON; undefined where that is nothing. */
export interface Told {
  readonly json: string | undefined
}

/** Everything the core says by itself, as the contract has it, kept for whoever comes late. */
export interface Pushes {
  /** The last value of a channel; undefined if there is no such push or it has said nothing yet. */
  latest(channel: string): Told | undefined
  /** From now on; begin with `latest` to be right at once. */
  listen(listener: Listener): Stop
  channels(): readonly string[]
  stop(): void
}

/**
 * Listens to every push of the contract. What does not fit is written down, once for each kind of it. An entry of a list that does
 * not is passed over, or something is said in its place, and the others go on; any other value is not passed on. What is long is
 * checked and written while others have their turn, and of what changes meanwhile the newest is said next.
 */
export function openPushes<C extends Contract>(contract: C, handlers: HandlersOf<C>, report: BugReport): Pushes {
  const values = new Map<string, Told>()
  const listeners = new Set<Listener>()
  const written = onceEachKind(report)
  let isStopped = false
  const tell = (name: string, json: string | undefined): void => {
    if (isStopped) return
    values.set(name, { json })
    listeners.forEach((listener) => alone(() => listener(name, json), report))
  }
  const pushes = channelsOf(contract).flatMap(([name, channel]) =>
    channel.kind === 'push' ? [[name, channel] as const] : []
  )
  const stops = pushes.map(([name, channel]) => {
    const telling = new InTurns(
      channel,
      (json) => tell(name, json),
      (error) => written(name, error)
    )
    return (handlerAt(handlers, name) as unknown as Subscribe)((value) => telling.tell(value))
  })
  return {
    latest: (channel) => values.get(channel),
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    channels: () => pushes.map(([name]) => name),
    stop: () => {
      isStopped = true
      stops.forEach((stop) => stop())
    }
  }
}

/** So many characters are checked and written before others have their turn: that takes a millisecond. */
const AT_ONCE = 64 << 10

/** One channel: what is short is said at once. */
class InTurns {
  private readonly checked: CheckedJson
  private readonly said: (json: string | undefined) => void
  private readonly unfit: (error: unknown) => void
  /** In a box. */
  private next: { readonly value: unknown } | undefined
  private isTelling = false

  constructor(
    { value: schema, instead = () => undefined }: Push,
    said: (json: string | undefined) => void,
    unfit: (error: unknown) => void
  ) {
    this.checked = new CheckedJson(schema, instead, unfit)
    this.said = said
    this.unfit = unfit
  }

  tell(value: unknown): void {
    this.next = { value }
    if (!this.isTelling) void this.tellAll()
  }

  private async tellAll(): Promise<void> {
    this.isTelling = true
    for (let next = this.next; next !== undefined; next = this.next) {
      this.next = undefined
      try {
        const pieces: string[] = []
        let characters = 0
        for (const taken of this.checked.write(next.value, pieces)) {
          characters += taken
          if (characters < AT_ONCE) continue
          characters = 0
          await othersTurn()
        }
        this.said(pieces.length === 0 ? undefined : pieces.join(''))
      } catch (error) {
        this.unfit(error)
      }
    }
    this.isTelling = false
  }
}

/** One window that cannot be told keeps no other from hearing. */
function alone(listener: () => void, report: BugReport): void {
  try {
    listener()
  } catch (error) {
    forTheWindow(failureOf(error), report)
  }
}

const MOST_KINDS = 100

/** What is pushed again and again is wrong again and again, and a host may choose how. */
function onceEachKind(report: BugReport): (name: string, error: unknown) => void {
  const seen = new Set<string>()
  return (name, error) => {
    const [first] = error instanceof z.ZodError ? error.issues : []
    const kind = [name, first?.code, ...(first?.path ?? []).filter((step) => typeof step !== 'number')].join(' ')
    if (seen.has(kind) || seen.size >= MOST_KINDS) return
    seen.add(kind)
    forTheWindow(failureOf(error), report)
  }
}
