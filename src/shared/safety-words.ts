import { formatAge } from './format.ts'
import { needsYou, overallOf, type VmSafety } from './safety.ts'
import type { HostView } from './views/host-view.ts'

/** The one sentence that answers "are we safe?". Names in it are as hosts have them: whoever prints them escapes them. */
export function safetySentence(hosts: readonly HostView[] | undefined, vms: readonly VmSafety[], now: Date): string {
  if (hosts === undefined) return 'Not known yet: Stillpoint is still looking'
  if (hosts.length === 0) return 'There are no hosts yet'
  const watched = vms.filter(({ safety }) => safety !== 'muted')
  const wanting = watched.filter(needsYou).length
  if (wanting > 0) return wantingWords(wanting, watched.length)
  const down = hosts.filter(({ state }) => state === 'down')
  if (down.length > 0) return downWords(down, hosts.length)
  if (overallOf(hosts, vms) === 'unknown') return 'Not known yet: hosts and stores are being asked'
  return watched.length === 0 ? nothingWords(vms.length) : goodWords(watched, now)
}

const wantingWords = (wanting: number, all: number): string =>
  all === 1 ? 'Your VM needs you' : `${wanting} of ${all} VMs ${wanting === 1 ? 'needs' : 'need'} you`

const downWords = ([first, ...others]: readonly HostView[], all: number): string =>
  first !== undefined && others.length === 0
    ? `${first.name} is out of reach; its VMs are as they were last seen`
    : `${others.length + 1} of ${all} hosts are out of reach; their VMs are as they were last seen`

const nothingWords = (muted: number): string =>
  muted === 0 ? 'There are no VMs on your hosts' : 'Nothing is watched: every VM is muted'

function goodWords(watched: readonly VmSafety[], now: Date): string {
  const taken = watched.map(({ lastPoint }) => Date.parse(lastPoint?.takenAt ?? ''))
  const age = formatAge(now.getTime() - Math.min(...taken))
  return watched.length === 1
    ? `Your VM is protected; its last good point is ${age} old`
    : `All ${watched.length} VMs are protected; the oldest good point is ${age} old`
}
