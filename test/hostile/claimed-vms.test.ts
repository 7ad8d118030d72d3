import { describe, expect, it } from 'vitest'
import { safetyOf, type VmSafety } from '../../src/shared/safety.ts'
import type { JobState } from '../../src/shared/model/job.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { fakeData } from '../e2e/fake-data.ts'
import { ended, jobOf } from '../unit/desktop/jobs.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('jobs about VMs of other hosts')

const now = new Date('2026-11-25T10:00:00.000Z')
const { hosts, points } = fakeData({ hosts: 2, vms: 4, pointsPerVm: 2, now, troubles: false })
const [good, bad] = hosts.map(({ name }) => name)
const vm = hosts[0]?.vms[0]

const soon = '2026-11-25T09:59:59.000Z'
function job(host: string | undefined, state: JobState, changes: Partial<JobView> = {}): JobView {
  const identity = { uuid: vm?.uuid ?? '', name: vm?.name ?? '' }
  const view = jobOf(1, { host: host ?? '', vm: identity, startedAt: soon, ...changes })
  return state === 'running' || state === 'queued' ? { ...view, state } : ended(view, state, soon)
}

const of = (jobs: readonly JobView[]): VmSafety | undefined =>
  safetyOf({ hosts, points, jobs, choices: DEFAULT_CHOICES }, now).find(({ uuid }) => uuid === vm?.uuid)

const earlier = '2026-11-25T09:59:58.000Z'
const HONEST: Readonly<Record<string, readonly JobView[]>> = {
  nothing: [],
  'a backup that went well': [job(good, 'done', { id: '20261125T095958Z-00000a', startedAt: earlier })],
  'a backup that failed': [job(good, 'failed-clean', { id: '20261125T095958Z-00000a', startedAt: earlier })]
}
const STATES: readonly JobState[] = [
  'queued',
  'running',
  'done',
  'done-with-warnings',
  'failed-clean',
  'failed-needs-you',
  'cancelled'
]
const CLAIMS: readonly Partial<JobView>[] = [
  { kind: 'backup' },
  { kind: 'restore', mode: 'resume', runningMs: 1 },
  {
    kind: 'restore',
    mode: 'boot',
    copyOf: { uuid: vm?.uuid ?? '', name: 'x' },
    vm: { uuid: '00000000-0000-4000-8000-0000000000ff', name: 'x' }
  }
]
const cases = Object.keys(HONEST).flatMap((honest) =>
  STATES.flatMap((state) => CLAIMS.map((claim, n) => ({ honest, state, claim, what: `${claim.kind ?? ''} ${n}` })))
)

describe("a host's word about a VM of another", () => {
  it.each(cases)(
    'changes nothing of it: $what, $state, where the other says $honest',
    async ({ honest, state, claim }) => {
      await tally.tried(() => {
        const jobs = HONEST[honest] ?? []
        const expected = of(jobs)
        expect(expected?.host).toBe(good)
        expect(of([job(bad, state, claim), ...jobs])).toEqual(expected)
        expect(of([...jobs, job(bad, state, claim)])).toEqual(expected)
      })
    }
  )
})
