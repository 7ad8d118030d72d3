import { describe, expect, it } from 'vitest'
import { firstPolicies, PolicyListing, type PoliciesView } from '../../src/shared/views/policy-view.ts'
import { safetyOf, type VmSafety } from '../../src/shared/safety.ts'
import type { Policy } from '../../src/shared/model/policy.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { fakeData } from '../e2e/fake-data.ts'
import { policyOf } from '../unit/made-policies.ts'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
import { bestMsOf, growthOf, longestPieceMs, timed, triedUntil, type Timed } from './cpu-time.ts'
import { runReport } from './reports.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('policies by the hundred')

const now = new Date('2026-11-25T10:00:00.000Z')
const { hosts, points, jobs } = fakeData({ hosts: 2, vms: 400, pointsPerVm: 1, now, troubles: false })
const idOf = (n: number): string => n.toString(16).padStart(12, '0')
const many = (count: number, make: (n: number) => Partial<Policy>): Policy[] =>
  Array.from({ length: count }, (_, n) => policyOf({ id: idOf(n), ...make(n) }))
const calendars = (make: (n: number) => string) => (n: number) => ({
  schedule: { calendar: make(n), jitterSeconds: n }
})
const nearly = `${'a'.repeat(290)}b`

/** What a host can say of its policies so that it is dear to find out what they promise. */
const DEAR: Readonly<Record<string, readonly Policy[]>> = {
  'every second, each with another jitter': many(
    2000,
    calendars(() => '*-*-* *:*:*')
  ),
  'every second, each written another way': many(
    2000,
    calendars((n) => `*-*-* *:*:0..${n % 60},${(n >> 6) % 60}..59`)
  ),
  'every minute': many(
    2000,
    calendars((n) => `*-*-* *:*:${n % 60}`)
  ),
  'a day in many years': many(
    2000,
    calendars((n) => `*-02-29 ${n % 24}:${n % 60}`)
  ),
  'a weekday that is seldom that day': many(
    2000,
    calendars((n) => `Mon *-02-29 ${n % 24}:${n % 60}:*`)
  ),
  'zones of their own': many(
    2000,
    calendars((n) => `*-*-* *:*:* ${['Europe/Berlin', 'UTC', 'Asia/Tokyo', 'America/Santiago'][n % 4] ?? ''}`)
  ),
  'no calendar': many(
    2000,
    calendars((n) => `${n}:${'9,'.repeat(200)}`)
  ),
  'patterns without end': many(2000, () => ({
    vms: { kind: 'pattern', patterns: Array.from({ length: 100 }, () => `*${'a*'.repeat(140)}b`), exclude: [] }
  })),
  'exclusions without end': many(2000, () => ({
    vms: { kind: 'all', exclude: Array.from({ length: 1000 }, () => `*${nearly}`) }
  }))
}

const viewOf = (host: string, policies: readonly Policy[]): PoliciesView['hosts'][number] => {
  const { shown, ...more } = firstPolicies(policies.map((policy) => ({ policy })))
  return {
    ...PolicyListing.parse({
      policies: shown,
      ...more,
      broken: [],
      timeZone: 'UTC',
      parallel: 1,
      channels: {},
      outbox: []
    }),
    host,
    asOf: now.toISOString(),
    reachable: true
  }
}
const [good = '', bad = ''] = hosts.map(({ name }) => name)
const nightly = viewOf(good, [policyOf({ schedule: { calendar: 'daily', jitterSeconds: 0 } })])

type Host = (typeof hosts)[number]
const reckoned = (all: readonly Host[], policies: PoliciesView['hosts']): readonly VmSafety[] =>
  safetyOf({ hosts: all, points, jobs, choices: DEFAULT_CHOICES, policies: { hosts: policies, known: true } }, now)

