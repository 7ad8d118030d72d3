import { describe, expect, it } from 'vitest'
import { restore, retry } from '../../src/main/core/live/errands.ts'
import type { JobReport, JobState } from '../../src/shared/model/job.ts'
import { AskedHosts, manifest } from '../unit/live/asked-hosts.ts'
import { OTHER_VM, POINT, VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('jobs that nobody here asked for')

const JOB = '20261129T000000Z-000000'
const report = (more: Partial<JobReport>): JobReport => ({
  id: JOB,
  kind: 'restore',
  host: 'evil',
  vm: { uuid: VM, name: 'scratch' },
  state: 'failed-clean',
  startedAt: '2026-11-29T00:00:00.000Z',
  pauses: [],
  pauseMs: 0,
  phases: [],
  warnings: [],
  ...more
})

const ENDED: readonly JobState[] = ['failed-clean', 'failed-needs-you', 'cancelled']
const RESTORES: Readonly<Record<string, Partial<JobReport>>> = {
  'of a point of another host': { point: POINT, mode: 'resume' },
  'of a copy of it': { point: POINT, mode: 'boot', copyOf: { uuid: VM, name: 'web <1>' } },
  'of it, to be defined': { point: POINT, mode: 'define' },
  'of no point': {}
}
const RESTORE_SPEC = {
  kind: 'restore',
  vm: VM,
  vmName: 'x',
  hostName: 'evil',
  point: POINT,
  store: '/s',
  mode: 'boot',
  replace: true
}
const BACKUP_SPEC = { kind: 'backup', vm: VM, vmName: 'x', hostName: 'evil', store: '/s', budgetMs: 1, onBusy: 'pause' }
/** How evil answers who reads the job's story. */
const STORIES: Readonly<Record<string, readonly object[]>> = {
  'it knows of no such job': [],
  'a restore': [{ n: 0, type: 'begin', spec: RESTORE_SPEC }],
  'a backup': [{ n: 0, type: 'begin', spec: BACKUP_SPEC }]
}
const cases = ENDED.flatMap((state) =>
  Object.keys(RESTORES).flatMap((what) => Object.keys(STORIES).map((story) => ({ state, what, story })))
)

describe('a restore that a host says has failed', () => {
  it.each(cases)('is not begun again by its word: $state, $what, $story', async ({ state, what, story }) => {
    await tally.tried(async () => {
      const hosts = new AskedHosts({ evil: [], good: [manifest()] })
      hosts.journal = () => STORIES[story] ?? []
      const live = await hosts.live()
      await live.jobs.heard('evil', [report({ state, ...RESTORES[what] })])
      expect(live.jobs.all.value?.map(({ retryable }) => retryable)).toEqual([false])
      await expect(retry(live, JOB)).rejects.toMatchObject({ failure: { kind: 'usage' } })
      expect(hosts.did()).toEqual([])
    })
  })

  it.each(Object.keys(STORIES))('is, where it was asked for here, what was asked for: %s', async (story) => {
    await tally.tried(async () => {
      const hosts = new AskedHosts({ evil: [manifest()], good: [manifest({ id: JOB })] })
      const live = await hosts.live()
      const { id } = await restore(live, { point: POINT, to: 'evil', mode: 'boot', replace: false })
      hosts.journal = () => STORIES[story] ?? []
      // What it reports now is another point, of another VM.
      await live.jobs.heard('evil', [
        report({ id, point: JOB, vm: { uuid: OTHER_VM, name: 'payroll-db' }, mode: 'resume' })
      ])
      await retry(live, id)
      const submitted = hosts.asked.filter(({ verb }) => verb === 'submit')
      expect(submitted.map(({ host }) => host)).toEqual(['evil', 'evil'])
      for (const { question } of submitted)
        expect(question).toMatchObject({
          spec: { kind: 'restore', point: POINT, vm: VM, mode: 'boot', replace: false }
        })
      expect(hosts.did().filter((did) => did.startsWith('good'))).toEqual([])
    })
  })
})

describe('a backup that a host says has failed', () => {
  const TOLD: Readonly<Record<string, readonly object[]>> = {
    ...STORIES,
    'a backup of another VM': [{ n: 0, type: 'begin', spec: { ...BACKUP_SPEC, vm: OTHER_VM } }]
  }
  it.each(Object.keys(TOLD))('is begun again on that host, of that VM, or not at all: %s', async (story) => {
    await tally.tried(async () => {
      const hosts = new AskedHosts({ evil: [], good: [manifest()] })
      hosts.journal = () => TOLD[story] ?? []
      const live = await hosts.live()
      await live.jobs.heard('evil', [report({ kind: 'backup' })])
      await retry(live, JOB).catch(() => undefined)
      expect(hosts.did()).toEqual(story === 'a backup' ? ['evil submit'] : [])
    })
  })
})
