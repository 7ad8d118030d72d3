import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { ASIDE_DIR } from '../../shared/host-paths.ts'
import type { Shell } from '../../shared/shell.ts'
import {
  defineDomain,
  destroyDomain,
  domainState,
  setAutostart,
  startDomain,
  undefineDomain
} from '../../libvirt/domains.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { jobDirectory } from '../jobs/job-directory.ts'
import type { DisplacedVm, Rename, RestorePlan } from './restore-plan.ts'

export const asideDirectory = (jobId: string): string => `${ASIDE_DIR}/${jobId}`

/** Takes the VMs that are replaced out of the way. Their definitions and disks are kept until somebody lets go of them. */
export async function displace(job: JobContext, plan: RestorePlan): Promise<void> {
  for (const vm of plan.displaced) await displaceVm(job, vm)
  await renameAside(plan.orphans)
}

export const keptAside = ({ displaced, orphans }: RestorePlan): string[] =>
  [...displaced.flatMap(({ renames }) => renames), ...orphans].map(({ to }) => to)

async function displaceVm(job: JobContext, vm: DisplacedVm): Promise<void> {
  const aside = asideDirectory(job.id)
  await mkdir(aside, { recursive: true, mode: 0o700 })
  await writeFile(`${aside}/${vm.uuid}.json`, JSON.stringify(vm, undefined, 2), { mode: 0o600, flush: true })
  await writeFile(`${aside}/${vm.uuid}.xml`, vm.definition, { mode: 0o600, flush: true })
  const state = await domainState(job.shell, vm.uuid)
  if (state !== undefined && isActive(state.state)) await destroyDomain(job.shell, vm.uuid)
  await renameAside(vm.renames)
  if ((await domainState(job.shell, vm.uuid)) !== undefined) await undefineDomain(job.shell, vm.uuid)
}

/** The way back: files, definition, and the VM runs again if it did. Safe to do again. */
export async function putBack(shell: Shell, jobId: string, vm: DisplacedVm): Promise<void> {
  await renameBack(vm.renames)
  const definition = `${jobDirectory(jobId)}/displaced.xml`
  await writeFile(definition, vm.definition, { mode: 0o600 })
  await defineDomain(shell, definition)
  await setAutostart(shell, vm.uuid, vm.autostart)
  const state = await domainState(shell, vm.uuid)
  if (vm.wasActive && state?.state === 'shut off') await startDomain(shell, vm.uuid)
}

const isActive = (state: string): boolean => state !== 'shut off'

/** Always within a folder, so that it is a matter of names, never of copying. Safe to do again. */
async function renameAside(renames: readonly Rename[]): Promise<void> {
  for (const { from, to } of renames) if (existsSync(from) && !existsSync(to)) await rename(from, to)
}

export async function renameBack(renames: readonly Rename[]): Promise<void> {
  for (const { from, to } of renames) if (existsSync(to) && !existsSync(from)) await rename(to, from)
}
