import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { LAB_MARKER } from '../../shared/host-paths.ts'

/**
 * Fault points of the lab: `STILLPOINT_FAULT=<point>:<nth>:<action>` makes the nth passing of a point, counted in each
 * process, end in `kill` (SIGKILL to this process), `term`, `throw`, `hang` (until cancelled), `wait` (3 s) or `hold`: it makes the
 * file `/run/stillpoint-fault/<point>` and goes on when somebody has removed that. Several are separated by commas: `copy:1:kill,undo.commit.vda:1:kill` dies in the copy and once more in the undo, since a unit's
 * ExecStopPost has the environment of its unit. Deaf unless the machine carries the lab's marker file.
 */
export interface Fault {
  readonly point: string
  readonly nth: number
  readonly action: 'kill' | 'term' | 'throw' | 'hang' | 'wait' | 'hold'
}

const ACTIONS: readonly string[] = ['kill', 'term', 'throw', 'hang', 'wait', 'hold'] satisfies Fault['action'][]

export const parseFaults = (text: string | undefined): Fault[] => (text ?? '').split(',').flatMap(parseFault)

function parseFault(text: string): Fault[] {
  const match = /^(?<point>[a-z0-9.-]+):(?<nth>\d+):(?<action>[a-z]+)$/.exec(text)
  const { point, nth, action } = match?.groups ?? {}
  if (point === undefined || action === undefined || !ACTIONS.includes(action)) return []
  return [{ point, nth: Number(nth), action: action as Fault['action'] }]
}

const passed = new Map<string, number>()

/** Passes the point named, or does what the lab asked for there. */
export async function faultPoint(point: string, signal: AbortSignal): Promise<void> {
  const faults = parseFaults(process.env['STILLPOINT_FAULT']).filter((fault) => fault.point === point)
  if (faults.length === 0 || !existsSync(LAB_MARKER)) return
  const times = (passed.get(point) ?? 0) + 1
  passed.set(point, times)
  for (const fault of faults) if (fault.nth === times) await happen(fault, signal)
}

async function happen(fault: Fault, signal: AbortSignal): Promise<void> {
  if (fault.action === 'throw') throw new Error(`fault point ${fault.point}`)
  if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL')
  if (fault.action === 'term') process.kill(process.pid, 'SIGTERM')
  if (fault.action === 'hold') return hold(fault.point, signal)
  await sleep(fault.action === 'wait' ? 3000 : 3_600_000, undefined, { signal }).catch(() =>
    fail({ kind: 'cancelled', what: fault.point })
  )
}

const HELD_DIR = '/run/stillpoint-fault'

/** Until the lab lets go, however fast or slow the machine is. */
async function hold(point: string, signal: AbortSignal): Promise<void> {
  mkdirSync(HELD_DIR, { recursive: true })
  writeFileSync(`${HELD_DIR}/${point}`, '')
  while (existsSync(`${HELD_DIR}/${point}`)) {
    if (signal.aborted) fail({ kind: 'cancelled', what: point })
    await sleep(50)
  }
}
