import { setTimeout as sleep } from 'node:timers/promises'
import { formatBytes } from '../../shared/format.ts'
import { fail } from '../../shared/failure.ts'
import type { BackupSpec } from '../../shared/model/job.ts'
import type { Policy } from '../../shared/model/policy.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { jobIds, readReport, readSpec } from '../jobs/job-directory.ts'
import { readPolicy } from '../policy/policy-file.ts'
import { deletableIn } from '../retention/deletable.ts'
import { knowStore } from '../retention/known-stores.ts'
import { makeRoom } from '../retention/make-room.ts'
import { claimRoom, type Need, type Shortage } from '../room/claims.ts'
import type { CapturePlan } from './capture-plan.ts'
import { needsOf } from './estimate-room.ts'

/**
 * Claims room for RAM, copies and what the VM writes meanwhile, on each file system that they go to. Room that would only
 * be short if everything grew as much as it can is a warning: the job is watched, and ends in time. In a full store the
 * job of a policy makes room within its rules first.
 *
 * @throws `no-room` if what is likely does not fit, `store-changed` if the store is not the one that was there
 */
export async function requireRoom(job: JobContext<BackupSpec>, plan: CapturePlan): Promise<void> {
  const { store, acceptStore = false } = job.spec
  await knowStore(store, acceptStore)
  const { needs, shortages } = await claim(job, plan)
  const left = await afterMakingRoom(job, needs, shortages)
  const certain = left.find(({ isCertain }) => isCertain)
  if (certain !== undefined)
    failFor(certain, certain.folders.includes(store) ? { deletable: await deletableIn(store), store } : {})
  for (const shortage of left) job.warn(inWords(shortage))
}

/** By what is quickly known; where that does not fit, by a closer look. */
async function claim(
  { shell, id, spec }: JobContext<BackupSpec>,
  plan: CapturePlan
): Promise<{ needs: readonly Need[]; shortages: Shortage[] }> {
  const quick = await needsOf(shell, plan, spec.store, false)
  const shortages = await claimRoom(id, quick)
  if (!shortages.some(({ isCertain }) => isCertain)) return { needs: quick, shortages }
  const needs = await needsOf(shell, plan, spec.store, true)
  return { needs, shortages: await claimRoom(id, needs) }
}

/** Only for what is likely to be missing, or where the last backup of this VM has found out that it needs more. */
async function afterMakingRoom(
  job: JobContext<BackupSpec>,
  needs: readonly Need[],
  shortages: Shortage[]
): Promise<Shortage[]> {
  const { store, vm } = job.spec
  const short = shortages.find(({ folders }) => folders.includes(store))
  const policy = await policyOf(job.spec)
  if (short === undefined || policy === undefined || !(short.isCertain || ranOutOfRoom(vm, job.id))) return shortages
  const freedBytes = await makeRoom({ job, policy, vm, missingBytes: short.missingBytes })
  return freedBytes === 0 ? shortages : claimSoon(job.id, needs, freedBytes < short.missingBytes ? 1 : 10)
}

/** Its rules as they are now. Undefined for a job by hand, and for one whose policy is gone or has gone elsewhere. */
async function policyOf({ policy, store }: BackupSpec): Promise<Policy | undefined> {
  if (policy === undefined) return undefined
  const now = await readPolicy(policy.id).catch(() => undefined)
  return now?.store === store ? now : undefined
}

function ranOutOfRoom(vm: string, before: string): boolean {
  const last = jobIds().findLast((id) => id < before && isBackupOf(id, vm))
  const report = last === undefined ? undefined : readReport(last)
  return report?.failure?.kind === 'no-room' && report.method !== undefined
}

function isBackupOf(id: string, vm: string): boolean {
  try {
    const spec = readSpec(id)
    return spec?.kind === 'backup' && spec.vm === vm
  } catch {
    return false
  }
}

const AGAIN_AFTER_MS = 1000

/** Some file systems give room back a while after a file was removed. */
async function claimSoon(id: string, needs: readonly Need[], tries: number): Promise<Shortage[]> {
  for (let left = tries; ; left--) {
    const shortages = await claimRoom(id, needs)
    if (left <= 1 || !shortages.some(({ isCertain }) => isCertain)) return shortages
    await sleep(AGAIN_AFTER_MS)
  }
}

type NoRoom = Extract<Parameters<typeof fail>[0], { kind: 'no-room' }>

export function failFor(
  { path, forWhat, neededBytes, freeBytes, claimedBytes, reserveBytes }: Shortage,
  more: Pick<NoRoom, 'deletable' | 'store'> = {}
): never {
  return fail({ kind: 'no-room', path, forWhat, neededBytes, freeBytes, claimedBytes, reserveBytes, ...more })
}

const inWords = ({ path, forWhat, neededBytes, freeBytes }: Shortage): string =>
  `${path} may become too small: ${forWhat} take ${formatBytes(neededBytes)} if they grow as much as they can, and ` +
  `${formatBytes(freeBytes)} are free. The job gives way before it is full.`
