import type { Policy, RunReport } from '../../../src/shared/model/policy.ts'
import { DEFAULT_KEEP } from '../../../src/shared/retention/presets.ts'

export const policyId = '0000000000aa'

/** Every night, all VMs, on alpha. */
export const aPolicy = (change: Partial<Policy> = {}): Policy => ({
  version: 1,
  id: policyId,
  name: 'Every night',
  hostName: 'alpha',
  budgetMs: 300,
  onBusy: 'pause',
  store: '/var/lib/stillpoint/points',
  vms: { kind: 'all', exclude: [] },
  schedule: { calendar: '*-*-* 02:00:00', jitterSeconds: 300 },
  keep: DEFAULT_KEEP,
  tell: { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] },
  changedAt: '2026-11-01T00:00:00.000Z',
  ...change
})

/** A run of it by its timer that did nothing, well. */
export const aRun = (change: Partial<RunReport> = {}): RunReport => ({
  id: '20261124T010000Z-00000a',
  policy: { id: policyId, name: 'Every night' },
  host: 'alpha',
  trigger: 'timer',
  startedAt: '2026-11-24T01:00:00.000Z',
  endedAt: '2026-11-24T01:02:00.000Z',
  state: 'done',
  missed: [],
  missedCount: 0,
  vms: [],
  told: [],
  warnings: [],
  ...change
})
