import { channelsOf, type Contract, type HandlersOf, type Stop } from '../../shared/contract-shape.ts'
import { failureOf } from '../../shared/failure.ts'
import { forTheWindow, handlerAt, type BugReport } from './answer.ts'

type Subscribe = (listener: (value: unknown) => void) => Stop
type Send = (channel: string, value: unknown) => void

/** Passes on everything the core says, as the contract has it. A value that does not fit is a bug, and not sent. */
export function forwardPushes<C extends Contract>(
  contract: C,
  handlers: HandlersOf<C>,
  send: Send,
  report: BugReport
): Stop {
  const stops = channelsOf(contract).flatMap(([name, channel]) => {
    if (channel.kind !== 'push') return []
    const subscribe = handlerAt(handlers, name) as unknown as Subscribe
    return subscribe((value) => {
      const checked = channel.value.safeParse(value)
      if (checked.success) send(name, checked.data)
      else forTheWindow(failureOf(checked.error), report)
    })
  })
  return () => stops.forEach((stop) => stop())
}
