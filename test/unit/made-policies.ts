import type { Policy, RunReport } from '../../src/shared/model/policy.ts'

/** A policy for all VMs of alpha, every night at two. */
export const policyOf = (more: Partial<Policy> = {}): Policy => ({
  version: 1,
  id: '00000000000a',
  name: 'nightly',
  hostName: 'alpha',
  store: '/var/lib/stillpoint/points',
  budgetMs: 300,
  onBusy: 'pause',
  vms: { kind: 'all', exclude: [] },
  schedule: { calendar: '02:00', jitterSeconds: 0 },
  keep: { floor: 3, graceHours: 24 },
  tell: { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] },
  changedAt: '2026-01-01T00:00:00.000Z',
  ...more
})

/** A run of it in which all went well. */
export const runOf = (more: Partial<RunReport> = {}): RunReport => ({
  id: '20261125T120000Z-0000aa',
  policy: { id: '00000000000a', name: 'nightly' },
  host: 'alpha',
  trigger: 'timer',
  startedAt: '2026-11-25T12:00:00.000Z',
  endedAt: '2026-11-25T12:01:00.000Z',
  state: 'done',
  missed: [],
  missedCount: 0,
  vms: [],
  told: [],
  warnings: [],
  ...more
})
