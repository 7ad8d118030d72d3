import { LATEST, type Contract, type HandlersOf, type Stop } from '../../shared/contract-shape.ts'
import type { IpcPort } from '../../shared/ipc-port.ts'
import { succeeded } from '../../shared/result.ts'
import { answererOf, callsOf, type BugReport } from './answer.ts'
import { openPushes } from './pushes.ts'

/** Opens the desktop's door: one IPC channel per channel of the contract, and one for what was said before a window came. */
export function openIpcDoor<C extends Contract>(
  contract: C,
  handlers: HandlersOf<C>,
  port: IpcPort,
  report: BugReport
): Stop {
  const answer = answererOf(contract, handlers, report)
  const pushes = openPushes(contract, handlers, report)
  for (const [channel] of callsOf(contract)) port.handle(channel, (question) => answer(channel, question))
  port.handle(LATEST, ([channel]) => Promise.resolve(succeeded(pushes.latest(String(channel)))))
  const stop = pushes.listen((channel, json) => port.send(channel, json))
  return () => {
    stop()
    pushes.stop()
  }
}
