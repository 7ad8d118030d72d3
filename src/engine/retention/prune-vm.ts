import type { PointId, Uuid } from '../../shared/model/ids.ts'
import type { VmIdentity } from '../../shared/model/job.ts'
import type { Policy, Pruned, RunEntry } from '../../shared/model/policy.ts'
import { flawsOf } from '../../shared/retention/coverage.ts'
import { planRetention } from '../../shared/retention/plan-retention.ts'
import type { Between } from '../../store/between.ts'
import { dropMemory, isHalfDropped } from '../../store/drop-memory.ts'
import { moveToTrash, removeTrashed, settleTrash } from '../../store/move-to-trash.ts'
import { readMarks } from '../../store/marks.ts'
import { listPointsOf } from '../../store/point-store.ts'
import { expiryOf, listTrash, type Trashed } from '../../store/trash.ts'
import { restoreByHand } from '../capture/restore-by-hand.ts'
import { faultPoint } from '../journal/fault.ts'
import { lockVm } from '../jobs/vm-lock.ts'
import { restoreOf } from './being-restored.ts'
import { changingPoint } from './point-lock.ts'
import { pointsOfPolicy, type PolicyPoint } from './policy-points.ts'
import { whileAloneIn } from './store-lock.ts'

export type PruneStep = Omit<Extract<RunEntry, { type: 'prune' }>, 'n' | 'at'>

export interface Pruning {
  readonly policy: Policy
  /** By a clock that was found sane. */
  readonly now: Date
  readonly timeZone: string
  /** Grows as things are done. */
  readonly pruned: Pruned
  readonly journal: (step: PruneStep) => void
}

/** Nobody aborts a prune: it ends by itself within moments. */
const between: Between = (step) => faultPoint(`prune.${step}`, new AbortController().signal)

/**
 * The points of one VM, under its lock: into the trash, out of the trash for good, RAM out of points that stay.
 *
 * @throws `vm-busy`, and what the file system says; what was done until then is in `pruned`
 */
export async function pruneVm(pruning: Pruning, vm: VmIdentity, fresh: PointId): Promise<void> {
  const { policy, pruned } = pruning
  const lock = await lockVm(vm.uuid, vm.name, `retention of ${policy.name}`)
  try {
    const restore = restoreOf(vm.uuid)
    if (restore !== undefined) pruned.refused.push(`${vm.name} is being restored by job ${restore}`)
    else await whileAloneIn(policy.store, () => pruneLocked(pruning, vm, fresh))
  } finally {
    await lock.release()
  }
}

async function pruneLocked(pruning: Pruning, { uuid: vm, name }: VmIdentity, fresh: PointId): Promise<void> {
  const { policy, pruned, timeZone } = pruning
  pruned.freedBytes += await settleTrash(policy.store, vm)
  const [found] = await pointsOfPolicy(policy.store, await listPointsOf(policy.store, vm), policy.id)
  const points = found?.points ?? []
  const fates = planRetention(points, policy.keep, { timeZone, excludeDisks: policy.excludeDisks })
  const flaws = flawsOf(points, policy.excludeDisks)
  const byId = new Map(points.map((point) => [point.id, point]))
  if (fates.find(({ id }) => !flaws.has(id))?.id !== fresh) {
    pruned.refused.push(whyNotFresh(name, flaws.get(fresh)))
    return
  }
  for (const { id, keep, reasons } of fates.toReversed()) {
    const point = byId.get(id)
    if (point !== undefined && !keep) await trash(pruning, point, reasons.join(', '))
  }
  const whole = points.filter(({ id }) => !flaws.has(id) && !pruned.trashed.includes(id))
  await emptyTrash(pruning, vm, whole.length)
  for (const { id, keep, memory } of fates) {
    const point = byId.get(id)
    if (point !== undefined && keep) await forgetMemory(pruning, point, memory === 'dropped')
  }
}

const whyNotFresh = (name: string, flaw: string | undefined): string =>
  flaw === undefined
    ? `the newest good point of ${name} is not the one that this run took`
    : `the new point of ${name} is ${flaw}, which points before it have: they stay until one has it again, the schedule leaves it out, or they are deleted by hand`

async function trash(pruning: Pruning, point: PolicyPoint, why: string): Promise<void> {
  const { policy, now, pruned } = pruning
  const { id, name } = policy
  const { graceHours } = policy.keep
  const note = { at: now.toISOString(), policy: { id, name }, why, graceHours }
  await alone(pruning, point, async () => {
    if ((await readMarks(point.dir))?.pinned === true) return
    await journaled(pruning, 'trash', point.manifest.vm.uuid, point.id, why, () =>
      moveToTrash(policy.store, point.manifest.vm.uuid, point.id, note, between)
    )
    pruned.trashed.push(point.id)
  })
}

/** Only while the VM has as many whole points as it must have at least: until then the trash is a reserve. */
async function emptyTrash(pruning: Pruning, vm: Uuid, whole: number): Promise<void> {
  const { policy, pruned } = pruning
  if (whole < policy.keep.floor) return
  for (const trashed of await listTrash(policy.store, vm)) {
    if (!isOver(pruning, trashed)) continue
    const why = `its grace is over: ${trashed.note?.why ?? ''}`
    await journaled(pruning, 'remove', vm, trashed.point, why, async () => {
      pruned.freedBytes += await removeTrashed(trashed, between)
    })
    pruned.removed.push(trashed.point)
  }
}

/** What was thrown away just now has begun its grace. */
const isOver = ({ policy, now, pruned }: Pruning, trashed: Trashed): boolean =>
  !pruned.trashed.includes(trashed.point) && isGraceOver(policy, now, trashed)

/** Of this policy by its grace as it is now, of others by theirs as it was. */
export function isGraceOver(policy: Policy, now: Date, trashed: Trashed): boolean {
  const isOurs = trashed.note?.policy.id === policy.id
  const expiry = expiryOf(trashed, isOurs ? policy.keep.graceHours : undefined)
  if (expiry === undefined || trashed.pinned) return false
  return expiry <= now && Date.parse(trashed.note?.at ?? '') <= now.getTime()
}

async function forgetMemory(pruning: Pruning, point: PolicyPoint, isDropped: boolean): Promise<void> {
  const { policy, pruned } = pruning
  if (!point.good || (!isDropped && !(await isHalfDropped(point.dir, point.manifest)))) return
  const why = `RAM stays in the newest ${policy.keep.memory ?? 0} points`
  await alone(pruning, point, async () => {
    await journaled(pruning, 'drop-memory', point.manifest.vm.uuid, point.id, why, async () => {
      pruned.freedBytes += await dropMemory(point.dir, restoreByHand, between)
    })
    pruned.memoryDropped.push(point.id)
  })
}

async function alone({ pruned }: Pruning, { id, dir }: PolicyPoint, work: () => Promise<void>): Promise<void> {
  const lock = await changingPoint(dir)
  if (lock === undefined) {
    pruned.refused.push(`point ${id} is being read`)
    return
  }
  try {
    await work()
  } finally {
    await lock.release()
  }
}

async function journaled(
  { policy, journal }: Pruning,
  action: PruneStep['action'],
  vm: Uuid,
  point: PointId,
  why: string,
  work: () => Promise<void>
): Promise<void> {
  const step = { type: 'prune', action, store: policy.store, vm, point, why } as const
  journal({ ...step, done: false })
  await between(action)
  await work()
  await between(`${action}.done`)
  journal({ ...step, done: true })
}
