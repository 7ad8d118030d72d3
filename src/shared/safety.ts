import { Covers, type Cover, type Covering, type NotKnown } from './cover.ts'
import { promisedAge } from './promised-age.ts'
import { dueOf } from './vm-due.ts'
import { groupBy, newest, placesOf, takenAt, type VmPlace } from './vm-places.ts'
import type { HostView } from './views/host-view.ts'
import {
  hasSoundCopy,
  isOfToldPoint,
  isSeen,
  isToldBy,
  untoldIn,
  witnessesOf,
  type Untold,
  type Witnesses
} from './told-by.ts'
import { failingBackup, pausesOf, provenBy, type Proof } from './vm-past.ts'
import type { JobView } from './views/job-view.ts'
import type { PointsView, PointView } from './views/point-view.ts'
import type { PoliciesView } from './views/policy-view.ts'
import { isAbout, type Acknowledged, type Choices, type MutedVm } from './views/settings-view.ts'

/** Everything that says whether the company is safe. Undefined parts are not known yet. */
export interface Known {
  readonly hosts: readonly HostView[] | undefined
  readonly points: PointsView | undefined
  readonly jobs: readonly JobView[] | undefined
  readonly choices: Choices | undefined
  readonly policies?: PoliciesView | undefined
}

/**
 * From worst to best. `gone`: it has points, and no host has it. `waiting`: no point yet, and the first run of its policy
 * is not due. `muted`: left alone on purpose. `unknown` and `waiting` are never shown as good.
 */
export const SAFETY = ['none', 'failing', 'gone', 'old', 'unknown', 'waiting', 'muted', 'good'] as const
export type Safety = (typeof SAFETY)[number]

/** One VM, and how safe it is. A VM that only its points remember is there too: it may be what has to be restored. */
export interface VmSafety extends VmPlace {
  readonly safety: Safety
  /** Newest good point that its host has told of; one that was verified and found damaged is none. */
  readonly lastPoint: PointView | undefined
  readonly pointCount: number
  /** Points that would be newer, and do not count: other hosts have them, and its own never told of them. */
  readonly untold: readonly Untold[]
  /** Newest restore, on its host or begun here, after which the VM, or a copy of it, ran from one of its points. */
  readonly lastProven: Proof | undefined
  /** Of the last backups that paused it, oldest first, at most 20. */
  readonly pausesMs: readonly number[]
  /** The newest backup on its host, where it failed after the newest good point. */
  readonly failing: JobView | undefined
  readonly running: JobView | undefined
  readonly mutedBecause: string | undefined
  /** Those that back it up. */
  readonly policies: readonly Covering[]
  /** Why others may back it up as well, of which nothing is known here. */
  readonly notKnown: NotKnown | undefined
  /** The soonest run of its policies that are not paused. */
  readonly nextRunAt: string | undefined
  /** How old its newest good point may be: by its policies, else as the operator chose. */
  readonly expectWithinMs: number | undefined
  /** Since when there should have been another good point; it is not known to have come. */
  readonly silentSince: string | undefined
  /** Everything that is wrong with it now has been acknowledged. */
  readonly isAcknowledged: boolean
}

