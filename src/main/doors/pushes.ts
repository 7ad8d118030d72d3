import type * as z from 'zod'
import {
  channelsOf,
  mapValues,
  type Contract,
  type HandlersOf,
  type Push,
  type Stop
} from '../../shared/contract-shape.ts'
import { failureOf } from '../../shared/failure.ts'
import { forTheWindow, handlerAt, type BugReport } from './answer.ts'

type Subscribe = (listener: (value: unknown) => void) => Stop
type Listener = (channel: string, value: unknown) => void

/** Everything the core says by itself, as the contract has it, kept for whoever comes late. */
export interface Pushes {
  /** The last value of a channel, in a box; undefined if there is no such push or it has said nothing yet. */
  latest(channel: string): { readonly value: unknown } | undefined
  /** From now on; begin with `latest` to be right at once. */
  listen(listener: Listener): Stop
  channels(): readonly string[]
  stop(): void
}

/**
 * Listens to every push of the contract. What does not fit is written down, once for each kind of it. An entry of a list that does
 * not is passed over, or something is said in its place, and the others go on; any other value is not passed on.
 */
export function openPushes<C extends Contract>(contract: C, handlers: HandlersOf<C>, report: BugReport): Pushes {
  const values = new Map<string, { readonly value: unknown }>()
  const listeners = new Set<Listener>()
  const written = onceEachKind(report)
  const heard = (name: string, channel: Push, value: unknown): void => {
    const checked = fitting(channel, value, (error) => written(name, error))
    if (checked === undefined) return
    values.set(name, checked)
    listeners.forEach((listener) => alone(() => listener(name, checked.value), report))
  }
  const pushes = channelsOf(contract).flatMap(([name, channel]) =>
    channel.kind === 'push' ? [[name, channel] as const] : []
  )
  const stops = pushes.map(([name, channel]) =>
    (handlerAt(handlers, name) as unknown as Subscribe)((value) => heard(name, channel, value))
  )
  return {
    latest: (channel) => values.get(channel),
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    channels: () => pushes.map(([name]) => name),
    stop: () => stops.forEach((stop) => stop())
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

/** The value as its channel has it, in a box. Undefined: there is no making it fit. */
function fitting(
  { value: schema, instead = () => undefined }: Push,
  value: unknown,
  unfit: (error: z.ZodError) => void
): { readonly value: unknown } | undefined {
  const whole = schema.safeParse(value)
  if (whole.success) return { value: whole.data }
  unfit(whole.error)
  const entries = whole.error.issues.flatMap(({ path }) => entryIn(path) ?? [])
  const mended = schema.safeParse(withOthers(value, entries, instead))
  return mended.success ? { value: mended.data } : undefined
}

type Path = readonly PropertyKey[]

/** Where in the value the entry of a list is that a path leads into. In a list, so that it stays one path. */
function entryIn(path: Path): [Path] | undefined {
  const at = path.findIndex((step) => typeof step === 'number')
  return at === -1 ? undefined : [path.slice(0, at + 1)]
}

/** The value with others in place of these entries. */
function withOthers(value: unknown, entries: readonly Path[], instead: (unfit: unknown) => unknown): unknown {
  if (entries.length === 0 || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const unfit = new Set(entries.map(([index]) => index))
    return value.flatMap((entry: unknown, index) => (unfit.has(index) ? (instead(entry) ?? []) : [entry]))
  }
  const below = (key: string): Path[] => entries.flatMap(([first, ...rest]): Path[] => (first === key ? [rest] : []))
  return mapValues(value as Readonly<Record<string, unknown>>, (child, key) => withOthers(child, below(key), instead))
}

const MOST_KINDS = 100

/** What is pushed again and again is wrong again and again, and a host may choose how. */
function onceEachKind(report: BugReport): (name: string, error: z.ZodError) => void {
  const seen = new Set<string>()
  return (name, error) => {
    const [first] = error.issues
    const kind = [name, first?.code, ...(first?.path ?? []).filter((step) => typeof step !== 'number')].join(' ')
    if (seen.has(kind) || seen.size >= MOST_KINDS) return
    seen.add(kind)
    forTheWindow(failureOf(error), report)
  }
}
