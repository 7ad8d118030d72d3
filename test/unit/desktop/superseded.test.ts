import { describe, expect, it } from 'vitest'
import { awayNotices } from '../../../src/main/core/live/away-notice.ts'
import { jobNotice } from '../../../src/main/core/live/job-notice.ts'
import { policyNotices, runNotices, untoldNotice } from '../../../src/main/core/live/policy-notices.ts'
import type { Said } from '../../../src/main/core/live/notices.ts'
import { openNotices } from '../../../src/main/desktop/open-notices.ts'
import type { RunReport } from '../../../src/shared/model/policy.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import { NoticeView } from '../../../src/shared/views/notice-view.ts'
import type { HostPolicies, PolicyState } from '../../../src/shared/views/policy-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { ended, jobOf, seenOf } from './jobs.ts'
import { policyOf, runOf } from '../made-policies.ts'

const NOW = new Date('2026-11-25T12:00:00Z')
const EARLY = '2026-11-25T10:30:00.000Z'
const policy = policyOf()
const run = (day: number, more: Partial<RunReport> = {}): RunReport =>
  runOf({
    id: `202611${day}T020000Z-0000aa`,
    startedAt: `2026-11-${day}T02:00:00.000Z`,
    endedAt: `2026-11-${day}T02:01:00.000Z`,
    ...more
  })
const said = (state: Partial<PolicyState> = {}, more: Partial<HostPolicies> = {}): HostPolicies => ({
  host: 'alpha',
  asOf: NOW.toISOString(),
  reachable: true,
  policies: [{ policy, ...state }],
  broken: [],
  timeZone: 'UTC',
  parallel: 1,
  channels: {},
  outbox: [],
  ...more
})

/** As it comes back from the file. */
const kept = (notice: Said | undefined): NoticeView => NoticeView.parse({ ...notice, acknowledged: false })
const isOpen = (notice: NoticeView, seen: Parameters<typeof seenOf>[0]): boolean =>
  openNotices(seenOf({ notices: [notice], ...seen })).length === 1
const isOpenBy = (notice: NoticeView, host: HostPolicies): boolean =>
  isOpen(notice, { policies: { hosts: [host], known: true } })

describe('a notice about several failures while nobody watched', () => {
  const failed = [1, 2].map((n) => ended(jobOf(n), 'failed-clean'))
  const again = [1, 2].map((n) => ended(jobOf(n, { id: `20261125T11000${n}Z-0000bb` }), 'done', EARLY))
  const notice = kept(awayNotices({ jobs: failed, runs: [] }, DEFAULT_CHOICES)[0]?.[0])

  it('is over when each of the VMs was backed up since, also before anybody came back', () => {
    expect(isOpen(notice, { jobs: failed })).toBe(true)
    expect(isOpen(notice, { jobs: [...again.slice(0, 1), ...failed] })).toBe(true)
    expect(isOpen(notice, { jobs: [...again, ...failed] })).toBe(false)
  })

  it('is over when somebody knows of one, and the VM of the other is muted', () => {
    const [one, other] = failed.map(({ id, vm }) => ({ uuid: vm.uuid, name: vm.name, what: id, reason: '', at: EARLY }))
    if (one === undefined || other === undefined) throw new Error('two failed')
    const choices = { ...DEFAULT_CHOICES, acknowledged: [one] }
    expect(isOpen(notice, { jobs: failed, choices })).toBe(true)
    expect(isOpen(notice, { jobs: failed, choices: { ...choices, muted: [other] } })).toBe(false)
  })

  it('stays while a run that failed with them has not gone well again', () => {
    const lost = run(24, { state: 'failed', reason: 'another store' })
    const both = kept(awayNotices({ jobs: failed, runs: [lost] }, DEFAULT_CHOICES)[0]?.[0])
    const jobs = [...again, ...failed]
    expect(isOpen(both, { jobs, policies: { hosts: [said({ lastRun: lost })], known: true } })).toBe(true)
    expect(isOpen(both, { jobs, policies: { hosts: [said({ lastRun: run(25) })], known: true } })).toBe(false)
  })
})

