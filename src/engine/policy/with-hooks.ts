import { isFailure } from '../../shared/failure.ts'
import type { Hook, RunVm } from '../../shared/model/policy.ts'
import { runHook, type HookSetting } from './hooks.ts'
import type { RunContext } from './run-context.ts'

/** What became of a VM, but for which it is. */
export type Outcome = Omit<RunVm, 'vm'>

/** `after` runs whenever `before` was begun, whatever became of the backup. */
export async function withHooks(run: RunContext, vm: RunVm['vm'], work: () => Promise<Outcome>): Promise<Outcome> {
  const { hooks, name: policy } = run.policy
  const setting = { policy, vm }
  const before = await hook(run, hooks?.before, { ...setting, phase: 'before' })
  let outcome: Outcome = { outcome: 'failed' }
  try {
    outcome =
      before !== undefined && hooks?.beforeMustSucceed === true
        ? { outcome: 'failed', reason: before }
        : withWarning(await work(), before)
  } catch (error) {
    // It gets another turn.
    if (isFailure(error, 'vm-busy')) outcome = { outcome: 'skipped' }
    throw error
  } finally {
    const { point } = outcome
    const after = await hook(run, hooks?.after, { ...setting, phase: 'after', outcome: outcome.outcome, point })
    outcome = withWarning(outcome, after)
  }
  return outcome
}

export async function hook(
  { shell, journal }: Pick<RunContext, 'shell' | 'journal'>,
  command: Hook | undefined,
  setting: HookSetting
): Promise<string | undefined> {
  if (command === undefined) return undefined
  journal.append({ type: 'hook', vm: setting.vm.uuid, phase: setting.phase, done: false })
  const problem = await runHook(shell, command, setting)
  journal.append({ type: 'hook', vm: setting.vm.uuid, phase: setting.phase, done: true })
  return problem
}

/** A hook that failed, where that is no more than a warning. */
export function withWarning(outcome: Outcome, warning: string | undefined): Outcome {
  if (warning === undefined) return outcome
  return {
    ...outcome,
    outcome: outcome.outcome === 'done' ? 'done-with-warnings' : outcome.outcome,
    reason: [outcome.reason, warning].filter((text) => text !== undefined).join('; ')
  }
}
