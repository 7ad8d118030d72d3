import { describe, expect, it } from 'vitest'
import {
  BY_HAND,
  hostsOf,
  isFiltering,
  livenessOf,
  NO_FILTER,
  outcomeOf,
  pastJobs,
  policiesOf,
  runningJobs,
  tookMs
} from '../../../src/renderer/features/activity/activity-view.ts'
import { aJob, aLive } from './fake-job.ts'

const now = new Date('2026-11-22T20:17:53.000Z')

describe('how a job ended', () => {
  it('is nothing while it runs', () => {
    expect(outcomeOf(aJob({ state: 'running' }))).toBeUndefined()
    expect(outcomeOf(aJob({ state: 'recovering' }))).toBeUndefined()
  })

  it('is good only without a warning', () => {
    expect(outcomeOf(aJob())).toBe('good')
    expect(outcomeOf(aJob({ state: 'done-with-warnings' }))).toBe('warned')
    expect(outcomeOf(aJob({ warnings: ['slow'] }))).toBe('warned')
  })

  it('is a failure for a verification that found damage', () => {
    const verify = { point: 'x', good: false, checkedBytes: 1, problems: [], notes: [] }
    expect(outcomeOf(aJob({ kind: 'verify', verify }))).toBe('failed')
    expect(outcomeOf(aJob({ state: 'failed-needs-you' }))).toBe('failed')
    expect(outcomeOf(aJob({ state: 'cancelled' }))).toBe('cancelled')
  })
})

describe('the list of past jobs', () => {
  const other = { uuid: '00000002-0000-4000-8000-000000000002', name: 'Mail (old)' }
  const jobs = [
    aJob({ id: 'a', state: 'running', endedAt: undefined }),
    aJob({ id: 'b' }),
    aJob({ id: 'c', kind: 'restore', host: 'beta', vm: other }),
    aJob({ id: 'd', state: 'failed-clean' })
  ]
  const idsWith = (filter: object): string[] => pastJobs(jobs, { ...NO_FILTER, ...filter }).map(({ id }) => id)

  it('leaves what runs to the cards above', () => {
    expect(runningJobs(jobs).map(({ id }) => id)).toEqual(['a'])
    expect(idsWith({})).toEqual(['b', 'c', 'd'])
  })

  it('is narrowed by host, kind, outcome and VM', () => {
    expect(idsWith({ host: 'beta' })).toEqual(['c'])
    expect(idsWith({ kind: 'backup' })).toEqual(['b', 'd'])
    expect(idsWith({ outcome: 'failed' })).toEqual(['d'])
    expect(idsWith({ vm: ' mail (' })).toEqual(['c'])
    expect(idsWith({ vm: other.uuid })).toEqual(['c'])
    expect(idsWith({ vm: 'mail', host: 'alpha' })).toEqual([])
  })

  it('is narrowed to a schedule, or to what was wanted by hand', () => {
    const nightly = { id: '0123456789ab', name: 'nightly' }
    const wanted = [
      aJob({ id: 'n', policy: nightly }),
      aJob({ id: 'h' }),
      aJob({ id: 'o', policy: { ...nightly, name: 'old name' } })
    ]
    const idsOf = (policy: string): string[] => pastJobs(wanted, { ...NO_FILTER, policy }).map(({ id }) => id)
    expect([idsOf(nightly.id), idsOf(BY_HAND)]).toEqual([['n', 'o'], ['h']])
    expect(policiesOf(wanted)).toEqual([{ ...nightly, host: 'alpha' }])
    expect(isFiltering({ ...NO_FILTER, policy: BY_HAND })).toBe(true)
  })

  it('knows whether it is narrowed, and to which hosts it can be', () => {
    expect(isFiltering({ ...NO_FILTER, vm: '  ' })).toBe(false)
    expect(isFiltering({ ...NO_FILTER, outcome: 'good' })).toBe(true)
    expect(hostsOf(jobs)).toEqual(['alpha', 'beta'])
  })
})

describe('signs of life of a job that runs', () => {
  const running = aJob({ state: 'running', endedAt: undefined })

  it('are said with their age', () => {
    expect(livenessOf(running, aLive(), now)).toMatchObject({ is: 'going', quietMs: 3000 })
    expect(livenessOf(running, undefined, now)).toMatchObject({ is: 'going', quietMs: undefined })
  })

  it('fail, as the core has it: it is stalled', () => {
    expect(livenessOf(aJob({ state: 'stalled' }), undefined, now).is).toBe('stalled')
  })

  it('fail for a minute: work of this computer is stalled, and a job of a host may only wait to be listened to', () => {
    const later = new Date('2026-11-22T20:18:51.000Z')
    expect(livenessOf({ ...running, isHere: true }, aLive(), later).is).toBe('stalled')
    expect(livenessOf(running, aLive(), later)).toMatchObject({ is: 'going', quietMs: 61_000 })
  })

  it('cannot come while the connection is gone, which is worth more than all else', () => {
    const lost = { kind: 'connection-lost', host: 'alpha', during: 'following' } as const
    const later = new Date('2026-11-22T20:48:51.000Z')
    expect(livenessOf(running, aLive({ lost, cancelling: true }), later)).toMatchObject({ is: 'lost', failure: lost })
  })

  it('never lie ahead, whatever the clocks say', () => {
    const early = new Date('2026-11-22T20:17:00.000Z')
    expect(livenessOf(running, aLive(), early).quietMs).toBe(0)
    expect(tookMs(running, early)).toBe(0)
  })

  it('tell what it is about', () => {
    expect(livenessOf(running, aLive({ cancelling: true }), now).is).toBe('cancelling')
    expect(livenessOf(aJob({ state: 'recovering' }), aLive(), now).is).toBe('recovering')
    expect(livenessOf(aJob({ state: 'queued' }), undefined, now).is).toBe('queued')
  })
})
