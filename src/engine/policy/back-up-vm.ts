import { randomBytes } from 'node:crypto'
import { describeFailure } from '../../shared/failure-words.ts'
import { failureOf, isFailure, type Failure } from '../../shared/failure.ts'
import { newTimeSortedId } from '../../shared/model/ids.ts'
import type { BackupSpec, JobReport } from '../../shared/model/job.ts'
import type { Hook, RunVm } from '../../shared/model/policy.ts'
import { shorten } from '../../shared/safe-text.ts'
import { parseDomain } from '../../libvirt/domain-xml.ts'
import { domainState, domainXml } from '../../libvirt/domains.ts'
import { endOfJob } from '../jobs/follow.ts'
import { submitJob } from '../jobs/submit.ts'
import { vmHolder } from '../jobs/vm-lock.ts'
import { fitToVm, type Fitted } from './fit-to-vm.ts'
import { runHook, type HookSetting } from './hooks.ts'
import { whyOver, type RunContext } from './run-context.ts'
import { takeSlot } from './slots.ts'

type Vm = RunVm['vm']
export const GONE = 'not on this host any more: migrated, renamed or deleted'
const LONGEST_REASON = 4000

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
    tell(run, { ...(await withHooks(run, named, () => backUp(run, named, fitted))), vm: named })
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
  tell(run, vm)
}

export function tell({ journal }: Pick<RunContext, 'journal'>, vm: RunVm): void {
  journal.append({
    type: 'vm',
    vm: { ...vm, ...(vm.reason !== undefined && { reason: shorten(vm.reason, LONGEST_REASON) }) }
  })
}

function skip(run: RunContext, vm: Vm, reason: string): 'done' {
  tell(run, { vm, outcome: 'skipped', reason })
  return 'done'
}

function failed(run: RunContext, vm: Vm, failure: Failure): 'done' {
  tell(run, { vm, outcome: 'failed', reason: describeFailure(failure).title, failure })
  return 'done'
}

type Outcome = Omit<RunVm, 'vm'>

/** `after` runs whenever `before` was begun, whatever became of the backup. */
async function withHooks(run: RunContext, vm: Vm, work: () => Promise<Outcome>): Promise<Outcome> {
  const { hooks, name: policy } = run.policy
  const setting = { policy, vm }
  const before = await hook(run, hooks?.before, { ...setting, phase: 'before' })
  let outcome: Outcome = { outcome: 'skipped', reason: 'another job had the VM' }
  try {
    outcome =
      before !== undefined && hooks?.beforeMustSucceed === true
        ? { outcome: 'failed', reason: before }
        : withWarning(await work(), before)
  } finally {
    const { point } = outcome
    const after = await hook(run, hooks?.after, { ...setting, phase: 'after', outcome: outcome.outcome, point })
    outcome = withWarning(outcome, after)
  }
  return outcome
}

async function hook(
  { shell, journal }: RunContext,
  command: Hook | undefined,
  setting: HookSetting
): Promise<string | undefined> {
  if (command === undefined) return undefined
  journal.append({ type: 'hook', vm: setting.vm.uuid, phase: setting.phase, done: false })
  const problem = await runHook(shell, command, setting)
  journal.append({ type: 'hook', vm: setting.vm.uuid, phase: setting.phase, done: true })
  return problem
}

function withWarning(outcome: Outcome, warning: string | undefined): Outcome {
  if (warning === undefined) return outcome
  return {
    ...outcome,
    outcome: outcome.outcome === 'done' ? 'done-with-warnings' : outcome.outcome,
    reason: [outcome.reason, warning].filter((text) => text !== undefined).join('; ')
  }
}

/** An ordinary job, which would go on without us. Its id is in our journal before the job is. */
async function backUp(run: RunContext, vm: Vm, fitted: Fitted): Promise<Outcome> {
  const job = newTimeSortedId(new Date(), randomBytes)
  tell(run, { vm, outcome: 'running', job, ...(fitted.reason !== undefined && { reason: fitted.reason }) })
  await submitJob(run.shell, job, specFor(run, vm, fitted), undefined)
  return outcomeOf(await endOfJob(run.shell, job), fitted.reason)
}

function specFor({ id, policy }: RunContext, vm: Vm, { method, excludeDisks }: Fitted): BackupSpec {
  return {
    kind: 'backup',
    vm: vm.uuid,
    vmName: vm.name,
    hostName: policy.hostName,
    store: policy.store,
    budgetMs: policy.budgetMs,
    onBusy: policy.onBusy,
    ...(method && { method }),
    ...(excludeDisks && { excludeDisks }),
    policy: { id: policy.id, name: policy.name },
    run: id
  }
}

/** `remark`: what the run itself has to say of this VM. */
export function outcomeOf(job: JobReport, remark?: string): Outcome {
  const { state, failure, point, method, sizeBytes, pauseMs, startedAt, endedAt } = job
  const reasons = [remark, failure && describeFailure(failure).title, ...job.warnings].filter(
    (text) => text !== undefined
  )
  return {
    outcome: state === 'done' || state === 'done-with-warnings' || state === 'cancelled' ? state : 'failed',
    ...(reasons.length > 0 && { reason: reasons.join('; ') }),
    ...(failure && { failure }),
    job: job.id,
    ...(point !== undefined && state.startsWith('done') && { point }),
    ...(method && { method }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    pauseMs,
    ...(endedAt !== undefined && { durationMs: Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) })
  }
}
