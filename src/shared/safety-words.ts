import { ENGINE_LIMITS } from './engine-limits.ts'
import { formatAge, formatTime } from './format.ts'
import { shorten } from './safe-text.ts'
import { isBrokenPromise, needsYou, overallOf, wantsYou, type VmSafety } from './safety.ts'
import { isSeen } from './told-by.ts'
import type { HostView } from './views/host-view.ts'

/** The one sentence that answers "are we safe?". Names in it are as hosts have them: whoever prints them escapes them. */
export function safetySentence(hosts: readonly HostView[] | undefined, vms: readonly VmSafety[], now: Date): string {
  if (hosts === undefined) return 'Not known yet: Stillpoint is still looking'
  if (hosts.length === 0) return 'There are no hosts yet'
  const watched = vms.filter(({ safety }) => safety !== 'muted')
  const wanting = watched.filter(wantsYou)
  if (wanting.length > 0) return `${wantingWords(wanting.length, watched.length)}${silenceWords(wanting)}`
  const down = hosts.filter(({ state }) => state === 'down')
  if (down.length > 0) return downWords(down, hosts.length)
  const waiting = watched.filter(({ safety }) => safety === 'waiting')
  if (overallOf(hosts, vms) === 'unknown')
    return isOnlyWaiting(hosts, watched) ? waitingWords(waiting) : unknownWords(hosts, watched)
  return watched.length === 0 ? nothingWords(vms.length) : goodWords(watched, now)
}

/** `Host beta has 3 points of it that alpha never told of: they can be restored, but do not count.` Empty: all of them count. */
export function untoldWords({ untold, host, lastPoint }: Pick<VmSafety, 'untold' | 'host' | 'lastPoint'>): string {
  const [most] = untold.toSorted((a, b) => b.count - a.count)
  if (most === undefined) return ''
  const who = most.host === undefined ? 'This computer' : `Host ${most.host}`
  const more = untold.length === 1 ? '' : `, and others have some too,`
  const points = `${most.count} ${lastPoint === undefined ? '' : 'newer '}${most.count === 1 ? 'point' : 'points'}`
  const they = most.count === 1 ? 'it can be restored, but does' : 'they can be restored, but do'
  return `${who} has ${points} of it${more} that ${host} never told of: ${they} not count.`
}

/** Why others may back up a VM as well. Empty: all that do are known. */
export function notKnownWords({ host, notKnown }: Pick<VmSafety, 'host' | 'notKnown'>): string {
  switch (notKnown) {
    case undefined:
      return ''
    case 'left-out':
      return `${host} has more schedules than the ${ENGINE_LIMITS.policies} that are shown of a host: whether one of the others backs it up is not known here. Put more VMs into fewer schedules.`
    case 'too-many-patterns':
      return `The schedules of ${host} have more patterns than are compared with the names of its VMs: whether others back it up as well is not known here. Choose VMs by name there, or by fewer patterns.`
  }
}

/** Schedules of a host that are too many to be shown. Empty: none is left out. */
export function leftOutWords({
  host,
  leftOut = 0
}: {
  readonly host: string
  readonly leftOut?: number | undefined
}): string {
  if (leftOut === 0) return ''
  const [more, they, promise] =
    leftOut === 1 ? ['schedule', 'it runs', 'it promises'] : ['schedules', 'they run', 'they promise']
  return `${host} has ${leftOut} more ${more} than the ${ENGINE_LIMITS.policies} that are shown of a host: ${they}, but what ${promise} is not watched from here; put more VMs into fewer schedules.`
}

/** Of those that are too many. */
const MOST_NAMED = 3

/** Stores whose points are not shown, since a host has too many. Empty: there are none. */
export function storesLeftOutWords({
  host,
  storesLeftOut: dirs = []
}: {
  readonly host: string
  readonly storesLeftOut?: readonly string[] | undefined
}): string {
  if (dirs.length === 0) return ''
  const named = dirs.slice(0, MOST_NAMED).map((dir) => shorten(dir, 100))
  const more = dirs.length > named.length ? ` and ${dirs.length - named.length} more` : ''
  return `${host} has more stores than the ${ENGINE_LIMITS.stores} that are asked of a host: the points in ${named.join(', ')}${more} are not shown, and count for no VM. Let several schedules share a store. Stores that no schedule uses any more are forgotten when the host is taken out (stillpoint host remove ${host}) and added again.`
}

const wantingWords = (wanting: number, all: number): string =>
  all === 1 ? 'Your VM needs you' : `${wanting} of ${all} VMs ${wanting === 1 ? 'needs' : 'need'} you`

/** `; web is silent since 2026-11-24 02:00`: silence in words, of the longest. */
function silenceWords(wanting: readonly VmSafety[]): string {
  const silent = wanting.filter(isBrokenPromise).map((vm) => ({ name: vm.name, since: vm.silentSince ?? '' }))
  const [longest] = silent.sort((a, b) => a.since.localeCompare(b.since))
  if (longest === undefined) return ''
  const more = silent.length === 1 ? '' : ` (and ${silent.length - 1} more)`
  return `; ${longest.name} is silent since ${formatTime(longest.since).slice(0, 16)}${more}`
}

const isOnlyWaiting = (hosts: readonly HostView[], watched: readonly VmSafety[]): boolean =>
  hosts.every(isSeen) && watched.every(({ safety }) => safety !== 'unknown')

/** As long as anybody is asked, that comes first. */
function unknownWords(hosts: readonly HostView[], watched: readonly VmSafety[]): string {
  const unknown = watched.filter(({ safety }) => safety === 'unknown')
  const isAsking = !hosts.every(isSeen) || unknown.some(({ notKnown }) => notKnown === undefined)
  if (isAsking) return 'Not known yet: hosts and stores are being asked'
  return `Not known: which schedules back up ${unknown.length === 1 ? 'one VM' : `${unknown.length} VMs`}`
}

function waitingWords(waiting: readonly VmSafety[]): string {
  const [soonest] = waiting.flatMap(({ nextRunAt }) => nextRunAt ?? []).sort()
  const when = soonest === undefined ? '' : `: ${formatTime(soonest)}`
  const [only] = waiting
  if (waiting.length === 1 && only !== undefined) return `${only.name} waits for its first backup${when}`
  return `${waiting.length} VMs wait for their first backup${when}`
}

const downWords = ([first, ...others]: readonly HostView[], all: number): string =>
  first !== undefined && others.length === 0
    ? `${first.name} is out of reach; its VMs are as they were last seen`
    : `${others.length + 1} of ${all} hosts are out of reach; their VMs are as they were last seen`

const nothingWords = (muted: number): string =>
  muted === 0 ? 'There are no VMs on your hosts' : 'Nothing is watched: every VM is muted'

function goodWords(watched: readonly VmSafety[], now: Date): string {
  const calm = watched.filter((vm) => !needsYou(vm))
  if (calm.length < watched.length) return acknowledgedWords(watched.length - calm.length, watched.length)
  const taken = watched.map(({ lastPoint }) => Date.parse(lastPoint?.takenAt ?? ''))
  const age = formatAge(now.getTime() - Math.min(...taken))
  return watched.length === 1
    ? `Your VM is protected; its last good point is ${age} old`
    : `All ${watched.length} VMs are protected; the oldest good point is ${age} old`
}

const acknowledgedWords = (known: number, all: number): string =>
  known === all
    ? `Nothing new: what is wrong with ${all === 1 ? 'your VM' : `all ${all} VMs`} has been acknowledged`
    : `Nothing new: ${all - known} of ${all} VMs are protected, ${known} acknowledged`
