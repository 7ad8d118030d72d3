import { formatBytes } from '../../../shared/format.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { isGood } from '../../../shared/safety.ts'
import { isOfVm, isToldBy } from '../../../shared/told-by.ts'
import type { HostView, VmView } from '../../../shared/views/host-view.ts'
import type { JobView } from '../../../shared/views/job-view.ts'
import type { BrokenPoint, PointsView, PointView } from '../../../shared/views/point-view.ts'
import { words } from './words.ts'

/** All that is known of one VM. */
export interface VmKnown {
  readonly uuid: string
  readonly name: string
  /** Where it is, or where its points were taken. */
  readonly hostName: string
  readonly host: HostView | undefined
  /** Undefined: no host has it now. */
  readonly vm: VmView | undefined
  /** Newest first. */
  readonly points: readonly PointView[]
  readonly newestGood: PointView | undefined
  readonly broken: readonly BrokenPoint[]
  readonly running: readonly JobView[]
}

interface Mirror {
  readonly hosts: readonly HostView[] | undefined
  readonly points: PointsView | undefined
  readonly jobs: readonly JobView[] | undefined
}

/** Undefined: nobody knows such a VM. It may have moved: its host is where it is now, not where the link said. */
export function vmKnown({ hosts, points, jobs }: Mirror, uuid: string, linked: string): VmKnown | undefined {
  const ofVm = (points?.points ?? [])
    .filter(({ vm }) => vm.uuid === uuid)
    .toSorted((a, b) => b.takenAt.localeCompare(a.takenAt))
  const host = whereIs(hosts ?? [], uuid, linked)
  const vm = host?.vms.find((each) => each.uuid === uuid)
  const hostName = host?.name ?? ofVm[0]?.host ?? linked
  const ofJobs = (jobs ?? []).filter((job) => isOfVm(job, hostName, uuid) || isOursOf(job, uuid))
  const name = vm?.name ?? ofVm[0]?.vm.name ?? ofJobs[0]?.vm.name
  if (name === undefined) return undefined
  return {
    uuid,
    name,
    hostName,
    host: host ?? hosts?.find((each) => each.name === hostName),
    vm,
    points: ofVm,
    newestGood: newestGoodOf(ofVm, vm && host?.name),
    broken: (points?.broken ?? []).filter(({ path }) => path.includes(uuid)),
    running: ofJobs.filter(({ endedAt }) => endedAt === undefined)
  }
}

/** What this computer does for it itself, or has begun, on whichever host. */
const isOursOf = ({ isHere, begun, vm }: JobView, uuid: string): boolean =>
  begun?.vm === uuid || (isHere === true && vm.uuid === uuid)

/** Of what its host has told of, where there is any. */
function newestGoodOf(points: readonly PointView[], host: string | undefined): PointView | undefined {
  const good = points.filter((point) => isGood(point, host === undefined ? undefined : new Set([host])))
  return good.find((point) => host !== undefined && isToldBy(point, new Set([host]))) ?? good[0]
}

/** The host of the link, if it has the VM; else any other that does. */
function whereIs(hosts: readonly HostView[], uuid: string, linked: string): HostView | undefined {
  const having = hosts.filter(({ vms }) => vms.some((vm) => vm.uuid === uuid))
  return having.find(({ name }) => name === linked) ?? having[0]
}

/** What the VM is, as label and value. */
export function vmFacts({ vm }: Pick<VmKnown, 'vm'>): readonly (readonly [label: string, value: string])[] {
  if (vm === undefined) return []
  const { facts } = words
  return [
    [facts.ram, formatBytes(vm.ramBytes)],
    [facts.vcpus, String(vm.vcpus)],
    [facts.disks, disksShown(vm)],
    [facts.agent, facts.agents[vm.agent]],
    [facts.autostart, autostartShown(vm)]
  ]
}

/** What is left open after a restore is decided in the overview. */
function autostartShown({ autostart, heldAutostart }: VmView): string {
  if (autostart) return words.facts.yes
  return heldAutostart === undefined ? words.facts.no : words.facts.heldBack(safeText(heldAutostart.host))
}

function disksShown({ disks }: VmView): string {
  const shown = disks
    .filter(({ device }) => device === 'disk' || device === 'lun')
    .map(({ target, capacityBytes }) =>
      capacityBytes === undefined ? safeText(target) : `${safeText(target)} ${formatBytes(capacityBytes)}`
    )
  return shown.length === 0 ? words.facts.none : shown.join(', ')
}
