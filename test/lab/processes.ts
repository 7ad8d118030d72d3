import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { LabError, sleep, waitFor } from './run.ts'

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in clock ticks since the machine booted: field 22 of /proc/PID/stat. */
  readonly startTicks: string
}

export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid)
  return fields?.[19] === undefined ? undefined : { pid, startTicks: fields[19] }
}

export function isAlive(process: ProcessIdentity): boolean {
  const fields = statFields(process.pid)
  return fields?.[19] === process.startTicks && fields[0] !== 'Z'
}

/** Kills exactly this process, never another that has inherited its pid, and waits until it is gone. */
export async function killAndWait(identity: ProcessIdentity): Promise<void> {
  if (!isAlive(identity)) return
  process.kill(identity.pid, 'SIGKILL')
  await waitFor(`the end of process ${identity.pid}`, () => (isAlive(identity) ? undefined : true), { everyMs: 20 })
}

/** The first process of the container whose supervisor is given: the one that is pid 1 in its own namespace. */
export function containerInit(supervisor: ProcessIdentity): ProcessIdentity | undefined {
  const waiting = childrenOf(supervisor.pid)
  for (let pid = waiting.shift(); pid !== undefined; pid = waiting.shift()) {
    const ids = namespacePids(pid)
    if (ids.length > 1 && ids.at(-1) === '1') return identify(pid)
    waiting.push(...childrenOf(pid))
  }
  return undefined
}

/** Kills what still runs in a control group of ours and removes it with all its children. */
export async function removeControlGroup(path: string): Promise<void> {
  for (let attempt = 0; existsSync(path); attempt++) {
    for (const group of groupsBelow(path)) {
      for (const pid of readText(join(group, 'cgroup.procs')).split('\n').filter(Boolean)) killQuietly(Number(pid))
      removeQuietly(group)
    }
    if (attempt > 100) throw new LabError(`control group ${path} does not go away`)
    if (existsSync(path)) await sleep(50)
  }
}

/** Fields of /proc/PID/stat from the third on (the second may contain blanks). */
function statFields(pid: number): string[] | undefined {
  const text = readText(`/proc/${pid}/stat`)
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function childrenOf(pid: number): number[] {
  return readText(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

function namespacePids(pid: number): string[] {
  const line = /^NSpid:\s+(.*)$/m.exec(readText(`/proc/${pid}/status`))
  return line?.[1]?.split(/\s+/) ?? []
}

function groupsBelow(path: string): string[] {
  if (!existsSync(path)) return []
  const children = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [...children.flatMap((entry) => groupsBelow(join(path, entry.name))), path]
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended by itself
  }
}

function removeQuietly(group: string): void {
  try {
    rmdirSync(group)
  } catch {
    // still occupied: the caller comes again
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
