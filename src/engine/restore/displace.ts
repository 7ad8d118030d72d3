import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { fail } from '../../shared/failure.ts'
import type { RestoreSpec } from '../../shared/model/job.ts'
import type { Manifest } from '../../shared/model/point.ts'
import type { Shell } from '../../shared/shell.ts'
import { destroyDomain, domainInfo, domainState, undefineDomain } from '../../libvirt/domains.ts'
import { isStill } from '../evidence/file-identity.ts'
import { renameIfProven, shown } from '../evidence/removal.ts'
import { keep, removable, type Verdict } from '../evidence/verdict.ts'
import { logPosition } from '../evidence/vm-history.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { lookAgain, orphansOf } from './conflicts.ts'
import { asideDirectory, keepRecords, recordNames, type RecordNames } from './kept-records.ts'
import { isChangedForNow, startableDefinition } from './displaced-vm.ts'
import { fateRequest, fatesOf, filesThatStay, type FateRequest } from './left-out.ts'
import {
  placesOf,
  stopOf,
  undefineOf,
  type DisplacedVm,
  type Displacing,
  type Rename,
  type RestorePlan
} from './restore-plan.ts'
import { holdVms, othersIn } from './vm-locks.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'

/**
 * What makes way as it is now, hours after the plan was made: looked at under the locks of all of these VMs, which are held
 * from here on.
 *
 * @throws `vm-busy` while somebody works for one of them, `foreign-work` if they are not as the plan has them
 */
export async function lookBeforeDisplacing(
  job: JobContext<RestoreSpec>,
  plan: RestorePlan,
  manifest: Manifest
): Promise<Displacing> {
  await holdVms(job.id, othersIn(plan))
  if (plan.copyOf !== undefined) return { displaced: [], orphans: await orphansNow(plan, [], job.id) }
  const asked = await fateRequest(job.shell, job.spec, manifest)
  const attached = await attachedAsPlanned(plan, asked)
  const seen = await lookAgain(job.shell, { ...asked, jobId: job.id, attached }, plan.displaced)
  const displaced = seen.map((vm) => withWhatItHad(vm, plan.displaced))
  const orphans = await orphansNow(plan, displaced, job.id)
  requireFreePlaces(plan, [...displaced.flatMap(({ renames }) => renames), ...orphans])
  return { displaced, orphans }
}

/** A fault may have ended it since it was planned: what it had for that run only nothing else tells any more. */
function withWhatItHad(vm: DisplacedVm, planned: readonly DisplacedVm[]): DisplacedVm {
  const before = planned.find(({ uuid }) => uuid === vm.uuid)
  return vm.wasActive || before === undefined ? vm : { ...vm, forThatRun: before.forThatRun }
}

/**
 * Files that the VM goes on using where they are: each must still be one that it may write to, and those that its RAM knows
 * as they were then.
 */
async function attachedAsPlanned(plan: RestorePlan, asked: FateRequest): Promise<ReadonlySet<string>> {
  const next = await fatesOf(parseDomain(plan.definition), asked)
  const ram = plan.memoryXml === undefined ? [] : await fatesOf(parseDomain(plan.memoryXml), asked)
  const refuse = (target: string, because: string): never =>
    fail({ kind: 'foreign-work', vm: plan.vmName, detail: `Disk ${target} is not as it was planned: ${because}` })
  for (const { disk, fate } of [...next, ...ram]) if (fate.kind === 'removed') refuse(disk.target, fate.because)
  for (const { disk, fate } of ram)
    if (fate.kind === 'attached' && !fate.isUnchanged)
      refuse(disk.target, 'it has been written to, and the RAM would not fit it any more')
  return new Set(filesThatStay([...next, ...ram]))
}

const orphansNow = (plan: RestorePlan, displaced: readonly DisplacedVm[], jobId: string): Promise<Rename[]> =>
  orphansOf(plan.vmName, plan.tpm?.path, displaced, jobId)

/** Nothing is ever put over a file that does not make way. */
function requireFreePlaces(plan: RestorePlan, renames: readonly Rename[]): void {
  for (const { path } of placesOf(plan))
    if (existsSync(path) && !renames.some(({ from }) => from === path))
      fail({
        kind: 'foreign-work',
        vm: plan.vmName,
        detail: `${path} does not make way any more: somebody needs it there since this restore was planned`
      })
}

/** Takes the VMs that are replaced out of the way. Their definitions and disks are kept until somebody lets go of them. */
export async function displace(job: JobContext, { displaced, orphans }: Displacing): Promise<void> {
  for (const vm of displaced) await displaceVm(job, vm)
  if (orphans.length > 0) await keepOrphans(job.id, orphans)
  for (const rename of orphans) await renameAside(job.shell, rename)
}

