import * as z from 'zod'
import { failureOf, isFailure } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { PointId, Uuid } from '../../shared/model/ids.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import type { Policy } from '../../shared/model/policy.ts'
import { flawsOf } from '../../shared/retention/coverage.ts'
import { surplusOf, type Surplus } from '../../shared/retention/surplus.ts'
import { isCode } from '../../store/file-io.ts'
import { readMarks } from '../../store/marks.ts'
import { deleteForGood, moveToTrash, removeTrashed, settleTrash } from '../../store/move-to-trash.ts'
import { listPoints, listPointsOf } from '../../store/point-store.ts'
import { listTrash, type Trashed } from '../../store/trash.ts'
import { verifyPoint } from '../../store/verify-point.ts'
import { tryHostLock } from '../jobs/host-lock.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { hostTimeZone } from '../tell/host-time.ts'
import { restoreOf } from './being-restored.ts'
import { whyUnseen } from './between-hosts.ts'
import { clockNow, hostClockProblem } from './clock.ts'
import { changingPoint, whileReading } from './point-lock.ts'
import { pointsOfPolicy, type PolicyPoint, type VmPoints } from './policy-points.ts'
import { isGraceOver } from './prune-vm.ts'
import { noteVerdictAlone, whileAloneIn } from './store-lock.ts'

/** Names a removal in the journal of the job that needs the room; its run writes it down from there. */
export const MAKE_ROOM_STEP = 'make-room'

/** One removal in the journal. */
const RemovedForRoom = z.object({
  store: z.string(),
  vm: Uuid,
  point: PointId,
  why: z.string(),
  /** What it took. */
  bytes: z.number()
})
type RemovedForRoom = z.infer<typeof RemovedForRoom>

export interface RoomMaking {
  readonly job: JobContext
  /** By its rules as they are now. */
  readonly policy: Policy
  /** The job's own, whose lock it holds. */
  readonly vm: Uuid
  readonly missingBytes: number
}

/**
 * Makes room in a store before a backup there gives up: trash whose grace is over, then points that no rule keeps any more
 * and that have as many newer, whole ones as the floor says, proven good by their hashes; oldest first, and no more than
 * are needed. Each removal is in the job's journal before it is taken. Nothing where other hosts may read points unseen.
 * Returns the bytes that became free.
 */
export async function makeRoom(making: RoomMaking): Promise<number> {
  const { job, policy } = making
  const listing = await listPoints(policy.store)
  const times = listing.points.map(({ takenAt }) => takenAt)
  const problem = (await whyUnseen(policy.store)) ?? (await hostClockProblem(job.shell, times, clockNow()))
  if (problem !== undefined) {
    job.note(`no room is made in ${policy.store}: ${problem}`)
    return 0
  }
  const vms = await pointsOfPolicy(policy.store, listing, policy.id)
  let freedBytes = await clearTrash(making, vms)
  for (const { of, surplus } of surplusIn(policy, vms)) {
    if (freedBytes >= making.missingBytes) break
    freedBytes += await removeSurplus(making, of, surplus)
  }
  return freedBytes
}

interface SurplusOfVm {
  readonly of: VmPoints
  readonly surplus: Surplus
}

/** Of all VMs of the policy, oldest first. */
function surplusIn(policy: Policy, vms: readonly VmPoints[]): SurplusOfVm[] {
  const setting = { timeZone: hostTimeZone(), excludeDisks: policy.excludeDisks }
  return vms
    .flatMap((of) => surplusOf(of.points, policy.keep, setting).map((surplus) => ({ of, surplus })))
    .sort((a, b) => a.surplus.id.localeCompare(b.surplus.id))
}

/** Of VMs that have as many whole points as they must have at least: until then the trash is a reserve. */
async function clearTrash(making: RoomMaking, vms: readonly VmPoints[]): Promise<number> {
  const { policy, missingBytes } = making
  let freedBytes = 0
  for (const { vm, points } of vms) {
    if (points.length - flawsOf(points, policy.excludeDisks).size < policy.keep.floor) continue
    for (const trashed of await listTrash(policy.store, vm.uuid)) {
      if (freedBytes >= missingBytes) return freedBytes
      freedBytes += await removeFromTrash(making, trashed)
    }
  }
  return freedBytes
}

function removeFromTrash(making: RoomMaking, { vm, point }: Trashed): Promise<number> {
  const { policy } = making
  return withVm(making, vm, async () => {
    let freedBytes = await settleTrash(policy.store, vm)
    for (const trashed of (await listTrash(policy.store, vm)).filter((each) => each.point === point)) {
      if (!isGraceOver(policy, clockNow(), trashed)) continue
      const why = `its grace is over: ${trashed.note?.why ?? ''}`
      freedBytes += await announced(making, { vm, point, why, bytes: trashed.bytes }, () => removeTrashed(trashed))
    }
    return freedBytes
  })
}

