import type { Policy, RunEntry, RunTrigger } from '../../shared/model/policy.ts'
import type { Shell } from '../../shared/shell.ts'
import { readRunEntries, type RunJournal } from './run-files.ts'

/** What the steps of a run work with. */
export interface RunContext {
  readonly id: string
  /** As it was when the run began. */
  readonly policy: Policy
  readonly trigger: RunTrigger
  readonly shell: Shell
  readonly journal: RunJournal
  /** Aborted when its unit is stopped or the host shuts down: nothing more is begun. */
  readonly signal: AbortSignal
  /** No backup begins any more once this is over, for the reason that is given. */
  readonly until: { readonly at: Date; readonly why: string }
}

export const entriesOf = ({ id }: Pick<RunContext, 'id'>): RunEntry[] => readRunEntries(id)

/** Why nothing more begins now. Undefined: go on. */
export function whyOver({ signal, until }: RunContext): string | undefined {
  if (signal.aborted) return 'the run was stopped before its turn'
  return Date.now() >= until.at.getTime() ? until.why : undefined
}
