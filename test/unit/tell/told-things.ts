import type { Policy, RunReport, RunVm } from '../../../src/shared/model/policy.ts'

const HOUR_MS = 3_600_000
const NIGHT = Date.parse('2026-11-24T01:00:00Z')
const at = (minutes: number): string => new Date(NIGHT + minutes * 60_000).toISOString()
const idAt = (iso: string): string => `${iso.replaceAll(/[-:]|\.\d+/g, '')}-7f3a21`

export const zone = 'Europe/Berlin'
export const uuidOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

export const policy = (change: Partial<Policy> = {}): Policy => ({
  version: 1,
  id: 'a1b2c3d4e5f6',
  name: 'nightly',
  hostName: 'kvm-1',
  store: '/var/lib/stillpoint/points',
  budgetMs: 300,
  onBusy: 'pause',
  vms: { kind: 'all', exclude: [] },
  schedule: { calendar: '*-*-* 02:00:00', jitterSeconds: 0 },
  keep: { last: 3, floor: 3, graceHours: 24 },
  tell: { onSuccess: true, onFailure: true, digest: 'none', mailTo: [] },
  changedAt: '2026-11-01T00:00:00.000Z',
  ...change
})

export const done = (n: number, name: string, change: Partial<RunVm> = {}): RunVm => ({
  vm: { uuid: uuidOf(n), name },
  outcome: 'done',
  job: idAt(at(n)),
  point: idAt(at(n)),
  method: 'live',
  pauseMs: 30 + n * 6,
  sizeBytes: n * 700 * 1024 ** 2,
  durationMs: 61_000 + n * 1000,
  ...change
})
export const failed = (n: number, name: string, reason: string): RunVm => ({
  vm: { uuid: uuidOf(n), name },
  outcome: 'failed',
  reason
})
export const skipped = (n: number, name: string, reason: string): RunVm => ({
  vm: { uuid: uuidOf(n), name },
  outcome: 'skipped',
  reason
})

export const run = (vms: RunVm[], change: Partial<RunReport> = {}, days = 0): RunReport => {
  const began = new Date(NIGHT + days * 24 * HOUR_MS).toISOString()
  return {
    id: idAt(began),
    policy: { id: 'a1b2c3d4e5f6', name: 'nightly' },
    host: 'kvm-1',
    trigger: 'timer',
    scheduledFor: began,
    startedAt: began,
    endedAt: new Date(Date.parse(began) + 724_000).toISOString(),
    state: vms.some(({ outcome }) => outcome === 'failed') ? 'failed' : 'done',
    missed: [],
    missedCount: 0,
    vms,
    told: [],
    nextRunAt: new Date(Date.parse(began) + 24 * HOUR_MS).toISOString(),
    warnings: [],
    ...change
  }
}

const nothing = { trashed: [], removed: [], memoryDropped: [], refused: [] }

export const success = run([done(1, 'web1'), done(2, 'mail'), done(3, 'old-nt', { method: 'offline', pauseMs: 0 })], {
  pruned: { ...nothing, trashed: [idAt(at(9))], removed: [idAt(at(8))], freedBytes: 3 * 1024 ** 3 }
})

export const failure = run(
  [
    done(1, 'web1'),
    skipped(2, 'mail', 'not on this host any more: migrated, renamed or deleted'),
    failed(3, 'db1', 'db1 is too busy for a pause of 300 ms'),
    done(4, 'dns', { outcome: 'done-with-warnings', reason: 'stood still for longer than its budget' })
  ],
  {
    missed: [{ at: '2026-11-23T01:00:00.000Z', reason: 'the host was off' }],
    missedCount: 3,
    pruned: { ...nothing, freedBytes: 0, refused: ['the clock of this host went 61 days ahead'] },
    warnings: ['before: exit code 1: cannot reach the database']
  }
)

/** Names that would like to be headers, commands, markup, links or another text. */
export const nastyNames = [
  'web\r\nBcc: victim@example.org\r\n\r\nhello',
  '<img src=x onerror=alert(1)>',
  '\u202Egpj.exe',
  '&amp;"quoted"\'',
  '[click](https://example.net) *bold* <!channel>',
  'Zürich 数据库 🐧',
  '\u001b[2Jcleared',
  'x'.repeat(600)
]
export const nasty = run(
  nastyNames.map((name, n) => (n % 2 === 0 ? failed(n + 1, name, `no room for ${name}`) : done(n + 1, name))),
  { policy: { id: 'a1b2c3d4e5f6', name: 'night\u202Ely' } }
)
