import { channelsOf, type Contract, type HandlersOf, type Push, type Stop } from '../../shared/contract-shape.ts'
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

/** Listens to every push of the contract. A value that does not fit is a bug: written down, and not passed on. */
export function openPushes<C extends Contract>(contract: C, handlers: HandlersOf<C>, report: BugReport): Pushes {
  const values = new Map<string, { readonly value: unknown }>()
  const listeners = new Set<Listener>()
  const heard = (name: string, { value: schema }: Push, value: unknown): void => {
    const checked = schema.safeParse(value)
    if (!checked.success) return void forTheWindow(failureOf(checked.error), report)
    values.set(name, { value: checked.data })
    listeners.forEach((listener) => listener(name, checked.data))
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
