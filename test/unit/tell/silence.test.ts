import { describe, expect, it } from 'vitest'
import { dueSilence, silentVms, type Known } from '../../../src/engine/tell/silence.ts'
import type { Policy } from '../../../src/shared/model/policy.ts'
import { done, policy, run, uuidOf, zone } from './told-things.ts'

const web1 = { uuid: uuidOf(1), name: 'web1' }
const now = new Date('2026-11-24T12:00:00Z')
const known = (change: Partial<Known> = {}): Known => ({
  policies: [policy({ expectEveryHours: 30 })],
  vms: [web1],
  lastGood: new Map([[web1.uuid, '2026-11-24T01:00:00.000Z']]),
  lastRun: new Map(),
  ...change
})
const old = new Map([[web1.uuid, '2026-11-22T01:00:00.000Z']])
const silentOn = (change: Partial<Policy>, more: Partial<Known> = {}): number =>
  silentVms(known({ lastGood: old, policies: [policy({ expectEveryHours: 30, ...change })], ...more }), now, zone)
    .length

describe('a VM is silent', () => {
  it('when its newest good point is older than its policy promises, since then', () => {
    expect(silentVms(known(), now, zone)).toEqual([])
    expect(silentVms(known({ lastGood: old }), now, zone)).toMatchObject([
      { vm: web1, lastGoodAt: '2026-11-22T01:00:00.000Z', since: '2026-11-23T07:00:00.000Z' }
    ])
  })

  it('by its schedule, where the policy does not say how old', () => {
    const { expectEveryHours: _, ...nightly } = policy({ schedule: { calendar: '*-*-* 04:00:00', jitterSeconds: 0 } })
    expect(silentVms(known({ lastGood: old, policies: [nightly] }), now, zone)).toMatchObject([
      { expectedEveryMs: (24 + 6) * 3_600_000 }
    ])
  })

  it('when it never had a good point', () => expect(silentOn({}, { lastGood: new Map() })).toBe(1))
  it('but not while its policy is paused', () => expect(silentOn({ pausedUntil: '2026-12-01T00:00:00.000Z' })).toBe(0))
  it('but not yet when the policy has just gone on', () =>
    expect(silentOn({ pausedUntil: '2026-11-24T00:00:00.000Z' })).toBe(0))
  it('but not yet when the policy is new', () => expect(silentOn({ changedAt: '2026-11-24T00:00:00.000Z' })).toBe(0))
  it('also where its policy was saved anew since, which has run before: that makes no new promise', () => {
    const lastRun = new Map([[policy().id, run([done(1, 'web1')], {}, -1)]])
    expect(silentOn({ changedAt: '2026-11-24T11:00:00.000Z' }, { lastRun })).toBe(1)
    const never = new Map<string, string>()
    expect(silentOn({ changedAt: '2026-11-24T11:00:00.000Z' }, { lastRun, lastGood: never })).toBe(0)
  })
  it('also where a clock that was ahead has saved its policy', () => {
    const ahead = '2027-06-01T00:00:00.000Z'
    expect(silentOn({ changedAt: ahead })).toBe(1)
    expect(silentOn({ changedAt: ahead }, { lastGood: new Map() })).toBe(1)
    const [told] = silentVms(known({ policies: [policy({ changedAt: ahead })], lastGood: new Map() }), now, zone)
    expect(told?.since).toBe(now.toISOString())
  })
  it('but not when no policy means it', () => expect(silentOn({ vms: { kind: 'all', exclude: ['web1'] } })).toBe(0))
  it('but not when its schedule never comes again', () => {
    const { expectEveryHours: _, ...never } = policy({ schedule: { calendar: '2020-01-01', jitterSeconds: 0 } })
    expect(silentVms(known({ lastGood: old, policies: [never] }), now, zone)).toEqual([])
  })

  it('but not yet when it came after the last run', () => {
    const lastRun = new Map([[policy().id, run([done(2, 'mail')])]])
    expect(silentOn({}, { lastGood: new Map(), lastRun })).toBe(0)
    expect(
      silentOn({}, { lastGood: new Map(), lastRun: new Map([[policy().id, run([done(1, 'web1')], {}, -5)]]) })
    ).toBe(1)
  })

  it('once, also where two policies mean it', () => {
    const both = [policy({ expectEveryHours: 30 }), policy({ id: 'b1b2c3d4e5f6', expectEveryHours: 25 })]
    expect(silentVms(known({ lastGood: old, policies: both }), now, zone)).toMatchObject([
      { policy: { id: 'b1b2c3d4e5f6' } }
    ])
  })
})

describe('silence is told', () => {
  const policies = [policy({ expectEveryHours: 30 })]
  const silent = silentVms(known({ lastGood: old }), now, zone)
  const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000)

  it('once a day', () => {
    const { groups, told } = dueSilence(silent, policies, {}, now)
    expect(groups).toEqual([{ mailTo: [], silent }])
    expect(dueSilence(silent, policies, told, hours(12)).groups).toEqual([])
    expect(dueSilence(silent, policies, told, hours(12)).told).toEqual(told)
    expect(dueSilence(silent, policies, told, hours(24)).groups).toHaveLength(1)
  })

  it('again at once when it was over meanwhile', () => {
    const { told } = dueSilence(silent, policies, {}, now)
    const over = dueSilence([], policies, told, hours(1))
    expect(dueSilence(silent, policies, over.told, hours(2)).groups).toHaveLength(1)
  })

  it('again when it was told by a clock that was ahead', () => {
    expect(dueSilence(silent, policies, { [web1.uuid]: '2040-01-01T00:00:00.000Z' }, now).groups).toHaveLength(1)
  })

  it('only for policies that tell of failures', () => {
    const quiet = [policy({ tell: { onSuccess: false, onFailure: false, digest: 'none', mailTo: [] } })]
    expect(dueSilence(silent, quiet, {}, now)).toEqual({ groups: [], told: {} })
  })
})