const [goodHost, badHost] = hosts
/** The bad one by a name of its own each time: what is reckoned once a day is reckoned anew. */
let times = 0
function reckonedAnew(policies: readonly Policy[]): Timed & { all: readonly VmSafety[]; said: readonly unknown[] } {
  const name = `${bad}-${times++}`
  const vms = badHost?.vms.map((vm) => ({ ...vm, name: 'a'.repeat(290) })) ?? []
  const both = goodHost && badHost ? [goodHost, { ...badHost, name, vms }] : []
  const said = viewOf(name, policies)
  let all: readonly VmSafety[] = []
  const took = timed(() => (all = reckoned(both, [nightly, said])))
  return { all, said: said.policies, ...took }
}

const promisedByGood = (all: readonly VmSafety[]): ReadonlySet<number | undefined> =>
  new Set(all.filter(({ host }) => host === good).map(({ expectWithinMs }) => expectWithinMs))

describe('a host with more policies than anybody', () => {
  it.each([0, 100, 101, 5000])(
    'is known to have more, of %i, as its engine answers and as that is remembered',
    async (count) => {
      await tally.tried(async () => {
        const { host: _, asOf: __, reachable: ___, ...said } = viewOf(bad, [])
        const all = many(count, () => ({})).map((policy) => ({ policy }))
        const { shown, ...more } = firstPolicies(all)
        for (const [policies, leftOut] of [
          [shown, count > 100 ? count - 100 : undefined], // as our engine says it
          [all, undefined] // as none of ours would
        ] as const) {
          const stdout = [...resultLines('policies', { ...said, policies, ...(policies === shown && more) })].join('')
          const placed = { shell: fakeShell(() => ({ stdout })), host: bad, node: '/n', engine: '/e' }
          const answer = await engineCall(placed, 'policies', {})
          expect(answer.policies).toHaveLength(Math.min(count, 100))
          expect(answer.leftOut).toBe(leftOut)
          expect(PolicyListing.parse(JSON.parse(JSON.stringify(answer)))).toEqual(answer)
        }
      })
    }
  )

  it.each(Object.keys(DEAR))('has a hundred of them, and keeps nobody waiting: %s', async (what) => {
    await tally.tried(() => {
      const tries = triedUntil(50, () => reckonedAnew(DEAR[what] ?? []))
      for (const { all, said } of tries) {
        expect(said).toHaveLength(100)
        expect(promisedByGood(all)).toEqual(new Set([30 * 3_600_000]))
      }
      expect(bestMsOf(tries)).toBeLessThan(50)
    })
  })

  it.each(['patterns without end', 'exclusions without end'])(
    'is not said to have no schedule for a VM of which that was not found out: %s',
    async (what) => {
      await tally.tried(() => {
        const { all } = reckonedAnew(DEAR[what] ?? [])
        const ofBad = all.filter(({ host }) => host !== good)
        expect(ofBad).toHaveLength(badHost?.vms.length ?? NaN)
        for (const { notKnown, safety, expectWithinMs } of ofBad)
          expect([notKnown, safety, expectWithinMs]).toEqual(['too-many-patterns', 'unknown', undefined])
        expect(all.find(({ host }) => host === good)?.notKnown).toBeUndefined()
      })
    }
  )

  it('that leaves some of them out is not said to have none for a VM that those which are known do not mean', async () => {
    await tally.tried(() => {
      const ofOther = policyOf({ vms: { kind: 'pattern', patterns: ['another*'], exclude: [] } })
      const said = (leftOut: number): PoliciesView['hosts'] => [nightly, { ...viewOf(bad, [ofOther]), leftOut }]
      const stateOf = (leftOut: number): VmSafety | undefined =>
        reckoned(hosts, said(leftOut)).find(({ host }) => host === bad)
      expect(stateOf(1)).toMatchObject({ policies: [], notKnown: 'left-out', safety: 'unknown' })
      expect(stateOf(0)).toMatchObject({ policies: [], notKnown: undefined, safety: 'good' })
    })
  })

  it('that has others each time is reckoned no more than so many in a day, and the other as before', async () => {
    const others = (round: number): Policy[] =>
      many(
        100,
        calendars((n) => `*-*-* *:${n % 60}:${round}..${round + (n % 30)}`)
      )
    const later: Timed[] = []
    for (let round = 0; round < 20; round += 1)
      await tally.tried(() => {
        let all: readonly VmSafety[] = []
        const took = timed(() => (all = reckoned(hosts, [nightly, viewOf(bad, others(round))])))
        expect(promisedByGood(all)).toEqual(new Set([30 * 3_600_000]))
        if (round > 5) later.push(took)
      })
    expect(bestMsOf(later)).toBeLessThan(50)
  })
})

