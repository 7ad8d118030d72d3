import { formatBytes, formatMoment } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import type { HostView } from '../../../shared/views/host-view.ts'
import type { HostPolicies } from '../../../shared/views/policy-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'
import { isKeyFailure } from './add-host.ts'
import { words } from './words.ts'

const { facts: said, states } = words

export interface HostState {
  readonly tone: Tone
  readonly label: string
}

export function hostState({ state, failure, placing }: HostView): HostState {
  if (placing !== undefined) return { tone: 'busy', label: states.placing }
  if (state === 'up') return { tone: 'good', label: states.up }
  if (state === 'connecting') return { tone: 'busy', label: states.connecting }
  if (failure !== undefined && isKeyFailure(failure)) return { tone: 'danger', label: states.key }
  return { tone: 'danger', label: states.down }
}

/** `root@10.20.0.11`, with the port where it is not the usual one. */
export function loginShown({ user, address, port }: Pick<HostView, 'user' | 'address' | 'port'>): string {
  const host = address.includes(':') ? `[${address}]` : address
  const login = `${user === undefined ? '' : `${user}@`}${host}${port === undefined || port === 22 ? '' : `:${port}`}`
  return safeText(login)
}

export interface Share {
  readonly label: string
  /** 0 to 1. */
  readonly used: number
  readonly text: string
  readonly isTight: boolean
}

/** Less than this much free is worth a colour. */
const TIGHT = 0.1

function shareOf(label: string, freeBytes: number, totalBytes: number): Share | undefined {
  if (totalBytes <= 0) return undefined
  const free = Math.min(1, Math.max(0, freeBytes / totalBytes))
  const isTight = free < TIGHT
  const figures = [
    said.free(formatBytes(freeBytes)),
    said.used(formatBytes(totalBytes - freeBytes), formatBytes(totalBytes))
  ]
  return { label, used: 1 - free, text: [...(isTight ? [said.nearlyFull] : []), ...figures].join(' · '), isTight }
}

/** Memory, then the file system of the host's own store. */
export function sharesOf({ facts }: Pick<HostView, 'facts'>): readonly Share[] {
  if (facts === undefined) return []
  const memory = shareOf(said.memory, facts.freeMemoryBytes, facts.memoryBytes)
  const store = facts.store && shareOf(said.store, facts.store.freeBytes, facts.store.totalBytes)
  return [memory, store].filter((share) => share !== undefined)
}

/** What the host is, as label and value. */
export function factsOf(
  { facts }: Pick<HostView, 'facts'>,
  now: Date,
  timeZone = facts?.timeZone
): readonly (readonly [label: string, value: string])[] {
  if (facts === undefined) return []
  const load = facts.load === undefined ? '' : ` · ${said.load.toLowerCase()} ${facts.load.toFixed(1)}`
  return [
    [said.os, safeText(facts.os)],
    [said.versions, `${said.libvirt} ${safeText(facts.libvirt)} · ${said.qemu} ${safeText(facts.qemu)}`],
    [said.cpu, `${said.cpus(facts.cpus)}${load}`],
    ...(timeZone === undefined ? [] : [[said.timeZone, zoneShown(timeZone, now)] as const])
  ]
}

/** `Europe/Rome`, with its clock where that is not this computer's: schedules run by it. */
export function zoneShown(timeZone: string, now: Date): string {
  const there = clockIn(now, timeZone)
  return there === undefined || there === clockIn(now, undefined)
    ? safeText(timeZone)
    : `${safeText(timeZone)} (${said.clockThere(there)})`
}

/** Undefined: this computer does not know such a zone. */
function clockIn(at: Date, timeZone: string | undefined): string | undefined {
  try {
    return new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone }).format(at)
  } catch {
    return undefined
  }
}

/** `2 schedules, next run tomorrow 02:00`; undefined where nothing is known of them. */
export function schedulesShown(said: HostPolicies | undefined, now: Date): string | undefined {
  if (said === undefined) return undefined
  const [next] = said.policies.flatMap(({ nextRunAt }) => nextRunAt ?? []).sort()
  const count = words.facts.schedules(said.policies.length)
  return next === undefined || !said.reachable ? count : `${count}, ${words.facts.nextRun(formatMoment(next, now))}`
}

/** `12 VMs, 11 running`. */
export function vmsShown({ vms, facts }: Pick<HostView, 'vms' | 'facts'>): string {
  if (facts === undefined && vms.length === 0) return ''
  const running = vms.filter(({ state }) => state === 'running').length
  return vms.length === 0 ? said.vms(0) : `${said.vms(vms.length)}, ${said.running(running)}`
}

/** By name, and `kvm-9` before `kvm-10`: cards stay where they are, whatever happens to their hosts. */
export const inOrder = (hosts: readonly HostView[]): readonly HostView[] =>
  hosts.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))

/** All hosts in a sentence. */
export function hostsShown(hosts: readonly HostView[] | undefined): string {
  if (hosts === undefined || hosts.length === 0) return words.subtitle
  const down = hosts.filter(({ state }) => state === 'down').length
  const connecting = hosts.filter(({ state }) => state === 'connecting').length
  const up = hosts.length - down - connecting
  return [
    words.summary.hosts(hosts.length),
    ...(up === hosts.length ? [words.summary.allUp] : [words.summary.up(up)]),
    ...(connecting > 0 ? [words.summary.connecting(connecting)] : []),
    ...(down > 0 ? [words.summary.down(down)] : [])
  ].join(' · ')
}
