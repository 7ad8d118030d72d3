import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { LAB_MARKER } from '../../shared/host-paths.ts'

/**
 * Fault points of the lab: `STILLPOINT_FAULT=<point>:<nth>:<action>` makes the nth passing of a point end in
 * `kill` (SIGKILL to this process), `term`, `throw`, or `hang`. Deaf unless the machine carries the lab's marker file.
 */
export interface Fault {
  readonly point: string
  readonly nth: number
  readonly action: 'kill' | 'term' | 'throw' | 'hang' | 'wait'
}

const ACTIONS: readonly string[] = ['kill', 'term', 'throw', 'hang', 'wait'] satisfies Fault['action'][]

export function parseFault(text: string | undefined): Fault | undefined {
  const match = /^(?<point>[a-z0-9.-]+):(?<nth>\d+):(?<action>[a-z]+)$/.exec(text ?? '')
  const { point, nth, action } = match?.groups ?? {}
  if (point === undefined || action === undefined || !ACTIONS.includes(action)) return undefined
  return { point, nth: Number(nth), action: action as Fault['action'] }
}

const passed = new Map<string, number>()

/** Passes the point named, or does what the lab asked for there. */
export async function faultPoint(point: string, signal: AbortSignal): Promise<void> {
  const fault = parseFault(process.env['STILLPOINT_FAULT'])
  if (fault?.point !== point || !existsSync(LAB_MARKER)) return
  const times = (passed.get(point) ?? 0) + 1
  passed.set(point, times)
  if (times === fault.nth) await happen(fault, signal)
}

async function happen(fault: Fault, signal: AbortSignal): Promise<void> {
  if (fault.action === 'throw') throw new Error(`fault point ${fault.point}`)
  if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL')
  if (fault.action === 'term') process.kill(process.pid, 'SIGTERM')
  await sleep(fault.action === 'wait' ? 3000 : 3_600_000, undefined, { signal }).catch(() =>
    fail({ kind: 'cancelled', what: fault.point })
  )
}