export const keptAside = ({ displaced, orphans }: Displacing): string[] =>
  [...displaced.flatMap(({ renames }) => renames), ...orphans].map(({ to }) => to)

async function displaceVm(job: JobContext, vm: DisplacedVm): Promise<void> {
  const { shell } = job
  await requireAsSeen(shell, vm)
  // libvirt forgets a transient VM as it stops.
  const early = vm.persistent ? undefined : await keepRecords(shell, job.id, vm)
  await stop(job, vm)
  const records = early ?? (await keepRecords(shell, job.id, vm))
  for (const rename of vm.renames) await renameAside(shell, rename, vm)
  await takeDefinition(job, vm, records)
}

/**
 * Stopping and renaming take seconds, in which its owner may have been at it. It is announced, lest an undo define a VM
 * that its owner undefined, and with what tells why it is off, since the restored VM writes to the same log.
 */
async function takeDefinition(job: JobContext, vm: DisplacedVm, records: RecordNames): Promise<void> {
  const { shell } = job
  await requireAsSeen(shell, vm)
  const now = await domainState(shell, vm.uuid)
  if (now === undefined) return
  if (now.state !== 'shut off') wasChanged(vm, 'it was started')
  if (JSON.stringify(await recordNames(shell, vm.uuid)) !== JSON.stringify(records))
    wasChanged(vm, 'its snapshots or checkpoints were changed')
  // Where it has none libvirt itself refuses as soon as it has one.
  const keepSnapshots = records.snapshots.length + records.checkpoints.length === 0
  const log = await logPosition(vm.name)
  await job.step(undefineOf(vm.uuid), { reason: now.reason, ...(log && { log }) }, () =>
    undefineDomain(shell, vm.uuid, { keepManagedSave: true, keepSnapshots })
  )
}

const wasChanged = ({ name }: DisplacedVm, what: string): never =>
  fail({ kind: 'foreign-work', vm: name, detail: `${what} as it was about to make way` })

/**
 * What is put back is what was written down: what its owner has changed in the definition since would be lost, or one that he
 * has given to a VM that had none.
 */
async function requireAsSeen(shell: Shell, vm: DisplacedVm): Promise<void> {
  const { uuid, persistent, definition } = vm
  if ((await domainState(shell, uuid)) === undefined) return
  const isChanged = persistent
    ? (await startableDefinition(shell, uuid)) !== definition
    : (await domainInfo(shell, uuid)).persistent
  if (isChanged) wasChanged(vm, 'its definition was changed')
}

/**
 * Only what runs as it did when it was looked at: between then and now its owner may have been at it. It is announced, with
 * how far libvirt's log was, lest an undo start a VM that its owner stopped.
 */
async function stop(job: JobContext, vm: DisplacedVm): Promise<void> {
  const { shell } = job
  const { uuid, name, wasActive } = vm
  const now = await domainState(shell, uuid)
  const isActive = now !== undefined && now.state !== 'shut off'
  if (isActive !== wasActive)
    fail({
      kind: 'vm-state',
      vm: name,
      state: now?.state ?? 'gone',
      wanted: wasActive ? 'as it was, active' : 'as it was, shut off'
    })
  if (!isActive) return
  if (await isChangedForNow(shell, vm)) wasChanged(vm, 'its devices were changed')
  const log = await logPosition(name)
  await job.step(stopOf(uuid), { ...(log && { log }) }, () => destroyDomain(shell, uuid))
}

/** Always within a folder, so that it is a matter of names, never of copying. @throws `foreign-work` if it must stay */
async function renameAside(shell: Shell, rename: Rename, vm?: DisplacedVm): Promise<void> {
  const verdict = await renameIfProven(
    shell,
    {
      path: rename.from,
      ...(rename.format && { format: rename.format }),
      ...(vm && { exceptVm: vm.uuid }),
      made: () => theOneSeen(rename.from, rename),
      content: shown('it is renamed, not removed')
    },
    rename.to
  )
  if (verdict.kind === 'keep')
    fail({ kind: 'foreign-work', vm: vm?.name ?? rename.from, detail: `${verdict.path}: ${verdict.because}` })
}

/** The journal names the file, not only its path. */
export async function theOneSeen(path: string, { file }: Pick<Rename, 'file'>): Promise<Verdict> {
  return (await isStill(path, file))
    ? removable('it is the file that the journal names')
    : keep(path, 'it is another file than the one that was there')
}

/** What no VM here owned has no folder of its own in what is kept aside. */
async function keepOrphans(jobId: string, orphans: readonly Rename[]): Promise<void> {
  await mkdir(asideDirectory(jobId), { recursive: true, mode: 0o700 })
  await writeFile(`${asideDirectory(jobId)}/orphans.json`, JSON.stringify({ renames: orphans }, undefined, 2), {
    mode: 0o600,
    flush: true
  })
}