/** Worst first, then by name. */
export function safetyOf(known: Known, now: Date): readonly VmSafety[] {
  const { hosts, points, jobs, choices, policies } = known
  if (hosts === undefined) return []
  const pointsByVm = groupBy(points?.points ?? [], (point) => point.vm.uuid)
  // A host speaks of its own VMs only: what it says of another's, or has of it, neither alarms nor soothes.
  const jobsByVm = groupBy(jobs ?? [], ({ host, vm }) => keyOf(host, vm.uuid))
  const provingByVm = groupBy(jobs ?? [], ({ host, vm, copyOf }) => keyOf(host, copyOf?.uuid ?? vm.uuid))
  const begunByVm = groupBy(jobs?.filter(({ begun }) => begun !== undefined) ?? [], ({ begun }) => begun?.vm ?? '')
  const areOthersKnown = jobs !== undefined && choices !== undefined
  const knownOf = new Set(points?.knownOf)
  // Of a VM all that could count: a host that says nothing hides nothing that is wrong on another.
  const arePointsKnown = (witnesses: Witnesses): boolean =>
    points?.known === true || (witnesses !== undefined && [...witnesses].every((host) => knownOf.has(host)))
  const isEachSeen = hosts.every(isSeen)
  const covers = new Covers(policies, promisedAge, now)
  const noCovers = new Covers(undefined, promisedAge, now)
  const places = placesOf(hosts, points, policies)
  const ofUuid = groupBy(places, ({ uuid }) => uuid)
  const mutedOf = groupBy(choices?.muted ?? [], ({ uuid }) => uuid)
  const acknowledgedOf = groupBy(choices?.acknowledged ?? [], ({ uuid }) => uuid)
  const all = places.map((place): VmSafety => {
    const isAboutIt = (choice: MutedVm | Acknowledged): boolean =>
      isAbout(choice, place, ofUuid.get(place.uuid)?.length ?? 1)
    const witnesses = witnessesOf(place, hosts)
    const isKnown = areOthersKnown && arePointsKnown(witnesses)
    const { ofVm, isVouchedFor, others } = countedFor(place, goodOf(pointsByVm.get(place.uuid), witnesses), witnesses)
    const lastPoint = newest(ofVm, takenAt)
    const onItsHost = keyOf(place.host, place.uuid)
    const vmJobs = jobsByVm.get(onItsHost) ?? []
    const failing = failingBackup(vmJobs, lastPoint)
    const mutedBecause = mutedOf.get(place.uuid)?.findLast(isAboutIt)?.reason
    const isGone = place.vm === undefined && isEachSeen
    const due = dueOf(place, lastPoint, isGone ? noCovers : covers, choices, now)
    const safety = judge({
      isKnown,
      isMuted: mutedBecause !== undefined,
      isGone,
      isExpected: choices !== undefined && isVouchedFor && due.cover.notKnown === undefined,
      lastPoint,
      isFailing: failing !== undefined,
      ...due
    })
    const silentSince = isKnown ? due.silentSince : undefined
    return {
      ...place,
      safety,
      lastPoint,
      pointCount: ofVm.length,
      untold: untoldIn(others.filter((point) => lastPoint === undefined || takenAt(point) > takenAt(lastPoint))),
      lastProven: provenBy([
        ...(provingByVm.get(onItsHost) ?? []),
        ...(begunByVm.get(place.uuid) ?? [])
          .filter((job) => job.host !== place.host && isOfToldPoint(job, witnesses))
          .map(asBegun)
      ]),
      pausesMs: pausesOf(ofVm),
      failing,
      running: vmJobs.find(({ endedAt, kind }) => endedAt === undefined && kind !== 'verify' && kind !== 'copy'),
      mutedBecause,
      policies: due.cover.policies,
      notKnown: due.cover.notKnown,
      nextRunAt: due.cover.nextRunAt,
      expectWithinMs: due.expectWithinMs,
      silentSince,
      isAcknowledged: isAllAcknowledged(
        { safety, failing, lastPoint, silentSince },
        (acknowledgedOf.get(place.uuid) ?? []).filter(isAboutIt)
      )
    }
  })
  return all.sort((a, b) => SAFETY.indexOf(a.safety) - SAFETY.indexOf(b.safety) || compareNames(a.name, b.name))
}

/** When it was begun this computer knows itself, whatever its host says. */
const asBegun = (job: JobView): JobView => ({
  ...job,
  ...(job.begun && { startedAt: job.begun.at, endedAt: job.begun.at })
})

interface Counted {
  readonly ofVm: readonly PointView[]
  readonly others: readonly PointView[]
  /** False: nobody who may have the VM has told of them. They are no reason to be calm. */
  readonly isVouchedFor: boolean
}

/** Which points count for a VM: those that its host has told of. Where nobody knows yet whose it is, all there are. */
function countedFor({ vm }: VmPlace, all: readonly PointView[], witnesses: Witnesses): Counted {
  const told = all.filter((point) => isToldBy(point, witnesses))
  if (vm === undefined && told.length === 0) return { ofVm: all, others: [], isVouchedFor: false }
  return { ofVm: told, others: all.filter((point) => !isToldBy(point, witnesses)), isVouchedFor: true }
}

const goodOf = (points: readonly PointView[] = [], witnesses: Witnesses): readonly PointView[] =>
  points.filter((point) => isGood(point, witnesses))