/** What was found before is looked at again, alone with the VM: somebody may have pinned it, or deleted what it relied on. */
async function removeSurplus(making: RoomMaking, { vm }: VmPoints, { id, newer }: Surplus): Promise<number> {
  const { policy } = making
  if (!(await areProven(making, vm.uuid, newer))) return 0
  return withVm(making, vm.uuid, async () => {
    const [now] = await pointsOfPolicy(policy.store, await listPointsOf(policy.store, vm.uuid), policy.id)
    if (now === undefined) return 0
    const still = surplusIn(policy, [now]).find(({ surplus }) => surplus.id === id)
    const point = now.points.find((each) => each.id === id)
    if (still === undefined || point === undefined) return 0
    const proven = await Promise.all(still.surplus.newer.map((other) => isProven(now, other)))
    if (proven.filter(Boolean).length < policy.keep.floor) return 0
    return removePoint(making, point, `${still.surplus.why}, and a backup needs the room`)
  })
}

/** As many as the floor says: those that were checked before count, others are checked now, newest first. */
async function areProven(making: RoomMaking, vm: Uuid, newer: readonly PointId[]): Promise<boolean> {
  const { policy, job } = making
  const [found] = await pointsOfPolicy(policy.store, await listPointsOf(policy.store, vm), policy.id)
  if (found === undefined) return false
  const isKnown = await Promise.all(newer.map((id) => isProven(found, id)))
  let proven = isKnown.filter(Boolean).length
  for (const [index, id] of newer.entries()) {
    if (proven >= policy.keep.floor) break
    const point = found.points.find((each) => each.id === id)
    if (isKnown[index] === true || point === undefined) continue
    if (await verifies(job, policy.store, point)) proven += 1
  }
  return proven >= policy.keep.floor
}

const isProven = async ({ points }: VmPoints, id: string): Promise<boolean> => {
  const point = points.find((each) => each.id === id)
  return point !== undefined && (await readMarks(point.dir))?.verified?.good === true
}

/** One that cannot be read to its end just now is not proven, and nothing is written down of it. */
async function verifies(job: JobContext, store: string, { id, dir }: PolicyPoint): Promise<boolean> {
  const onProgress = (done: number, total: number): void => job.progress(`checking point ${id}`, done, total)
  try {
    const report = await whileReading(dir, () => verifyPoint(dir, job.shell, { onProgress, signal: job.signal }))
    await noteVerdictAlone(store, report)
    return report.good
  } catch (error) {
    if (isFailure(error, 'cancelled')) throw error
    const { title, explanation } = describeFailure(failureOf(error))
    job.note(`point ${id} could not be checked, and no room is made on its account: ${title}. ${explanation}`)
    return false
  }
}

/** Through the trash, so that what a kill leaves half done is ended by the next who comes; without it in a store that is full to the last byte. */
async function removePoint(making: RoomMaking, point: PolicyPoint, why: string): Promise<number> {
  const { policy } = making
  const { uuid } = point.manifest.vm
  const lock = await changingPoint(point.dir)
  if (lock === undefined) return 0
  try {
    if ((await readMarks(point.dir))?.pinned === true) return 0
    const step = { vm: uuid, point: point.id, why, bytes: point.sizeBytes }
    return await announced(making, step, async () => {
      const note = { at: clockNow().toISOString(), policy: { id: policy.id, name: policy.name }, why, graceHours: 0 }
      await moveToTrash(policy.store, uuid, point.id, note).catch((error: unknown) => {
        if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error
      })
      return (await deleteForGood(policy.store, point.id)).freedBytes
    })
  } finally {
    await lock.release()
  }
}

/** Under the VM's lock and alone in the store; nothing, where somebody works on that VM. */
async function withVm(making: RoomMaking, vm: Uuid, work: () => Promise<number>): Promise<number> {
  const { job, policy } = making
  if (restoreOf(vm) !== undefined) return 0
  const lock = vm === making.vm ? undefined : await tryHostLock(vm, `job ${job.id}`)
  if (lock === undefined && vm !== making.vm) return 0
  try {
    return await whileAloneIn(policy.store, work)
  } catch (error) {
    const { title, explanation } = describeFailure(failureOf(error))
    job.note(`no room was made: ${title}. ${explanation}`)
    return 0
  } finally {
    await lock?.release()
  }
}

async function announced(
  { job, policy: { store } }: RoomMaking,
  removed: Omit<RemovedForRoom, 'store'>,
  work: () => Promise<number>
): Promise<number> {
  const freedBytes = await job.step(MAKE_ROOM_STEP, { removed: { store, ...removed } }, work)
  job.note(`removed point ${removed.point} from ${store} to make room: ${removed.why}`)
  return freedBytes
}

/** What a job removed to make room, by its journal, in its order; what was announced and not seen to end is not in it. */
export function removedBy(entries: readonly JournalEntry[]): RemovedForRoom[] {
  const removed: RemovedForRoom[] = []
  let announced: RemovedForRoom | undefined
  for (const entry of entries) {
    if (entry.type === 'step' && entry.step === MAKE_ROOM_STEP)
      announced = RemovedForRoom.safeParse(entry.data?.['removed']).data
    if (entry.type !== 'step-done' || entry.step !== MAKE_ROOM_STEP || announced === undefined) continue
    removed.push(announced)
    announced = undefined
  }
  return removed
}
