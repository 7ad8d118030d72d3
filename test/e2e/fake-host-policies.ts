import { DEFAULT_KEEP, simplePreset } from '../../src/shared/retention/presets.ts'
import { knownZone } from '../../src/shared/host-time.ts'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import { nextRuns, parseCalendar } from '../../src/shared/schedule/calendar.ts'
import { selectVms } from '../../src/shared/select-vms.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { HostPolicies, PolicyState } from '../../src/shared/views/policy-view.ts'
import { fakeTelling } from './fake-channels.ts'
import { NASTY, nightlyOf, type FakeData } from './fake-data.ts'
import { badRun, goodRun, runningRun } from './fake-runs.ts'

interface Circumstances {
  readonly now: Date
  readonly troubles: boolean
  readonly refuses: boolean
  readonly hostCount: number
}

const HOUR_MS = 3_600_000
const ZONES = ['Europe/Rome', 'America/New_York', 'UTC', 'Asia/Kathmandu']

type Change = Partial<Policy>

const policyOf = (host: string, id: string, name: string, change: Change = {}): Policy => ({
  version: 1,
  id,
  name,
  hostName: host,
  budgetMs: 300,
  onBusy: 'pause',
  store: '/var/lib/stillpoint/points',
  vms: { kind: 'all', exclude: [] },
  schedule: { calendar: '*-*-* 02:30:00', jitterSeconds: 300 },
  keep: DEFAULT_KEEP,
  tell: { onSuccess: false, onFailure: true, digest: 'daily', mailTo: [] },
  changedAt: '2026-03-02T08:00:00.000Z',
  ...change
})

/** Others than the nightly one, so that every kind of words is seen. */
function others(host: string, vms: HostView['vms'], n: number, { now, troubles }: Circumstances): readonly Policy[] {
  const chosen = vms.slice(0, 5).map(({ uuid, name }) => ({ uuid, name }))
  const ids = ['a', 'b', 'c'].map((letter) => `${letter.repeat(6)}${n.toString(16).padStart(6, '0')}`)
  const [hourly = '', weekly = '', odd = ''] = ids
  if (n > 1) return []
  return [
    policyOf(host, hourly, 'Databases by the hour', {
      vms: { kind: 'pattern', patterns: ['db*', 'web?'], exclude: ['db-test*'] },
      schedule: {
        calendar: '*-*-* 00/4:15:00',
        jitterSeconds: 0,
        window: { from: '07:00', to: '20:00' }
      },
      keep: { last: 3, hourly: 24, daily: 7, memory: 1, floor: 3, graceHours: 24 },
      hooks: {
        before: { command: 'pg_dumpall > /srv/dumps/all.sql', deadlineSeconds: 120 },
        beforeMustSucceed: true
      }
    }),
    ...(chosen.length === 0
      ? []
      : [
          policyOf(host, weekly, 'Before the weekend', {
            vms: { kind: 'chosen', vms: chosen },
            schedule: { calendar: 'Fri *-*-* 18:00:00', jitterSeconds: 0 },
            keep: simplePreset(4),
            tell: { onSuccess: true, onFailure: true, digest: 'none', mailTo: ['ops@example.org'] },
            pausedUntil: new Date(now.getTime() + 60 * HOUR_MS).toISOString()
          })
        ]),
    ...(n === 0 || !troubles
      ? []
      : [
          policyOf(host, odd, NASTY[2]?.slice(0, 99) ?? '', {
            vms: { kind: 'pattern', patterns: ['*'], exclude: NASTY.map((name) => name.slice(0, 300)) }
          })
        ])
  ]
}

/** What a made-up host says of policies: where all is refused the first one has trouble. */
export function fakeHostPolicies(
  host: HostView,
  n: number,
  { now, troubles, refuses, hostCount }: Circumstances
): HostPolicies {
  const timeZone = ZONES[n % ZONES.length] ?? 'UTC'
  const isSilent = host.state === 'down'
  const isTroubled = refuses && n === 0
  const { id, name } = nightlyOf(host.name)
  const nightly = policyOf(host.name, id, name)
  const policies =
    n === hostCount - 1 && !refuses && hostCount < 5
      ? []
      : [nightly, ...others(host.name, host.vms, n, { now, troubles, refuses, hostCount })]
  return {
    host: host.name,
    asOf: host.asOf ?? now.toISOString(),
    reachable: !isSilent,
    timeZone,
    parallel: 1 + (n % 2),
    ...fakeTelling(n, now, troubles),
    broken: isTroubled
      ? [
          {
            path: '/var/lib/stillpoint/policies/0badc0ffee00.json',
            reason: 'it ends in the middle: <img src=x onerror=alert(1)>'
          }
        ]
      : [],
    policies: policies.map((policy, k): PolicyState => stateOf(policy, k, host, { timeZone, now, isTroubled }))
  }
}

interface StateOf {
  readonly timeZone: string
  readonly now: Date
  readonly isTroubled: boolean
}

function stateOf(policy: Policy, k: number, host: HostView, { timeZone, now, isTroubled }: StateOf): PolicyState {
  const calendar = parseCalendar(policy.schedule.calendar)
  const [next] =
    'problem' in calendar ? [] : nextRuns(calendar, knownZone(timeZone), new Date(policy.pausedUntil ?? now), 1)
  const vms = selectVms(policy.vms, host.vms)
  const at = new Date(now.getTime() - (5 + k) * HOUR_MS)
  const of = { host: host.name, policy: { id: policy.id, name: policy.name }, vms, at, n: 0x1000 + k }
  const lastRun =
    isTroubled && k === 0 ? badRun(of) : k === 1 && !isTroubled ? runningRun({ ...of, at: now }, 'timer') : goodRun(of)
  return {
    policy,
    ...(next !== undefined && { nextRunAt: next.toISOString() }),
    ...(k < 3 && { lastRun }),
    ...(isTroubled &&
      k === 1 && { problem: 'Another store is at /var/lib/stillpoint/points than the one that it wrote to.' })
  }
}

/** The last runs of each policy of a host, its newest among them. */
export function fakeRunsOf(at: HostPolicies, { hosts }: FakeData): readonly RunReport[] {
  const vms = hosts.find(({ name }) => name === at.host)?.vms ?? []
  return at.policies.flatMap(({ policy, lastRun }) => {
    if (lastRun === undefined) return []
    const older = Array.from({ length: 24 }, (_, n): RunReport => {
      const when = new Date(Date.parse(lastRun.startedAt) - (n + 1) * 24 * HOUR_MS)
      const of = { host: at.host, policy: lastRun.policy, vms: selectVms(policy.vms, vms), at: when, n: 0x2000 + n }
      return n === 4
        ? badRun(of)
        : n === 9
          ? { ...goodRun(of), state: 'skipped', reason: 'paused', vms: [], told: [] }
          : goodRun(of)
    })
    return [lastRun, ...older]
  })
}
