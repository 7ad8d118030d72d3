import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dueDigests, lastSlot, type DigestNews } from '../../../src/engine/tell/digests.ts'
import { messageOfDigest } from '../../../src/engine/tell/digest-message.ts'
import { done, policy, run, zone } from './told-things.ts'

let before: string | undefined
beforeEach(() => {
  before = process.env['TZ']
  process.env['TZ'] = zone
})
afterEach(() => {
  if (before === undefined) delete process.env['TZ']
  else process.env['TZ'] = before
})

const daily = policy({ tell: { onSuccess: false, onFailure: true, digest: 'daily', mailTo: [] } })
const night = run([done(1, 'web1')])
const news = (change: Partial<DigestNews> = {}): DigestNews => ({
  policies: [daily],
  told: { [daily.id]: '2026-11-23T06:00:05.000Z' },
  runsSince: () => [run([done(1, 'web1')], { endedAt: undefined }, 0.2), night, run([done(1, 'web1')], {}, -2)],
  silent: [],
  ...change
})
const morning = new Date('2026-11-24T06:03:00Z')

describe('a digest is wanted', () => {
  it.each([
    ['daily', '2026-11-24T05:59:00Z', '2026-11-23T06:00:00.000Z'],
    ['daily', '2026-11-24T06:00:00Z', '2026-11-24T06:00:00.000Z'],
    ['weekly', '2026-11-24T06:00:00Z', '2026-11-23T06:00:00.000Z'],
    ['weekly', '2026-11-23T05:59:00Z', '2026-11-16T06:00:00.000Z'],
    // On both sides of the end of summer time, 25 October, and of its beginning, 28 March.
    ['daily', '2026-10-25T05:30:00Z', '2026-10-24T05:00:00.000Z'],
    ['daily', '2026-10-25T06:30:00Z', '2026-10-25T06:00:00.000Z'],
    ['weekly', '2027-03-30T12:00:00Z', '2027-03-29T05:00:00.000Z']
  ] as const)('%s, asked at %s: last at %s', (cadence, now, slot) => {
    expect(lastSlot(cadence, new Date(now)).toISOString()).toBe(slot)
  })
})

describe('a digest', () => {
  it('has the runs that ended since the last one, and no others', () => {
    const { digests, told } = dueDigests(news(), morning, zone)
    expect(digests).toMatchObject([
      { cadence: 'daily', parts: [{ runs: [{ id: night.id }], nextRunAt: '2026-11-25T01:00:00.000Z' }] }
    ])
    expect(told).toEqual({ [daily.id]: morning.toISOString() })
  })

  it('is sent once', () => {
    const { told } = dueDigests(news(), morning, zone)
    expect(dueDigests(news({ told }), new Date('2026-11-24T06:08:00Z'), zone).digests).toEqual([])
    expect(dueDigests(news({ told }), new Date('2026-11-25T06:03:00Z'), zone).digests).toHaveLength(1)
  })

  it('has the same id when it is made again after a crash', () => {
    const ids = [morning, new Date('2026-11-24T06:08:00Z')].map((now) => {
      const [digest] = dueDigests(news(), now, zone).digests
      return digest === undefined ? undefined : messageOfDigest(digest, zone).id
    })
    expect(ids[0]).toBeDefined()
    expect(ids[0]).toBe(ids[1])
  })

  it('begins anew for a policy that is new, and after a clock that was ahead', () => {
    for (const told of [{}, { [daily.id]: '2040-01-01T00:00:00.000Z' }]) {
      const due = dueDigests(news({ told }), morning, zone)
      expect(due).toEqual({ digests: [], told: { [daily.id]: morning.toISOString() } })
    }
  })

  it('is one for policies with the same readers, and one more for others', () => {
    const other = { ...daily, id: 'b1b2c3d4e5f6' }
    const elsewhere = { ...daily, id: 'c1b2c3d4e5f6', tell: { ...daily.tell, mailTo: ['night@example.org'] } }
    const told = Object.fromEntries([daily, other, elsewhere].map(({ id }) => [id, '2026-11-23T06:00:05.000Z']))
    const { digests } = dueDigests(news({ policies: [daily, other, elsewhere], told }), morning, zone)
    expect(digests.map(({ parts, mailTo }) => [parts.length, mailTo])).toEqual([
      [2, []],
      [1, ['night@example.org']]
    ])
  })
})
