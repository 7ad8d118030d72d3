import { describe, expect, it } from 'vitest'
import { PolicyListing, type PoliciesView } from '../../src/shared/views/policy-view.ts'
import { safetyOf, type VmSafety } from '../../src/shared/safety.ts'
import type { Policy } from '../../src/shared/model/policy.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { fakeData } from '../e2e/fake-data.ts'
import { policyOf } from '../unit/made-policies.ts'
import { engineCall } from '../../src/main/core/engine-on-host/engine-call.ts'
import { fakeShell } from '../../src/shell/fake.ts'
import { resultLines } from '../../src/shared/result-lines.ts'
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

const viewOf = (host: string, policies: readonly Policy[]): PoliciesView['hosts'][number] => ({
  ...PolicyListing.parse({
    policies: policies.map((policy) => ({ policy })),
    broken: [],
    timeZone: 'UTC',
    parallel: 1,
    channels: {},
    outbox: []
  }),
  host,
  asOf: now.toISOString(),
  reachable: true
})
const [good = '', bad = ''] = hosts.map(({ name }) => name)
const nightly = viewOf(good, [policyOf({ schedule: { calendar: 'daily', jitterSeconds: 0 } })])

const long = hosts.map((host) => ({
  ...host,
  vms: host.vms.map((vm) => ({ ...vm, name: host.name === bad ? 'a'.repeat(290) : vm.name }))
}))
const safety = (policies: PoliciesView['hosts']): { all: readonly VmSafety[]; ms: number } => {
  const start = performance.now()
  const all = safetyOf(
    { hosts: long, points, jobs, choices: DEFAULT_CHOICES, policies: { hosts: policies, known: true } },
    now
  )
  return { all, ms: performance.now() - start }
}

describe('a host with more policies than anybody', () => {
  it.each([0, 100, 101, 5000])(
    'is known to have more, of %i, as its engine answers and as that is remembered',
    async (count) => {
      await tally.tried(async () => {
        const { host: _, asOf: __, reachable: ___, ...said } = viewOf(bad, [])
        const policies = many(count, () => ({})).map((policy) => ({ policy }))
        const stdout = [...resultLines({ ...said, policies })].join('')
        const placed = { shell: fakeShell(() => ({ stdout })), host: bad, node: '/n', engine: '/e' }
        const answer = await engineCall(placed, 'policies', {})
        expect(answer.policies).toHaveLength(Math.min(count, 100))
        expect(answer.leftOut).toBe(count > 100 ? count - 100 : undefined)
        expect(PolicyListing.parse(JSON.parse(JSON.stringify(answer)))).toEqual(answer)
      })
    }
  )

  it.each(Object.keys(DEAR))('has a hundred of them, and keeps nobody waiting: %s', async (what) => {
    await tally.tried(() => {
      const said = viewOf(bad, DEAR[what] ?? [])
      expect(said.policies).toHaveLength(100)
      expect(said.leftOut).toBe(1900)
      const { all, ms } = safety([nightly, said])
      expect(ms).toBeLessThan(5000)
      const promised = all.filter(({ host }) => host === good).map(({ expectWithinMs }) => expectWithinMs)
      expect(new Set(promised)).toEqual(new Set([30 * 3_600_000]))
    })
  })

  it('that has others each time is reckoned no more than so many in a day, and the other as before', async () => {
    for (let round = 0; round < 20; round += 1)
      await tally.tried(() => {
        const said = viewOf(
          bad,
          many(
            100,
            calendars((n) => `*-*-* *:${n % 60}:${round}..${round + (n % 30)}`)
          )
        )
        const { all, ms } = safety([nightly, said])
        if (round > 5) expect(ms).toBeLessThan(2000)
        const promised = all.filter(({ host }) => host === good).map(({ expectWithinMs }) => expectWithinMs)
        expect(new Set(promised)).toEqual(new Set([30 * 3_600_000]))
      })
  })
})