describe('a notice of a run', () => {
  const lost = run(24, { state: 'failed', reason: 'another store' })
  const notice = kept(runNotices(lost)[0])

  it('that failed is over by a later one that went well, and by nothing less', () => {
    expect(isOpen(notice, {})).toBe(true)
    expect(isOpenBy(notice, said({ lastRun: lost }))).toBe(true)
    expect(isOpenBy(notice, said({ lastRun: run(23) }))).toBe(true)
    expect(isOpenBy(notice, said({ lastRun: { ...run(25, { state: 'running' }), endedAt: undefined } }))).toBe(true)
    expect(isOpenBy(notice, said({ lastRun: run(25, { state: 'skipped' }) }))).toBe(true)
    expect(isOpenBy(notice, said({ lastRun: run(25, { state: 'failed' }) }))).toBe(true)
    expect(isOpenBy(notice, said({ lastRun: run(25) }))).toBe(false)
    expect(isOpenBy(notice, said({ lastRun: run(25, { state: 'done-with-warnings' }) }))).toBe(false)
  })

  it('is over when its policy is taken off the host', () => {
    expect(isOpenBy(notice, said({}, { policies: [] }))).toBe(false)
    expect(isOpenBy(notice, said({}, { host: 'beta', policies: [] }))).toBe(true)
  })

  it('that did not prune is over by one that does', () => {
    const pruned = { trashed: [], removed: [], memoryDropped: [], freedBytes: 0, refused: ['the clock jumped'] }
    const ofPruning = kept(runNotices(run(24, { pruned }))[0])
    expect(isOpenBy(ofPruning, said({ lastRun: run(25, { pruned }) }))).toBe(true)
    expect(isOpenBy(ofPruning, said({ lastRun: run(25) }))).toBe(true)
    expect(isOpenBy(ofPruning, said({ lastRun: run(25, { pruned: { ...pruned, refused: [] } }) }))).toBe(false)
  })
})

describe('a notice of a copy', () => {
  const copy = (n: number, changes: Partial<JobView> = {}): JobView => {
    const job = jobOf(1, { id: jobOf(n).id, kind: 'copy', isHere: true, ...changes })
    return ended(job, changes.state ?? 'done', n === 1 ? undefined : EARLY)
  }
  const later = copy(2)

  it('that is not all that its point was stays, whatever of its VM is copied afterwards', () => {
    const lacking = copy(1, { state: 'done-with-warnings', warnings: ['The copy has no RAM'] })
    const notice = kept(jobNotice(lacking, DEFAULT_CHOICES)[0])
    expect(isOpen(notice, { jobs: [later, lacking] })).toBe(true)
    const known = { uuid: lacking.vm.uuid, name: lacking.vm.name, what: lacking.id, reason: '', at: EARLY }
    expect(isOpen(notice, { jobs: [later, lacking], choices: { ...DEFAULT_CHOICES, acknowledged: [known] } })).toBe(
      false
    )
  })

  it.each([[], ['beta has the point without its RAM']])('that failed is over when one was made: %j', (...warnings) => {
    const failed = copy(1, { state: 'failed-clean', warnings })
    const notice = kept(jobNotice(failed, DEFAULT_CHOICES)[0])
    expect(isOpen(notice, { jobs: [failed] })).toBe(true)
    expect(isOpen(notice, { jobs: [later, failed] })).toBe(false)
  })
})

describe('a notice of what a host says', () => {
  const item = {
    id: 'run-1',
    channel: 'mail',
    subject: 'nightly failed',
    at: EARLY,
    tries: 9,
    lastError: 'refused'
  } as const
  const wrong = said({ problem: 'no timer' }, { outbox: [item] })
  const [problem, message] = policyNotices(wrong, NOW).map(kept)

  it('is over when it no longer says so', () => {
    if (problem === undefined || message === undefined) throw new Error('one of each')
    expect([problem, message].map((notice) => isOpenBy(notice, wrong))).toEqual([true, true])
    expect([problem, message].map((notice) => isOpenBy(notice, said()))).toEqual([false, false])
    expect(isOpenBy(problem, said({ problem: 'another store' }))).toBe(false)
  })

  it('that could not be read is over when it can', () => {
    const untold = kept(untoldNotice('alpha', { kind: 'io', path: '/x', code: 'EIO', detail: '' }, NOW))
    expect(isOpenBy(untold, said({}, { reachable: false }))).toBe(true)
    expect(isOpenBy(untold, said())).toBe(false)
  })
})
