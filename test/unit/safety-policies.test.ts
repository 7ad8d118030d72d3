import { describe, expect, it } from 'vitest'
import type { Policy, RunReport } from '../../src/shared/model/policy.ts'
import { alarmsOf, overallOf, safetyOf, type Known, type VmSafety } from '../../src/shared/safety.ts'
import { safetySentence } from '../../src/shared/safety-words.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import type { PolicyState } from '../../src/shared/views/policy-view.ts'
import { DEFAULT_CHOICES, type Choices } from '../../src/shared/views/settings-view.ts'
import { fakeBackup, uuidOf } from '../e2e/fake-data.ts'
import { policyOf } from './made-policies.ts'

const NOW = new Date('2026-11-22T20:00:00.000Z')
const hoursAgo = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString()
const stamp = (hours: number): string => hoursAgo(hours).replaceAll(/[-:]|\.\d+/g, '')

const host = (more: Partial<HostView> = {}): HostView => ({
  name: 'alpha',
  address: 'alpha',
  addedAt: hoursAgo(1000),
  state: 'up',
  asOf: NOW.toISOString(),
  vms: [
    {
      uuid: uuidOf(1),
      name: 'web',
      state: 'running',
      ramBytes: 1,
      vcpus: 1,
      autostart: false,
      agent: 'absent',
      disks: []
    }
  ],
  ...more
})

const point = (hours: number): PointView => ({
  id: `${stamp(hours)}-000001`,
  vm: { uuid: uuidOf(1), name: 'web' },
  host: 'alpha',
  takenAt: hoursAgo(hours),
  method: 'live',
  hasMemory: true,
  disks: [{ target: 'vda', source: '/images/web1.qcow2' }],
  sizeBytes: 10,
  pauseMs: 40,
  warnings: [],
  places: [{ kind: 'host', host: 'alpha', dir: '/points', label: 'alpha', reachable: true }],
  marks: { pinned: false }
})

const policy = (more: Partial<Policy> = {}): Policy =>
  policyOf({ expectEveryHours: 5, changedAt: hoursAgo(100), ...more })

const run = (hours: number, vms: readonly number[]): RunReport => ({
  id: `${stamp(hours)}-0000aa`,
  policy: { id: '00000000000a', name: 'nightly' },
  host: 'alpha',
  trigger: 'timer',
  startedAt: hoursAgo(hours),
  endedAt: hoursAgo(hours),
  state: 'done',
  missed: [],
  missedCount: 0,
  vms: vms.map((n) => ({ vm: { uuid: uuidOf(n), name: 'web' }, outcome: 'done' })),
  told: [],
  warnings: []
})

interface Given {
  readonly states?: readonly PolicyState[]
  readonly points?: readonly PointView[]
  readonly hosts?: readonly HostView[]
  readonly jobs?: Known['jobs']
  readonly choices?: Partial<Choices>
}

const known = ({ states = [{ policy: policy() }], points = [], hosts = [host()], ...more }: Given): Known => ({
  hosts,
  points: { points, broken: [], known: true },
  jobs: more.jobs ?? [],
  choices: { ...DEFAULT_CHOICES, ...more.choices },
  policies: {
    hosts: [
      {
        host: 'alpha',
        asOf: hoursAgo(1),
        reachable: true,
        policies: [...states],
        broken: [],
        timeZone: 'UTC',
        parallel: 1,
        channels: {},
        outbox: []
      }
    ],
    known: true
  }
})

function only(given: Given): VmSafety {
  const [first] = safetyOf(known(given), NOW)
  if (first === undefined) throw new Error('no VM')
  return first
}

const overall = (given: Given): string => {
  const of = known(given)
  return overallOf(of.hosts, safetyOf(of, NOW))
}
const sentence = (given: Given): string => {
  const of = known(given)
  return safetySentence(of.hosts, safetyOf(of, NOW), NOW)
}

