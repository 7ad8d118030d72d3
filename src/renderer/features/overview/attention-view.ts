import { describeFailure } from '../../../shared/failure-words.ts'
import type { Failure } from '../../../shared/failure.ts'
import { formatAge, formatMoment } from '../../../shared/format.ts'
import { heldText, twinNow, type HostLooked, type TwinNow } from '../../../shared/held-autostart.ts'
import { isHostClaimed } from '../../../shared/point-name.ts'
import { isBrokenPromise, needsYou, type VmSafety } from '../../../shared/safety.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { untoldWords } from '../../../shared/safety-words.ts'
import type { HostView, VmView } from '../../../shared/views/host-view.ts'
import type { BrokenPoint } from '../../../shared/views/point-view.ts'
import type { Tone } from '../../ui/state-mark.tsx'
import { expectedWords, toneOf } from './overview-view.ts'
import { vmKey, type Starting } from './overview-slice.ts'
import { words } from './words.ts'

/** What mends it. `wait`: nothing can be done until its host answers. */
export type Remedy = 'back-up' | 'retry' | 'restore' | 'wait' | 'running'

/** Something that somebody has to do something about. */
export type Attention =
  | {
      readonly kind: 'host'
      readonly key: string
      readonly host: HostView
      readonly label: string
      readonly text: string
    }
  | { readonly kind: 'refused'; readonly key: string; readonly vm: VmSafety; readonly failure: Failure }
  /** A restore has left its autostart off, and it is for somebody to decide. */
  | {
      readonly kind: 'autostart'
      readonly key: string
      readonly host: string
      readonly vm: Pick<VmView, 'uuid' | 'name'>
      readonly twin: TwinNow['kind']
      readonly text: string
    }
  | { readonly kind: 'broken'; readonly key: string; readonly points: readonly BrokenPoint[] }
  | {
      readonly kind: 'vm'
      readonly key: string
      readonly vm: VmSafety
      readonly tone: Tone
      readonly label: string
      readonly text: string
      readonly remedy: Remedy
    }

interface Seen {
  readonly hosts: readonly HostView[]
  /** Worst first. */
  readonly vms: readonly VmSafety[]
  readonly broken: readonly BrokenPoint[]
  readonly starting: ReadonlyMap<string, Starting>
  readonly now: Date
}

/** What was refused just now, hosts that do not answer, VMs from worst to best, what is left open, points that cannot be read. */
export function attentionOf({ hosts, vms, broken, starting, now }: Seen): readonly Attention[] {
  const down = hosts.filter(({ state }) => state === 'down')
  const isDown = new Set(down.map(({ name }) => name))
  return [
    ...vms.flatMap((vm) => refused(vm, starting.get(vmKey(vm.host, vm.uuid)))),
    ...down.map(hostAttention),
    ...vms.filter(needsYou).map((vm) => vmAttention(vm, isDown.has(vm.host), now)),
    ...hosts.flatMap((host) => host.vms.flatMap((vm) => autostartAttention(host, vm, hosts))),
    ...(broken.length === 0 ? [] : [{ kind: 'broken', key: 'broken', points: broken } as const])
  ]
}

/** Somebody has said that they know. */
export const isCalm = (item: Attention): boolean => item.kind === 'vm' && item.vm.isAcknowledged

function refused(vm: VmSafety, starting: Starting | undefined): readonly Attention[] {
  if (starting === undefined || starting === 'asking') return []
  return [{ kind: 'refused', key: `refused ${vm.host} ${vm.uuid}`, vm, failure: starting }]
}

function hostAttention(host: HostView): Attention {
  const why = host.failure === undefined ? words.hostSilent : whyDown(host.failure)
  return { kind: 'host', key: `host ${host.name}`, host, label: hostLabel(host.failure), text: safeText(why) }
}

/** Of a host that answers: only there it can be decided. */
function autostartAttention(host: HostView, vm: VmView, hosts: readonly HostView[]): readonly Attention[] {
  const { heldAutostart, uuid, name } = vm
  if (heldAutostart === undefined || host.state !== 'up') return []
  const twin = twinNow(heldAutostart, uuid, host.name, hosts.map(lookedAt))
  const text = safeText(`${heldText(twin)}.`)
  return [
    {
      kind: 'autostart',
      key: `autostart ${host.name} ${uuid}`,
      host: host.name,
      vm: { uuid, name },
      twin: twin.kind,
      text
    }
  ]
}

const lookedAt = ({ name, facts, state, vms }: HostView): HostLooked => ({
  name,
  machineId: facts?.machineId,
  state: state === 'up' ? 'up' : 'silent',
  vms
})

/** Of what can be mended the page of hosts says more. */
function whyDown(failure: Failure): string {
  const { title, explanation } = describeFailure(failure)
  return SILENT.includes(failure.kind) ? explanation : title
}

/** A host that answers, but not as it should, is told from one that is silent. */
function hostLabel(failure: Failure | undefined): string {
  if (failure === undefined) return words.hostDown
  if (failure.kind.startsWith('host-key')) return words.hostNotTrusted
  return SILENT.includes(failure.kind) ? words.hostDown : words.hostUnusable
}

const SILENT: readonly Failure['kind'][] = ['host-unreachable', 'connection-lost', 'timeout']

function vmAttention(vm: VmSafety, isDown: boolean, now: Date): Attention {
  return {
    kind: 'vm',
    key: `vm ${vm.host} ${vm.uuid}`,
    vm,
    tone: toneOf(vm),
    label: labelOf(vm),
    text: whyOf(vm, now),
    remedy: remedyOf(vm, isDown)
  }
}

function remedyOf({ safety, running, failing }: VmSafety, isDown: boolean): Remedy {
  if (running !== undefined) return 'running'
  if (safety === 'gone') return 'restore'
  if (isDown) return 'wait'
  return failing?.retryable === true ? 'retry' : 'back-up'
}

/** A promise that is broken is told from a point that is merely old. */
const labelOf = (vm: VmSafety): string =>
  isBrokenPromise(vm) && vm.failing === undefined ? words.silent : words.needs[vm.safety]

/** Why it needs somebody, and what does not count though it is there. */
export const whyOf = (vm: VmSafety, now: Date): string =>
  [reasonOf(vm, now), untoldWords(vm)].filter((part) => part !== '').join(' ')

/** What failed last, or since when nothing is heard. */
function reasonOf(vm: VmSafety, now: Date): string {
  const { safety, failing, lastPoint } = vm
  const age = lastPoint && formatAge(now.getTime() - Date.parse(lastPoint.takenAt))
  if (failing !== undefined) {
    const why = failing.failure === undefined ? words.failedUntold : safeText(describeFailure(failing.failure).title)
    return words.failedWhy(why, age)
  }
  if (safety === 'gone' && age !== undefined) return words.goneWhy(safeText(vm.host), age, isHostClaimed(vm))
  return isBrokenPromise(vm) || lastPoint !== undefined ? silenceOf(vm, now) : noneWhy(vm)
}

const noneWhy = ({ untold, host }: VmSafety): string =>
  untold.length === 0 ? words.noneWhy : words.noneToldWhy(safeText(host))

function silenceOf(vm: VmSafety, now: Date): string {
  const { lastPoint, silentSince, expectWithinMs } = vm
  if (lastPoint !== undefined)
    return words.silentWhy(formatMoment(lastPoint.takenAt, now), expectedWords(expectWithinMs))
  return silentSince === undefined ? noneWhy(vm) : words.neverWhy(formatMoment(silentSince, now))
}
