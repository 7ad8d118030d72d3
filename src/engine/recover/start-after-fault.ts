import * as z from 'zod'
import { ofType } from '../../shared/job-report.ts'
import type { JournalEntry } from '../../shared/model/job.ts'
import { domainState, startDomain, type StateAndReason } from '../../libvirt/domains.ts'
import { isOff } from '../evidence/owners-state.ts'
import { lastSeen } from '../evidence/seen.ts'
import { NotedVm } from '../evidence/vm-before.ts'
import { historySince, type VmHistory } from '../evidence/vm-history.ts'
import { bootId } from '../host-facts.ts'
import type { JobContext } from '../jobs/job-context.ts'
import { libvirtAnswers } from './libvirt-answers.ts'
import type { UndoStep } from './program.ts'

/** What libvirt calls an end that no owner asks for. */
const FAULTS = ['crashed', 'failed', 'daemon']

/**
 * `fault`, or libvirt's word for an end that somebody wanted. An end that libvirt did not note is a fault only where the
 * host went down since `began`, its boot id when the job began: otherwise somebody may have the VM elsewhere.
 */
export async function howItEnded(
  { name, before }: Pick<NotedVm, 'name' | 'before'>,
  began: string | undefined,
  now: StateAndReason | undefined
): Promise<string | undefined> {
  return endTold(await historySince(name, before.log), now?.reason) ?? endByBoot(began)
}

/** libvirt has a reason for every state. */
export const isWord = (reason: string | undefined): boolean => reason !== undefined && !['unknown', ''].includes(reason)

/** `fault` where the host went down since that boot. */
export const endByBoot = async (began: string | undefined): Promise<'fault' | undefined> =>
  began !== (await bootId()) ? 'fault' : undefined

/** `fault`, or libvirt's word for an end that somebody wanted, as its log or its reason for the state of a VM tells. */
export function endTold(history: VmHistory | undefined, reason: string | undefined): string | undefined {
  const told = history?.ended ?? (isWord(reason) ? reason : undefined)
  return told !== undefined && FAULTS.includes(told) ? 'fault' : told
}

/** How the VMs of a job stood when it began. Engines before this one did not note it. */
export const notedVms = (begin: Extract<JournalEntry, { type: 'begin' }> | undefined): NotedVm[] =>
  z.array(NotedVm).catch([]).parse(begin?.vms)

/** For a job that has not touched any VM. */
export const startAfterFault = (job: JobContext, entries: readonly JournalEntry[]): UndoStep => ({
  name: 'undo.state',
  work: () => startWhatFaultsEnded(job, entries).then(() => undefined)
})

/** VMs that ran when the job began and that a fault has ended since run again. Answers whether any had to be started. */
export async function startWhatFaultsEnded(job: JobContext, entries: readonly JournalEntry[]): Promise<boolean> {
  const [begin] = ofType(entries, 'begin')
  const ran = notedVms(begin).filter(({ before }) => before.process !== undefined)
  if (ran.length > 0) await libvirtAnswers(job.shell, ran[0]?.uuid ?? '')
  let started = false
  for (const vm of ran) {
    const paused = (lastSeen(entries, vm.uuid) ?? vm.before.state) === 'paused'
    started = (await startIfFault(job, vm, begin?.bootId, paused)) || started
  }
  return started
}

async function startIfFault(
  job: JobContext,
  vm: NotedVm,
  began: string | undefined,
  paused: boolean
): Promise<boolean> {
  const now = await domainState(job.shell, vm.uuid)
  if (now === undefined || !isOff(now)) return false
  if ((await howItEnded(vm, began, now)) !== 'fault') return false
  await startDomain(job.shell, vm.uuid, { paused })
  job.warn(`${vm.name} was found ${now.state} and was started again${paused ? ', paused as it was' : ''}`)
  return true
}