describe('a VM that a policy covers', () => {
  it('knows its policies and the soonest run of those that are not paused', () => {
    const states: PolicyState[] = [
      { policy: policy(), nextRunAt: hoursAgo(-9) },
      { policy: policy({ id: '00000000000b', name: 'hourly' }), nextRunAt: hoursAgo(-1) },
      { policy: policy({ id: '00000000000c', name: 'off', pausedUntil: hoursAgo(-99) }), nextRunAt: hoursAgo(-0.5) },
      { policy: policy({ id: '00000000000d', vms: { kind: 'pattern', patterns: ['db*'], exclude: [] } }) }
    ]
    const vm = only({ states, points: [point(1)] })
    expect(vm.policies).toEqual([
      { id: '00000000000a', name: 'nightly', host: 'alpha' },
      { id: '00000000000b', name: 'hourly', host: 'alpha' },
      { id: '00000000000c', name: 'off', host: 'alpha', pausedUntil: hoursAgo(-99) }
    ])
    expect(vm.nextRunAt).toBe(hoursAgo(-1))
  })

  it('is held to the shortest promise, not to what holds for all', () => {
    const states = [{ policy: policy({ expectEveryHours: 50 }) }, { policy: policy({ expectEveryHours: 2 }) }]
    expect(only({ states, points: [point(3)] })).toMatchObject({ expectWithinMs: 2 * 3_600_000, safety: 'old' })
    expect(only({ states: states.slice(0, 1), points: [point(40)] }).safety).toBe('good')
  })

  it('is held to what the schedule comes to, where the policy does not say', () => {
    const of = (calendar: string): readonly PolicyState[] => [
      { policy: policy({ expectEveryHours: undefined, schedule: { calendar, jitterSeconds: 0 } }) }
    ]
    expect(only({ states: of('02:00'), points: [point(29)] })).toMatchObject({ safety: 'good' })
    expect(only({ states: of('02:00'), points: [point(31)] })).toMatchObject({ safety: 'old' })
    expect(only({ states: of('hourly'), points: [point(3)] })).toMatchObject({ expectWithinMs: 2 * 3_600_000 })
    expect(only({ states: of('nonsense'), points: [point(3)] })).toMatchObject({ expectWithinMs: 26 * 3_600_000 })
  })

  it('says since when it is silent, and that is a danger', () => {
    const given = { states: [{ policy: policy(), lastRun: run(9, [1]) }], points: [point(9)] }
    expect(only(given)).toMatchObject({ safety: 'old', silentSince: hoursAgo(4) })
    expect(overall(given)).toBe('danger')
    expect(sentence(given)).toMatch(/^Your VM needs you; web is silent since 2026-11-22 ..:..$/)
  })

  it('is silent also when its host does not answer', () => {
    const given = { points: [point(9)], hosts: [host({ state: 'down' })] }
    expect(overall(given)).toBe('danger')
  })

  it('is silent also when its host has not answered since this Stillpoint started', () => {
    const hosts = [host({ state: 'down', asOf: undefined, vms: [] })]
    expect(overall({ points: [point(9)], hosts })).toBe('danger')
    expect(only({ states: [{ policy: policy(), lastRun: run(9, [1]) }], hosts })).toMatchObject({
      name: 'web',
      safety: 'none',
      silentSince: hoursAgo(95)
    })
  })

  it('is no danger without a policy: it is only old', () => {
    expect(overall({ states: [], points: [point(99)] })).toBe('attention')
    expect(only({ states: [], points: [point(99)] }).silentSince).toBe(hoursAgo(73))
  })

  it('is no broken promise while every policy of it is paused', () => {
    const states = [{ policy: policy({ pausedUntil: hoursAgo(-9) }) }]
    expect(only({ states, points: [point(9)] })).toMatchObject({ safety: 'good', expectWithinMs: 26 * 3_600_000 })
    expect(overall({ states, points: [point(99)] })).toBe('attention')
  })

  it('has its time again after a pause', () => {
    const states = [{ policy: policy({ pausedUntil: hoursAgo(2) }), lastRun: run(90, [1]) }]
    expect(only({ states, points: [point(90)] })).toMatchObject({ safety: 'old', silentSince: undefined })
    expect(overall({ states, points: [point(90)] })).toBe('attention')
  })
})

