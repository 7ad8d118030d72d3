import type { JobState } from '../../src/shared/model/job.ts'
import type { JobPlan, Phase } from './jobs.ts'
import type { HostFault, Scene } from './plan.ts'
import type { VmKind } from './vms.ts'
import { afterReset, worldOf, type World } from './world.ts'

export const isDone = (state: JobState | undefined): boolean => state === 'done' || state === 'done-with-warnings'

/** Who copies a VM or brings it to another host does nothing to the VM itself. */
export const phaseOfActs = (job: JobPlan, phase: Phase): Phase =>
  job.kind === 'copy' || job.kind === 'elsewhere' ? 'untouched' : phase

/** The VM as it is at a moment of an undisturbed job: a new one, once a restore has put it there. */
export const worldAt = (job: JobPlan, vm: VmKind, phase: Phase): World =>
  job.kind === 'replace' && phase === 'restored' ? restoredWorld(vm, job.mode) : worldOf(vm)

export function restoredWorld(vm: VmKind, mode: string): World {
  return { ...worldOf(vm), power: mode === 'define' ? 'off' : 'running', boot: 'any' }
}

/** What befell the host comes after what the owner did. */
export const afterHostFault = (world: World, fault: HostFault | undefined): World =>
  fault === 'power-cut' ? afterReset(world) : world

/**
 * How the VM has to be when all is over. `acted`: what its owner made of it. A restore that reached its purpose has put
 * another VM in its place; one that did not has put back what was there, which may have been stopped meanwhile.
 */
export function expectedWorld({ job, vm, moment }: Scene, acted: World, state: JobState | undefined): World {
  if (job.kind !== 'replace' || moment === undefined) return acted
  if (moment.phase === 'restored') return isDone(state) ? acted : putBack(worldOf(vm))
  return isDone(state) ? restoredWorld(vm, job.mode) : putBack(acted)
}

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
