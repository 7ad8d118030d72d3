import type { Contract, HandlersOf, Stop } from '../../shared/contract-shape.ts'
import type { IpcPort } from '../../shared/ipc-port.ts'
import { answererOf, callsOf, type BugReport } from './answer.ts'
import { forwardPushes } from './pushes.ts'

/** Opens the desktop's door: one IPC channel per channel of the contract. */
export function openIpcDoor<C extends Contract>(
  contract: C,
  handlers: HandlersOf<C>,
  port: IpcPort,
  report: BugReport
): Stop {
  const answer = answererOf(contract, handlers, report)
  for (const [channel] of callsOf(contract)) port.handle(channel, (question) => answer(channel, question))
  return forwardPushes(contract, handlers, (channel, value) => port.send(channel, value), report)
}
