import * as z from 'zod'
import { Uuid } from '../../shared/model/ids.ts'
import { vmOf, type JobSpec } from '../../shared/model/job.ts'
import type { Shell } from '../../shared/shell.ts'
import { jobInfo } from '../../libvirt/domain-jobs.ts'
import { domainState, listNamedDomains, type StateAndReason } from '../../libvirt/domains.ts'
import { isOfAMoment, stateToStart } from './owners-state.ts'
import { LogPosition, logPosition } from './vm-history.ts'
import { VmProcess, vmProcess } from './vm-process.ts'

/** How a VM stood before a job touched it: what happened to it since is told by comparing. */
export const VmBefore = z.object({
  process: VmProcess.optional(),
  log: LogPosition.optional(),
  /** In libvirt's words, as its owner had it. Undefined: it was not asked. */
  state: z.string().optional()
})
export type VmBefore = z.infer<typeof VmBefore>

export async function noteVm(uuid: string, vmName: string): Promise<VmBefore> {
  const [process, log] = await Promise.all([vmProcess(uuid), logPosition(vmName)])
  return { ...(process && { process }), ...(log && { log }) }
}

export const NotedVm = z.object({ uuid: Uuid, name: z.string(), before: VmBefore })
export type NotedVm = z.infer<typeof NotedVm>

/** The VM of a job, and the one that has its name: a restore may be about to take its place. Each by the name that it has. */
export async function noteVms(shell: Shell, spec: JobSpec): Promise<NotedVm[]> {
  const { uuid, name } = vmOf(spec)
  const known = await listNamedDomains(shell).catch(() => [])
  const namesake = spec.kind === 'restore' ? known.find((vm) => vm.name === name)?.uuid : undefined
  const uuids = [...new Set([uuid, namesake ?? uuid])]
  return Promise.all(
    uuids.map(async (each) => {
      const nameNow = known.find((vm) => vm.uuid === each)?.name ?? name
      return { uuid: each, name: nameNow, before: await noteWithState(shell, each, nameNow) }
    })
  )
}

/** A pause that is not its owner's passes: that of a job of libvirt's, while that goes on. */
async function asOwned(shell: Shell, uuid: Uuid, now: StateAndReason): Promise<string> {
  const work = isOfAMoment(now) ? await jobInfo(shell, uuid).catch(() => 'not told') : undefined
  return work === undefined ? stateToStart(now) : 'running'
}

/** A libvirt that does not answer keeps no job from its beginning. */
async function noteWithState(shell: Shell, uuid: Uuid, vmName: string): Promise<VmBefore> {
  const state = await domainState(shell, uuid).catch(() => undefined)
  return { ...(await noteVm(uuid, vmName)), ...(state && { state: await asOwned(shell, uuid, state) }) }
}
