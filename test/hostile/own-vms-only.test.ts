import { describe, expect, it } from 'vitest'
import { barOf, percentOf, streamsHere } from '../../src/main/desktop/progress.ts'
import { trayMenu } from '../../src/main/desktop/tray-menu.ts'
import { failureOn } from '../../src/main/core/engine-on-host/called-here.ts'
import { ramBytesOf } from '../../src/renderer/features/activity/job-view.ts'
import { vmKey } from '../../src/renderer/features/overview/overview-slice.ts'
import { attentionOf } from '../../src/renderer/features/overview/attention-view.ts'
import { vmKnown } from '../../src/renderer/features/vm/vm-view.ts'
import { progressShown } from '../../src/renderer/ui/progress-view.ts'
import { estimateBackup } from '../../src/shared/backup-estimate.ts'
import { downtimesOf } from '../../src/shared/downtimes.ts'
import { describeFailure } from '../../src/shared/failure-words.ts'
import { hostFailureFrom } from '../../src/shared/failure-data.ts'
import { COPYING_THE_POINT } from '../../src/shared/job-words.ts'
import { Progress, type JobState } from '../../src/shared/model/job.ts'
import { hostInWords, isOfHost } from '../../src/shared/point-name.ts'
import { isOfVm } from '../../src/shared/told-by.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import { ended, jobOf, liveOf, seenOf } from '../unit/desktop/jobs.ts'
import { hostView, vmView } from '../unit/live/paper-laptop.ts'
import { VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('a host that speaks of VMs of others')

const METHODS = ['live', 'disk', 'classic', 'offline'] as const
const KINDS = ['backup', 'restore'] as const
const STATES: readonly JobState[] = ['queued', 'running', 'stalled', 'recovering', 'done', 'failed-clean']
const web = { ...vmView(), ramBytes: 64e9 }
const good = hostView('good', { vms: [web] })
const evil = hostView('evil', { vms: [{ ...web, name: 'scratch', ramBytes: 1 }] })

const byEvil = (changes: Partial<JobView> = {}): JobView =>
  jobOf(1, { host: 'evil', vm: { uuid: VM, name: 'web' }, ...changes })
const doneByEvil = (changes: Partial<JobView> = {}): JobView =>
  ended(byEvil({ pauseMs: 1, sizeBytes: 1000, ...changes }), 'done')

describe('what another host says of a VM', () => {
  it.each(METHODS)('is no earlier backup of it: %s', async (method) => {
    await tally.tried(() => {
      const question = { host: 'good', vm: VM, method } as const
      const estimate = (jobs: readonly JobView[]) => estimateBackup(question, { host: good, vm: web, jobs })
      const jobs = Array.from({ length: 10 }, () => doneByEvil({ method }))
      expect(estimate(jobs)).toEqual(estimate([]))
      const own = [...jobs, { ...doneByEvil({ method, pauseMs: 70 }), host: 'good' }]
      expect(estimate(own)).toMatchObject({ samples: 1 })
    })
  })

  it.each(STATES.flatMap((state) => KINDS.map((kind) => ({ state, kind }))))(
    'does not go on there, and is no trend of it: $kind $state',
    async ({ state, kind }) => {
      await tally.tried(() => {
        const job = byEvil({ state, kind })
        const mirror = { hosts: [good, evil], points: undefined }
        const known = (jobs: readonly JobView[], host: string) => vmKnown({ ...mirror, jobs }, VM, host)
        expect(known([job], 'good')).toEqual(known([], 'good'))
        expect(known([job], 'evil')?.running).toEqual([job])
        expect([isOfVm(job, 'good', VM), isOfVm(job, 'evil', VM)]).toEqual([false, true])
      })
    }
  )

  it.each(['evil first', 'good first'])('tells nothing of its RAM: %s', async (order) => {
    await tally.tried(() => {
      const hosts = order === 'evil first' ? [evil, good] : [good, evil]
      expect(ramBytesOf(hosts, { host: 'good', vm: { uuid: VM, name: 'web' } })).toBe(64e9)
      expect(ramBytesOf([evil], { host: 'good', vm: { uuid: VM, name: 'web' } })).toBeUndefined()
    })
  })

  const point = { id: '20261125T100001Z-00000a', vm: { uuid: VM, name: 'web' }, host: 'good', takenAt: 'x' }
  const ofPoint = { ...point, method: 'live', pauseMs: 48 } as const

  it.each(KINDS.flatMap((kind) => METHODS.map((method) => ({ kind, method }))))(
    'is downtime of the other alone: $kind $method',
    async ({ kind, method }) => {
      await tally.tried(() => {
        const jobs = [doneByEvil({ kind, method, point: point.id, runningMs: 1 }), doneByEvil({ kind, method })]
        const told = downtimesOf(jobs, [ofPoint])
        expect(told.filter((entry) => isOfHost(entry, 'good', true))).toMatchObject([{ pauseMs: 48 }])
        expect(told.filter((entry) => entry.host !== 'good').map(hostInWords)).toEqual(told.slice(1).map(() => 'evil'))
      })
    }
  )

  it.each([
    ['a copy of its point', [{ host: 'good' }, { host: 'evil' }]],
    ['the only copy of its point', [{ host: 'evil' }]]
  ])('takes the place of no downtime of it where the other has %s', async (_, places) => {
    await tally.tried(() => {
      const told = downtimesOf([doneByEvil({ point: point.id })], [{ ...ofPoint, places }])
      expect(told.filter((entry) => isOfHost(entry, 'good', true))).toMatchObject([{ pauseMs: 48 }])
    })
  })

  it('and what was refused for it on another host is not refused here', async () => {
    await tally.tried(() => {
      const starting = new Map([[vmKey('evil', VM), { kind: 'cancelled', what: 'x' } as const]])
      const vms = [{ ...web, host: 'good', safety: 'good' }] as never
      expect(attentionOf({ hosts: [], vms, broken: [], starting, now: new Date() })).toEqual([])
    })
  })
})

const ODD = [1e308, -1e308, Number.MAX_VALUE, 5e-324, -5, -0, 0, 1, 2 ** 53, 1e300]
const odd = ODD.flatMap((doneBytes) => ODD.map((totalBytes) => ({ doneBytes, totalBytes })))

describe('figures of progress', () => {
  it.each(odd)(
    'are shares of something, or not shown: $doneBytes of $totalBytes',
    async ({ doneBytes, totalBytes }) => {
      await tally.tried(() => {
        const raw = { phase: 'x', doneBytes, totalBytes, bytesPerSecond: doneBytes, secondsLeft: totalBytes }
        for (const progress of [raw, Progress.parse(raw)]) {
          const lives = [{ ...liveOf(jobOf(1), 'x'), progress }, liveOf(jobOf(2), 'x', 1e308, 1e308)]
          for (const bar of [barOf(lives), barOf(lives.slice(0, 1))])
            expect(bar === -1 || bar === 2 || (bar >= 0 && bar <= 1)).toBe(true)
          const percents = [percentOf(progress), progressShown(progress).percent]
          for (const percent of percents) expect(percent ?? 0).toSatisfy((value: number) => value >= 0 && value <= 100)
        }
        expect(JSON.stringify(progressShown(Progress.parse(raw)))).not.toMatch(/NaN|Infinity/)
      })
    }
  )

  it('of a job that claims to be endless do not hide how far another is', async () => {
    await tally.tried(() => {
      const own = liveOf(jobOf(2), 'x', 50, 100)
      expect(barOf([liveOf(jobOf(1), 'x', 0, 1e300), own])).toBeGreaterThan(0.2)
    })
  })
})

describe('a computer that must not fall asleep', () => {
  it.each(['backup', 'restore', 'verify', 'copy'] as const)('does so for no word of a host: %s', async (kind) => {
    await tally.tried(() => {
      const job = byEvil({ kind })
      expect(liveOf(job, COPYING_THE_POINT).progress?.phase).toBe(COPYING_THE_POINT)
      expect(streamsHere([job])).toBe(false)
    })
  })
})

describe('the tray of many hosts', () => {
  const many = (host: string, count: number): HostView =>
    hostView(host, { vms: Array.from({ length: count }, (_, n) => ({ ...web, uuid: `${host} ${n}`, name: `!${n}` })) })

  it.each([26, 30, 1000])('has VMs and jobs of each, whoever has %i that sort first', async (count) => {
    await tally.tried(() => {
      const jobs = Array.from({ length: count }, (_, n) => byEvil({ id: `2099 ${n}` }))
      const own = { ...byEvil({ id: '2026' }), host: 'good' }
      const seen = seenOf({ hosts: [many('evil', count), good], jobs: [...jobs, own] })
      const text = JSON.stringify(trayMenu(seen, { worst: 'good', sentence: '' }))
      expect(text).toContain('"host":"good"')
      expect(text).toContain('"job":"2026"')
      expect(text.split('"do":"backUp"').length - 1).toBeLessThanOrEqual(25)
    })
  })
})

describe('points that a full host offers for deletion', () => {
  const point = {
    point: '20261122T201744Z-7f3a21',
    vm: 'payroll-db',
    takenAt: '2026-11-22T20:17:44.123Z',
    sizeBytes: 1
  }
  const claims = [
    {},
    { host: 'good' },
    { host: 'good', store: '/srv/points' },
    { store: '/srv/points' },
    { store: 'good:/srv/points' },
    { store: "/x'; rm -rf /; '" },
    { host: 3, store: 4 }
  ]
  it.each(claims)('are deleted in its own store, if anywhere: %o', async (claim) => {
    await tally.tried(() => {
      const said = {
        kind: 'no-room',
        path: '/',
        forWhat: 'x',
        neededBytes: 1,
        freeBytes: 0,
        deletable: [point],
        ...claim
      }
      const failure = failureOn('evil', hostFailureFrom(said))
      // Of what is no such failure nothing is told.
      expect(failure.kind === 'no-room').toBe(claim.host !== 3)
      if (failure.kind !== 'no-room') return
      const { nextStep } = describeFailure(failure)
      expect(nextStep).toMatch(/stillpoint delete POINT --in '?evil/)
      expect(nextStep).not.toMatch(/--in '?good/)
    })
  })
})
