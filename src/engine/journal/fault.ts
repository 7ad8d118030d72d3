import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../shared/failure.ts'
import { LAB_HELD_DIR, LAB_MARKER } from '../../shared/host-paths.ts'

/**
 * Fault points of the lab: `STILLPOINT_FAULT=<point>:<nth>:<action>` makes the nth passing of a point, counted in each
 * process, end in `kill` (SIGKILL to this process), `term`, `throw`, `hang` (until cancelled), `wait` (3 s) or `hold`
 * (until the lab lets it go, see {@link heldPath}). `undo.*` is any point that begins so. Several are separated by commas:
 * `copy:1:kill,undo.commit.vda:1:kill` dies in the copy and once more in the undo, since a unit's ExecStopPost has the
 * environment of its unit. Who dies leaves a file that says so, `copy.killed` beside those of `hold`. Deaf unless the machine carries the lab's marker file.
 */
export interface Fault {
  readonly point: string
  readonly nth: number
  readonly action: 'kill' | 'term' | 'throw' | 'hang' | 'wait' | 'hold'
}

const ACTIONS: readonly string[] = ['kill', 'term', 'throw', 'hang', 'wait', 'hold'] satisfies Fault['action'][]

export const parseFaults = (text: string | undefined): Fault[] => (text ?? '').split(',').flatMap(parseFault)

function parseFault(text: string): Fault[] {
  const match = /^(?<point>[a-z0-9.-]+\*?):(?<nth>\d+):(?<action>[a-z]+)$/.exec(text)
  const { point, nth, action } = match?.groups ?? {}
  if (point === undefined || action === undefined || !ACTIONS.includes(action)) return []
  return [{ point, nth: Number(nth), action: action as Fault['action'] }]
}

const passed = new Map<string, number>()

/** Passes the point named, or does what the lab asked for there. */
export async function faultPoint(point: string, signal: AbortSignal): Promise<void> {
  const faults = parseFaults(process.env['STILLPOINT_FAULT']).filter((fault) => isAt(fault, point))
  if (faults.length === 0 || !existsSync(LAB_MARKER)) return
  for (const name of new Set(faults.map((fault) => fault.point))) passed.set(name, (passed.get(name) ?? 0) + 1)
  for (const fault of faults) if (fault.nth === passed.get(fault.point)) await happen(fault, point, signal)
}

const isAt = (fault: Fault, point: string): boolean =>
  fault.point.endsWith('*') ? point.startsWith(fault.point.slice(0, -1)) : point === fault.point

async function happen(fault: Fault, point: string, signal: AbortSignal): Promise<void> {
  if (fault.action === 'throw') throw new Error(`fault point ${point}`)
  if (fault.action === 'kill') {
    mark(heldPath(ownName(), `${point}.killed`))
    process.kill(process.pid, 'SIGKILL')
  }
  if (fault.action === 'term') process.kill(process.pid, 'SIGTERM')
  if (fault.action === 'hold') return hold(point, signal)
  await sleep(fault.action === 'wait' ? 3000 : 3_600_000, undefined, { signal }).catch(() =>
    fail({ kind: 'cancelled', what: point })
  )
}

/** There while a process waits at a point; it goes on when the file is gone. `who` is its last argument: the job's id. */
export const heldPath = (who: string, point: string): string => `${LAB_HELD_DIR}/${who}/${point}`

const ownName = (): string => basename(process.argv.at(-1) ?? '')

function mark(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}

const LOOK_EVERY_MS = 20

async function hold(point: string, signal: AbortSignal): Promise<void> {
  const path = heldPath(ownName(), point)
  mark(path)
  while (existsSync(path)) {
    await sleep(LOOK_EVERY_MS)
    if (!signal.aborted) continue
    rmSync(path, { force: true })
    fail({ kind: 'cancelled', what: point })
  }
}
