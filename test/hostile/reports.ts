import type { JobReport } from '../../src/shared/model/job.ts'
import type { RunReport } from '../../src/shared/model/policy.ts'

export const AT = '2026-11-22T20:17:44.000Z'

export const idOf = (n: number): string => `20261122T201744Z-${n.toString(16).padStart(6, '0')}`

/** Of a backup that has ended well. */
export const jobReport = (n: number, changes: Partial<JobReport> = {}): JobReport => ({
  id: idOf(n),
  kind: 'backup',
  host: 'alpha',
  vm: { uuid: '4dea22b3-1d52-d8f3-2516-782e98ab3fa0', name: 'web1' },
  state: 'done',
  startedAt: AT,
  endedAt: AT,
  pauses: [],
  pauseMs: 40,
  phases: [],
  warnings: [],
  ...changes
})

export const runReport = (n: number, changes: Partial<RunReport> = {}): RunReport => ({
  id: idOf(n),
  policy: { id: 'abcdef012345', name: 'nightly' },
  host: 'alpha',
  trigger: 'timer',
  startedAt: AT,
  endedAt: AT,
  state: 'done',
  missed: [],
  missedCount: 0,
  vms: [],
  told: [],
  warnings: [],
  ...changes
})
