import type { Policy, RunEntry, RunVm } from '../../shared/model/policy.ts'
import { shorten } from '../../shared/safe-text.ts'
import type { Shell } from '../../shared/shell.ts'
import { readRunEntries, type RunJournal } from './run-files.ts'

/** What the steps of a run work with. */
export interface RunContext {
  readonly id: string
  /** As it was when the run began. */
  readonly policy: Policy
  readonly shell: Shell
  readonly journal: RunJournal
  /** Aborted when its unit is stopped or the host shuts down: nothing more is begun. */
  readonly signal: AbortSignal
  /** Why no backup begins any more, for the time that it is. */
  readonly closed: () => string | undefined
}

export const entriesOf = ({ id }: Pick<RunContext, 'id'>): RunEntry[] => readRunEntries(id)

/** Why nothing more begins now. Undefined: go on. */
export const whyOver = ({ signal, closed }: RunContext): string | undefined =>
  signal.aborted ? 'the run was stopped before its turn' : closed()

const LONGEST_REASON = 4000

/** Writes down how it stands with a VM now. */
export function noteVm({ journal }: Pick<RunContext, 'journal'>, vm: RunVm): void {
  journal.append({
    type: 'vm',
    vm: { ...vm, ...(vm.reason !== undefined && { reason: shorten(vm.reason, LONGEST_REASON) }) }
  })
}
