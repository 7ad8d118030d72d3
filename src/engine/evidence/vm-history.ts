import { open, stat } from 'node:fs/promises'
import * as z from 'zod'

const LOGS = '/var/log/libvirt/qemu'

/** How far libvirt's log of a VM had got at some moment. */
export const LogPosition = z.object({ ino: z.string(), sizeBytes: z.number() })
export type LogPosition = z.infer<typeof LogPosition>

/** What libvirt noted of a VM since then. */
export interface VmHistory {
  /**
   * In their order: `started` (to boot it or to load its RAM), or why it ended, in libvirt's words: `shutdown`,
   * `destroyed`, `crashed`, `migrated`, `saved`, `failed`, `from snapshot`, `daemon`.
   */
  readonly events: readonly string[]
  /** A QEMU of this VM was started. */
  readonly startedAgain: boolean
  /** Why it ended last. Undefined if it runs since, or if nobody was there to note its end, as in a power cut. */
  readonly ended: string | undefined
}

const STARTED = 'started'
const logOf = (vmName: string): string => `${LOGS}/${vmName}.log`

export const logPosition = (vmName: string): Promise<LogPosition | undefined> => positionIn(logOf(vmName))

async function positionIn(log: string): Promise<LogPosition | undefined> {
  const file = await stat(log, { bigint: true }).catch(() => undefined)
  return file && { ino: String(file.ino), sizeBytes: Number(file.size) }
}

/** Up to `until`, or to now. Undefined: it cannot be told, since the log is gone. */
export async function historySince(
  vmName: string,
  since: LogPosition | undefined,
  until?: LogPosition
): Promise<VmHistory | undefined> {
  const text = since && (await textBetween(logOf(vmName), since, until))
  return text === undefined ? undefined : parseHistory(text)
}

/** What was written to a log between the two, or until now. Undefined: that is gone, or was written elsewhere. */
export async function textBetween(log: string, since: LogPosition, until?: LogPosition): Promise<string | undefined> {
  const now = await positionIn(log)
  const endIn = ({ ino }: LogPosition): number | undefined => (ino === until?.ino ? until.sizeBytes : undefined)
  if (now?.ino === since.ino) {
    if (now.sizeBytes < Math.max(since.sizeBytes, endIn(now) ?? 0)) return undefined // somebody emptied it
    return until !== undefined && until.ino !== now.ino ? undefined : textFrom(log, since.sizeBytes, endIn(now))
  }
  // virtlogd begins a new log when the old one has become large.
  const former = await positionIn(`${log}.0`)
  if (former?.ino !== since.ino) return undefined
  const first = await textFrom(`${log}.0`, since.sizeBytes, endIn(former))
  if (until?.ino === former.ino) return first
  if (until !== undefined && until.ino !== now?.ino) return undefined
  return `${first}${await textFrom(log, 0, until?.sizeBytes)}`
}

const STAMP = String.raw`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: `
const EVENT = new RegExp(`${STAMP}(?:(starting up)|shutting down, reason=([a-z ]{1,40})$)`, 'gm')

/** Lines that libvirt itself writes: QEMU's own begin otherwise. Source: qemuProcessStop and qemuProcessLaunch. */
export function parseHistory(log: string): VmHistory {
  const events = [...log.matchAll(EVENT)].map(([, started, reason = '']) => (started === undefined ? reason : STARTED))
  const last = events.at(-1)
  return { events, startedAgain: events.includes(STARTED), ended: last === STARTED ? undefined : last }
}

/** Whether a VM has been on another host since, and perhaps come back. What cannot be told may be so. */
export const hasBeenElsewhere = (history: VmHistory | undefined): boolean =>
  history === undefined || history.events.includes('migrated')

/** A QEMU of it was started since, and for none was there RAM of an earlier one. What cannot be told may be otherwise. */
export const hasBootedSince = (history: VmHistory | undefined): boolean =>
  history?.startedAgain === true && !history.events.some((event) => KEEPS_RAM.includes(event))

const KEEPS_RAM = ['saved', 'migrated', 'from snapshot']

/** Whether a VM has run since its first save in this history. A QEMU that failed to load its RAM has not run the guest. */
export function hasRunSinceSave({ events }: VmHistory): boolean {
  const later = events.slice(events.indexOf('saved') + 1)
  return later.some((event, n) => event !== 'failed' && !(event === STARTED && later[n + 1] === 'failed'))
}

/** A guest has run in it: one was started otherwise than in vain. */
export const hasRunIn = ({ events }: VmHistory): boolean =>
  events.some((event, n) => event === STARTED && events[n + 1] !== 'failed')

/** It was saved, and its RAM is in that file alone since. */
export const isStillSaved = (history: VmHistory): boolean =>
  history.events.includes('saved') && !hasRunSinceSave(history)

const LONGEST = 4 << 20

/** What matters is at the end, which is that of the file unless `to` is given. */
async function textFrom(path: string, offset: number, to = Infinity): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return ''
  try {
    const end = Math.min(to, (await file.stat()).size)
    const from = Math.max(offset, end - LONGEST)
    const bytes = Buffer.alloc(Math.max(0, end - from))
    const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
    return bytes.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