describe('a VM without a point that a policy covers', () => {
  const fresh = [{ policy: policy({ changedAt: hoursAgo(1) }), nextRunAt: '2026-11-23T02:00:00.000Z' }]

  it('waits until its first point is due, and is never called good', () => {
    expect(only({ states: fresh }).safety).toBe('waiting')
    expect(overall({ states: fresh })).toBe('unknown')
    expect(sentence({ states: fresh })).toMatch(/^web waits for its first backup: 2026-11-2/)
  })

  it('is unprotected from then on', () => {
    expect(only({ states: [{ policy: policy({ changedAt: hoursAgo(6) }) }] })).toMatchObject({
      safety: 'none',
      silentSince: hoursAgo(1)
    })
  })

  it('waits also where it is newer than the last run, which did not find it', () => {
    expect(only({ states: [{ policy: policy(), lastRun: run(2, [7]) }] }).safety).toBe('waiting')
    expect(only({ states: [{ policy: policy(), lastRun: run(2, [1]) }] }).safety).toBe('none')
    expect(only({ states: [{ policy: policy(), lastRun: run(2, []) }] }).safety).toBe('none')
  })

  it('does not wait when its first backup failed', () => {
    const jobs = [{ ...fakeBackup(point(1), 1), state: 'failed-clean' as const }]
    expect(only({ states: fresh, jobs }).safety).toBe('failing')
  })

  it('is not known before every store has been asked', () => {
    const of = { ...known({ states: fresh }), points: { points: [], broken: [], known: false } }
    expect(safetyOf(of, NOW).map(({ safety }) => safety)).toEqual(['unknown'])
  })
})

describe('what is acknowledged', () => {
  const failed = { ...fakeBackup(point(1), 1), state: 'failed-clean' as const }
  const at = NOW.toISOString()
  const acknowledged = (...what: readonly string[]): Partial<Choices> => ({
    acknowledged: what.map((each) => ({ uuid: uuidOf(1), what: each, at }))
  })

  it('is a failure that does not count until something new fails', () => {
    const given = { points: [point(3)], jobs: [failed] }
    expect(alarmsOf(only(given))).toEqual([failed.id])
    expect(overall(given)).toBe('danger')
    expect(overall({ ...given, choices: acknowledged(failed.id) })).toBe('good')
    expect(sentence({ ...given, choices: acknowledged(failed.id) })).toMatch(/acknowledged/)
    const again = { ...failed, id: `${stamp(0.5)}-000009`, startedAt: hoursAgo(0.5) }
    expect(overall({ ...given, jobs: [again, failed], choices: acknowledged(failed.id) })).toBe('danger')
  })

  it('is a silence until another one begins', () => {
    const given = { points: [point(9)] }
    expect(alarmsOf(only(given))).toEqual([`silent:${point(9).id}`])
    expect(overall({ ...given, choices: acknowledged(`silent:${point(9).id}`) })).toBe('good')
    expect(overall({ points: [point(8), point(9)], choices: acknowledged(`silent:${point(9).id}`) })).toBe('danger')
    expect(only({ ...given, choices: acknowledged(`silent:${point(9).id}`) })).toMatchObject({
      safety: 'old',
      isAcknowledged: true
    })
  })

  it('does not cover a silence that comes after an acknowledged failure', () => {
    const given = { points: [point(9)], jobs: [failed], choices: acknowledged(failed.id) }
    expect(overall(given)).toBe('danger')
    expect(overall({ ...given, choices: acknowledged(failed.id, `silent:${point(9).id}`) })).toBe('good')
  })

  it('is of one VM only', () => {
    const choices = { acknowledged: [{ uuid: uuidOf(2), what: 'silent:-', at }] }
    expect(overall({ states: [], choices })).toBe('danger')
    expect(overall({ states: [], choices: acknowledged('silent:-') })).toBe('good')
  })

  it('leaves a muted VM muted', () => {
    const muted = [{ uuid: uuidOf(1), name: 'web', reason: 'parked', at }]
    expect(overall({ points: [point(99)], choices: { muted } })).toBe('good')
  })
})
