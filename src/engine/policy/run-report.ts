import type { RunEntry, RunReport, RunState, RunVm } from '../../shared/model/policy.ts'

/** What the journal says of its run so far. Undefined before the run has begun. */
export function runReportOf(entries: readonly RunEntry[]): RunReport | undefined {
  const end = entries.findLast((entry) => entry.type === 'end')
  if (end !== undefined) return end.report
  const begin = entries.find((entry) => entry.type === 'begin')
  if (begin === undefined) return undefined
  const pruned = entries.findLast((entry) => entry.type === 'pruned')?.pruned
  return {
    ...begin.report,
    vms: lastOfEach([...begin.report.vms, ...ofType(entries, 'vm').map(({ vm }) => vm)]),
    ...(pruned && { pruned }),
    told: ofType(entries, 'told').map(({ told }) => told),
    warnings: [...begin.report.warnings, ...ofType(entries, 'warning').map(({ text }) => text)]
  }
}

type EntryOf<T extends RunEntry['type']> = Extract<RunEntry, { type: T }>

export const ofType = <T extends RunEntry['type']>(entries: readonly RunEntry[], type: T): EntryOf<T>[] =>
  entries.filter((entry): entry is EntryOf<T> => entry.type === type)

/** In the order in which each was first spoken of. */
function lastOfEach(vms: readonly RunVm[]): RunVm[] {
  const byUuid = new Map<string, RunVm>()
  for (const vm of vms) byUuid.set(vm.vm.uuid, vm)
  return [...byUuid.values()]
}

/** The worst that happened to one of its VMs; a run all of whose VMs were skipped is skipped. */
export function stateOf({ vms, warnings, pruned }: Pick<RunReport, 'vms' | 'warnings' | 'pruned'>): RunState {
  const has = (...outcomes: RunVm['outcome'][]): boolean => vms.some(({ outcome }) => outcomes.includes(outcome))
  if (has('failed', 'cancelled', 'waiting', 'running')) return 'failed'
  if (has('skipped') && !has('done', 'done-with-warnings')) return 'skipped'
  const remarks = warnings.length > 0 || (pruned?.refused.length ?? 0) > 0
  return remarks || has('skipped', 'done-with-warnings') ? 'done-with-warnings' : 'done'
}
