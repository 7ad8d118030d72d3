import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf, isFailure, type Failure } from '../../shared/failure.ts'
import type { RunVm } from '../../shared/model/policy.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { vmHolder } from '../jobs/vm-lock.ts'
import { backUp } from './backup-job.ts'
import { fitToVm } from './fit-to-vm.ts'
import { noteVm, whyOver, type RunContext } from './run-context.ts'
import { takeSlot } from './slots.ts'
import { withHooks } from './with-hooks.ts'

type Vm = RunVm['vm']
export const GONE = 'not on this host any more: migrated, renamed or deleted'

/** One VM's turn in a run. `later`: somebody has it just now, and there is time to wait for them. */
export async function backUpVm(run: RunContext, vm: Vm): Promise<'done' | 'later'> {
  const slot = await takeSlot(`run ${run.id}`, () => whyOver(run) !== undefined)
  if (slot === undefined) return skip(run, vm, whyOver(run) ?? '')
  try {
    return await turn(run, vm)
  } catch (error) {
    return failed(run, vm, failureOf(error))
  } finally {
    await slot.release()
  }
}

async function turn(run: RunContext, vm: Vm): Promise<'done' | 'later'> {
  const holder = await vmHolder(vm.uuid)
  if (holder !== undefined) return waitFor(run, vm, holder)
  const state = await domainState(run.shell, vm.uuid)
  if (state === undefined) return skip(run, vm, GONE)
  const domain = parseDomain(await domainXml(run.shell, vm.uuid))
  const named = { uuid: vm.uuid, name: domain.name }
  const fitted = fitToVm(run.policy, state.state, domain)
  try {
    noteVm(run, { ...(await withHooks(run, named, () => backUp(run, named, fitted))), vm: named })
    return 'done'
  } catch (error) {
    if (!isFailure(error, 'vm-busy')) throw error
    return waitFor(run, named, error.failure)
  }
}

/** Noted once for each holder; the run's journal is no log of looks. */
function waitFor(run: RunContext, vm: Vm, { by, since }: { by: string; since: string }): 'done' | 'later' {
  const why = `${by} has it since ${since}`
  const over = whyOver(run)
  if (over !== undefined) return skip(run, vm, `${over}; ${why}`)
  noteOnce(run, { vm, outcome: 'waiting', reason: why })
  return 'later'
}

const noted = new Map<string, string>()

function noteOnce(run: RunContext, vm: RunVm): void {
  if (noted.get(vm.vm.uuid) === vm.reason) return
  noted.set(vm.vm.uuid, vm.reason ?? '')
  noteVm(run, vm)
}

function skip(run: RunContext, vm: Vm, reason: string): 'done' {
  noteVm(run, { vm, outcome: 'skipped', reason })
  return 'done'
}

function failed(run: RunContext, vm: Vm, failure: Failure): 'done' {
  noteVm(run, { vm, outcome: 'failed', reason: describeFailure(failure).title, failure })
  return 'done'
}
