import { describe, expect, it } from 'vitest'
import type { KeepRules } from '../../../src/shared/model/policy.ts'
import { counts, pointAt, survivors } from './points.ts'

/**
 * The examples by which Proxmox Backup Server tests its own counting (`tests/prune.rs` of proxmox-backup), as instants and
 * what stays of them. Its rules know no floor: ours is 1 here, which no example goes below but for "no count at all".
 */
interface Example {
  readonly keep: Partial<KeepRules>
  readonly stays: readonly string[]
}

const check = (times: readonly string[], { keep, stays }: Example): void =>
  expect(
    survivors(
      times.map((at) => pointAt(at)),
      counts(keep)
    )
  ).toEqual(stays)

const at = (hourMinute: string): string => `2019-11-15T${hourMinute}:15Z`

describe("Proxmox Backup Server's hourly examples", () => {
  const times = ['09:39', '10:49', '10:59', '11:39', '11:49', '11:59'].map(at)
  it.each<Example>([
    { keep: { hourly: 3 }, stays: ['09:39', '10:59', '11:59'].map(at) },
    { keep: { hourly: 2 }, stays: ['10:59', '11:59'].map(at) }
  ])('$keep', (example) => check(times, example))
})

const noon = (day: string): string => `${day}T11:59:15Z`

describe("Proxmox Backup Server's examples over two years", () => {
  const times = [
    '2018-11-15',
    '2019-11-15',
    '2019-11-21',
    '2019-11-22',
    '2019-11-29',
    '2019-12-01',
    '2019-12-02',
    '2019-12-03',
    '2019-12-04'
  ].map(noon)
  it.each<Example>([
    { keep: { daily: 1 }, stays: ['2019-12-04'].map(noon) },
    { keep: { last: 1, daily: 1 }, stays: ['2019-12-03', '2019-12-04'].map(noon) },
    { keep: { daily: 1, weekly: 1 }, stays: ['2019-12-01', '2019-12-04'].map(noon) },
    { keep: { daily: 1, weekly: 1, monthly: 1 }, stays: ['2019-11-22', '2019-12-01', '2019-12-04'].map(noon) },
    { keep: { monthly: 1, yearly: 1 }, stays: ['2018-11-15', '2019-12-04'].map(noon) }
  ])('$keep', (example) => check(times, example))
})

describe("Proxmox Backup Server's simple examples", () => {
  const [a, b, c, d] = ['2019-12-02T11', '2019-12-03T11', '2019-12-04T11', '2019-12-04T12'].map(
    (hour) => `${hour}:59:15Z`
  ) as [string, string, string, string]
  it.each<Example>([
    { keep: { last: 4 }, stays: [a, b, c, d] },
    { keep: { last: 3 }, stays: [b, c, d] },
    { keep: { last: 2 }, stays: [c, d] },
    { keep: { last: 1 }, stays: [d] },
    { keep: { last: 2, daily: 2 }, stays: [a, b, c, d] },
    { keep: { daily: 3 }, stays: [a, b, d] },
    { keep: { daily: 2 }, stays: [b, d] },
    { keep: { weekly: 5 }, stays: [d] },
    { keep: { daily: 1, weekly: 5 }, stays: [d] },
    { keep: { monthly: 6 }, stays: [d] },
    { keep: { yearly: 7 }, stays: [d] },
    { keep: { weekly: 5, monthly: 6, yearly: 7 }, stays: [d] }
  ])('$keep', (example) => check([a, b, c, d], example))

  it('a count of 0 is none at all, and then everything stays: a rule of 0 alone would mean nothing', () =>
    check([a, b, c, d], { keep: { last: 0 }, stays: [a, b, c, d] }))
})

describe("Proxmox Backup Server's examples with protected points, which are our pinned ones", () => {
  const points = [
    pointAt(at('09:39'), { pinned: true }),
    pointAt(at('10:39')),
    pointAt(at('10:49')),
    pointAt(at('10:59'), { pinned: true })
  ]
  it.each<Partial<KeepRules>>([{ last: 1 }, { hourly: 1 }])('%o', (keep) =>
    expect(survivors(points, counts(keep))).toEqual([at('09:39'), at('10:49'), at('10:59')])
  )
})