const uuidOf = (n: number): string => `4dea22b3-1d52-4d8f-8516-${n.toString(16).padStart(12, '0')}`
const vmsOf = (host: Host | undefined, count: number): Host['vms'] =>
  Array.from({ length: count }, (_, n) => ({ ...(host?.vms[0] as Host['vms'][number]), uuid: uuidOf(n) }))

/** A host of so many VMs, and what can be dear about each of its hundred policies. */
const MANY: Readonly<Record<string, (count: number) => Partial<PoliciesView['hosts'][number]['policies'][number]>>> = {
  'a last run of others': (count) => ({
    lastRun: runReport(1, {
      vms: Array.from({ length: count }, (_, n) => ({
        vm: { uuid: uuidOf(1_000_000 + n), name: '' },
        outcome: 'done'
      }))
    })
  }),
  'VMs that were chosen': (count) => ({
    policy: policyOf({
      vms: {
        kind: 'chosen',
        vms: Array.from({ length: Math.min(count, 1000) }, (_, n) => ({ uuid: uuidOf(1_000_000 + n), name: '' }))
      }
    })
  }),
  'what it leaves out': () => ({
    policy: policyOf({ vms: { kind: 'all', exclude: Array.from({ length: 1000 }, (_, n) => `${n}*b`) } })
  })
}

function reckoning(what: string, count: number): () => readonly VmSafety[] {
  const each = MANY[what]?.(count)
  const said = viewOf(
    bad,
    many(100, () => ({}))
  )
  const policies = said.policies.map((state) => ({ ...state, ...each }))
  const both = goodHost && badHost ? [goodHost, { ...badHost, vms: vmsOf(badHost, count) }] : []
  return () => reckoned(both, [nightly, { ...said, policies }])
}

const patterns = (count: number): string[] => Array.from({ length: count }, (_, n) => `customer-${n}-*`)

describe('a host with many VMs and policies', () => {
  it.each([
    [10, 8, 300],
    [10, 4, 500],
    [6, 10, 400],
    [100, 10, 1000]
  ])('loses none of them: %i schedules that leave out %i patterns each, and %i VMs', async (count, excluded, ofVms) => {
    await tally.tried(() => {
      const hourly = { expectEveryHours: 1, vms: { kind: 'all' as const, exclude: patterns(excluded) } }
      const vms = vmsOf(badHost, ofVms).map((vm, n) => ({ ...vm, name: `shop-frontend-${n}.example.org` }))
      const both = badHost ? [{ ...badHost, vms }] : []
      const all = reckoned(both, [
        viewOf(
          bad,
          many(count, () => hourly)
        )
      ]).filter(({ vm }) => vm !== undefined)
      expect(all).toHaveLength(ofVms)
      for (const vm of all)
        expect([vm.policies.length, vm.notKnown, vm.expectWithinMs]).toEqual([count, undefined, 3_600_000])
    })
  })

  it.each(Object.keys(MANY))('makes twice the work when it has twice as many: %s', async (what) => {
    await tally.tried(() => {
      expect(promisedByGood(reckoning(what, 800)())).toEqual(new Set([30 * 3_600_000]))
      expect(growthOf((count) => reckoning(what, count), 400)).toBeLessThan(3)
    })
  })

  it.each(Object.keys(MANY))('is reckoned before anybody waits for it: %s', async (what) => {
    await tally.tried(async () => {
      expect(await longestPieceMs(() => reckoning(what, 1000))).toBeLessThan(50)
    })
  })
})