const keyOf = (host: string, uuid: string): string => `${host}\0${uuid}`

const { compare } = new Intl.Collator(undefined, { numeric: true })
/** More of a name nobody reads, and hundreds of digits are dear to compare. */
const LONGEST_COMPARED = 100
/** As a person would list names of VMs, `web2` before `web10`. */
export const compareNames = (a: string, b: string): number =>
  compare(a.slice(0, LONGEST_COMPARED), b.slice(0, LONGEST_COMPARED))

interface Judged {
  /** Points, jobs and choices: a lack can be told from not knowing. */
  readonly isKnown: boolean
  readonly isMuted: boolean
  readonly isGone: boolean
  /** It is known how old a point may be, and the points are those of the VM. */
  readonly isExpected: boolean
  readonly lastPoint: PointView | undefined
  readonly isFailing: boolean
  readonly isOld: boolean
  readonly silentSince: string | undefined
  readonly cover: Cover
}

function judge(judged: Judged): Safety {
  const { isKnown, isMuted, isGone, isExpected, lastPoint, isFailing, isOld, silentSince, cover } = judged
  if (isMuted) return 'muted'
  if (lastPoint === undefined && !isKnown) return 'unknown'
  const isWaiting = cover.dueAtMs !== undefined && silentSince === undefined
  if (lastPoint === undefined && !isWaiting) return 'none'
  if (isFailing) return 'failing'
  if (lastPoint === undefined) return 'waiting'
  if (isGone) return 'gone'
  if (isOld) return isKnown ? 'old' : 'unknown'
  return isExpected ? 'good' : 'unknown'
}

/** No check has found it damaged where that counts, and there is something in it to restore from. */
export const isGood = (point: PointView, witnesses?: Witnesses): boolean =>
  point.disks.length > 0 && hasSoundCopy(point, witnesses)

type Wrong = Pick<VmSafety, 'safety' | 'failing' | 'lastPoint' | 'silentSince'>

/** What there is to acknowledge about a VM now, as `Choices.acknowledged` names it. */
export function alarmsOf({ safety, failing, lastPoint, silentSince }: Wrong): readonly string[] {
  if (!needsYou({ safety })) return []
  const isSilent = safety !== 'failing' || silentSince !== undefined
  return [...(failing ? [failing.id] : []), ...(isSilent ? [`silent:${lastPoint?.id ?? '-'}`] : [])]
}

function isAllAcknowledged(wrong: Wrong, acknowledged: readonly Acknowledged[]): boolean {
  const alarms = alarmsOf(wrong)
  const known = acknowledged.map(({ what }) => what)
  return alarms.length > 0 && alarms.every((alarm) => known.includes(alarm))
}

/** The company in one word: the worst of its VMs, and of hosts that do not answer. */
export type Overall = 'empty' | 'unknown' | 'good' | 'attention' | 'danger'

export function overallOf(hosts: readonly HostView[] | undefined, vms: readonly VmSafety[]): Overall {
  if (hosts === undefined) return 'unknown'
  if (hosts.length === 0) return 'empty'
  const wanting = vms.filter(wantsYou)
  if (wanting.some(isDangerous)) return 'danger'
  if (wanting.length > 0 || hosts.some(({ state }) => state === 'down')) return 'attention'
  const isOpen = !hosts.every(isSeen) || vms.some(({ safety }) => safety === 'unknown' || safety === 'waiting')
  return isOpen ? 'unknown' : 'good'
}

const isDangerous = (vm: VmSafety): boolean => vm.safety === 'none' || vm.safety === 'failing' || isBrokenPromise(vm)

/** Silence of a VM that a policy should back up, and is not paused. */
export const isBrokenPromise = ({ safety, silentSince, policies }: VmSafety): boolean =>
  safety !== 'muted' && silentSince !== undefined && policies.some(({ pausedUntil }) => pausedUntil === undefined)

/** Something is wrong with it, acknowledged or not. */
export const needsYou = ({ safety }: Pick<VmSafety, 'safety'>): boolean =>
  safety === 'none' || safety === 'failing' || safety === 'gone' || safety === 'old'

/** Somebody has to do something about it, and has not said that they know. */
export const wantsYou = (vm: Pick<VmSafety, 'safety' | 'isAcknowledged'>): boolean => needsYou(vm) && !vm.isAcknowledged
