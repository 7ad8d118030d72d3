import type { JobState } from '../../src/shared/model/job.ts'
import { momentsOf, type JobPlan, type Phase } from './jobs.ts'
import type { HostFault, Scene } from './plan.ts'
import type { VmKind } from './vms.ts'
import { afterReset, afterRestart, startedAnew, worldOf, type World } from './world.ts'

export const isDone = (state: JobState | undefined): boolean => state === 'done' || state === 'done-with-warnings'

/** Who copies a VM or brings it to another host does nothing to the VM itself. */
export const phaseOfActs = (job: JobPlan, phase: Phase): Phase =>
  job.kind === 'copy' || job.kind === 'elsewhere' ? 'untouched' : phase

/** The VM as it is at a moment of an undisturbed job: a new one, once a restore has put it there. */
export function worldAt(job: JobPlan, vm: VmKind, phase: Phase): World {
  if (job.kind === 'replace' && phase === 'restored') return restoredWorld(vm, job.mode)
  return job.kind === 'copy' || job.kind === 'elsewhere' ? { ...worldOf(vm), comesBack: false } : worldOf(vm)
}

export function restoredWorld(vm: VmKind, mode: string): World {
  const runs = mode !== 'define'
  return { ...worldOf(vm), power: runs ? 'running' : 'off', boot: 'any', comesBack: runs }
}

/**
 * What befell the host comes after what the owner did. A policy's run may not have begun its job by then. One that stands in a
 * file of ours loses nothing, and comes from there though libvirt knows none.
 */
export function afterHostFault(world: World, fault: HostFault | undefined, job: JobPlan, phase?: Phase): World {
  if (fault === 'libvirtd-killed' || fault === 'libvirtd-restarted') return afterRestart(world)
  if (fault !== 'power-cut') return world
  if (phase === 'in-file' && !world.isDefined) return world
  return job.kind === 'policy' ? { ...afterReset(world), mayAlso: 'off' } : afterReset(world)
}

/** Overlays are in place, and how the images below them stand is not noted yet. */
export const isBeforeNote = ({ moment }: Scene): boolean =>
  ['snapshot.done', 'thaw', 'thaw.done'].includes(moment?.point ?? '')

/**
 * How the VM has to be when all is over. `acted`: what its owner made of it. A restore that reached its purpose has put
 * another VM in its place; one that did not has put back what was there, which may have been stopped meanwhile, by its owner too:
 * who did, nobody can tell of a restore that was killed as it began to. Whose overlay was committed by hand and which then lost
 * its power, before its job saw that, may be off: nobody can tell it from one whose overlay holds what was written last.
 */
export function expectedWorld(scene: Scene, acted: World, state: JobState | undefined): World {
  const { job, vm, moment } = scene
  if (acted.torn && acted.boot === 'any' && state === 'failed-needs-you')
    return { ...acted, mayAlso: 'off', needsPerson: true }
  if (diedBehindLastLook(scene, acted, state)) return { ...acted, mayAlso: 'off' }
  if (isPausedAsWe(scene, acted)) return { ...acted, mayAlso: 'running' }
  if (job.kind !== 'replace' || moment === undefined) return acted
  if (moment.phase === 'restored') return isDone(state) ? acted : putBack(worldOf(vm))
  if (isDone(state)) return restoredWorld(vm, job.mode)
  if (moment.point !== 'displace') return putBack(wasStopped(scene) ? startedAsDefined(acted) : acted)
  if (!acted.isDefined) return orDefinedAgain(vm, putBack(acted))
  return isKilled(scene) && scene.acts.includes('destroy') && acted.power === 'off'
    ? { ...putBack(acted), power: 'running', mayAlso: 'off' }
    : putBack(acted)
}

/** The job has done all it does, and only its end is not written yet: what dies then is started where that is not written at all. */
const diedBehindLastLook = ({ job, moment, acts }: Scene, { power }: World, state: JobState | undefined): boolean =>
  ((job.kind === 'backup' && moment?.point === 'state.done') ||
    (job.kind === 'replace' && moment?.point === 'settle.done' && isDone(state))) &&
  acts.includes('qemu-killed') &&
  power === 'running'

/** A guest that stands still cannot say whether it was thawed, and of that nothing is noted yet. */
export const isMute = ({ moment }: Scene, { power }: World): boolean =>
  moment?.point === 'thaw.done' && power === 'paused'

/**
 * Its owner paused it when the job had just announced that it would, or had it going again and not noted that yet: whose pause it
 * is nobody can tell once that was killed; nor where it was cancelled before it had looked how the VM stands.
 */
const isPausedAsWe = (scene: Scene, { power }: World): boolean =>
  ['suspend', 'restore.done'].includes(scene.moment?.point ?? '') &&
  scene.acts.includes('suspend') &&
  power === 'paused' &&
  (isKilled(scene) || (scene.moment?.point === 'suspend' && scene.ending !== 'release'))

/** What it had for that run only goes as the restore stops it, which is said. Of a transient VM that is all there is. */
const startedAsDefined = (world: World): World =>
  world.isDefined && ['running', 'paused'].includes(world.power) ? startedAnew(world) : world

/** What it had for that run only is lost with the stop: then the report has to say so. */
export const losesWhatItHad = (
  scene: Scene,
  { power, isDefined, live, next, liveMedium, nextMedium }: World
): boolean =>
  wasStopped(scene) && isDefined && power === 'running' && (live.join() !== next.join() || liveMedium !== nextMedium)

/** It was killed where the VM had made way. */
const wasStopped = ({ job, vm, laterKill }: Scene): boolean =>
  ['displaced', 'restored'].includes(momentsOf(job, vm).find(({ point }) => point === laterKill)?.phase ?? '')

/** What its process knew and had not noted is lost. */
const isKilled = ({ ending, laterKill, undoKill }: Scene): boolean =>
  ending === 'kill' || laterKill !== undefined || undoKill !== undefined

/** Whether its owner took the definition away or the restore that had just begun to, nobody can tell: it may be back. */
const orDefinedAgain = (vm: VmKind, world: World): World => ({
  ...world,
  isDefined: true,
  mayBeTransient: true,
  mayAlso: world.power,
  next: worldOf(vm).next
})

/** RAM of a VM that made way is lost; what ran runs again. */
function putBack(world: World): World {
  const { mayAlso: _, ...rest } = world
  return { ...rest, boot: 'any', ...(world.power === 'paused' && { mayAlso: 'running' }) }
}

/** Everything that an operator sees of it is as when the round began. */
export function isAsBefore(vm: VmKind, world: World): boolean {
  const seen = ({ power, isDefined, live, next, liveMedium, nextMedium, name, snapshots, checkpoint }: World): string =>
    JSON.stringify([power, isDefined, live, next, liveMedium, nextMedium, name, snapshots, checkpoint])
  return world.mayAlso === undefined && seen(world) === seen(worldOf(vm))
}
