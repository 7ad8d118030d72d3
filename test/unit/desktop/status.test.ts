import { describe, expect, it } from 'vitest'
import { openNotices } from '../../../src/main/desktop/open-notices.ts'
import { statusOf } from '../../../src/main/desktop/status.ts'
import { trayMenu, type TrayEntry } from '../../../src/main/desktop/tray-menu.ts'
import type { Policy } from '../../../src/shared/model/policy.ts'
import type { NoticeView } from '../../../src/shared/views/notice-view.ts'
import type { HostPolicies } from '../../../src/shared/views/policy-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { fakeData } from '../../e2e/fake-data.ts'
import { ended, jobOf, liveOf, seenOf } from './jobs.ts'

const NOW = new Date('2026-11-25T12:00:00Z')
const company = (troubles: boolean, vms = 7) => {
  const { hosts, points, jobs } = fakeData({ hosts: 2, vms, pointsPerVm: 2, now: NOW, troubles })
  return seenOf({ hosts, points, jobs, choices: DEFAULT_CHOICES })
}
const hostPoliciesOf = (host: string, expectEveryHours: number): HostPolicies => ({
  host,
  asOf: NOW.toISOString(),
  reachable: true,
  policies: [{ policy: policyOf(host, expectEveryHours), lastRun: undefined }],
  broken: [],
  timeZone: 'UTC',
  parallel: 1,
  channels: {},
  outbox: []
})
const policyOf = (host: string, expectEveryHours: number): Policy => ({
  version: 1,
  id: '00000000000a',
  name: 'nightly',
  hostName: host,
  store: '/var/lib/stillpoint/points',
  budgetMs: 300,
  onBusy: 'pause',
  vms: { kind: 'all', exclude: [] },
  schedule: { calendar: '02:00', jitterSeconds: 0 },
  keep: { floor: 3, graceHours: 24 },
  tell: { onSuccess: false, onFailure: true, digest: 'none', mailTo: [] },
  expectEveryHours,
  changedAt: '2026-01-01T00:00:00.000Z'
})
const notice = (changes: Partial<NoticeView> = {}): NoticeView => ({
  id: 'n',
  at: '2026-11-25T11:00:00.000Z',
  severity: 'failure',
  title: 'The backup of web1 failed',
  text: '',
  acknowledged: false,
  ...changes
})

describe('the state in the tray', () => {
  it('is unknown until the core has spoken, and never good before', () => {
    expect(statusOf(seenOf(), NOW).worst).toBe('unknown')
  })

  it('is good with the sentence of the overview', () => {
    const { worst, sentence } = statusOf(company(false), NOW)
    expect(worst).toBe('good')
    expect(sentence).toMatch(/^All 7 VMs are protected/)
  })

  it('is the worst of all VMs', () => {
    expect(statusOf(company(true), NOW)).toMatchObject({ worst: 'danger' })
  })

  it('is as bad as what happened, until that is acknowledged', () => {
    const good = company(false)
    const failed = { ...good, notices: [notice({ title: 'Restore of\u202e db1 failed' })] }
    expect(statusOf(failed, NOW)).toEqual({ worst: 'danger', sentence: 'Restore of\\u{202e} db1 failed' })
    expect(statusOf({ ...good, notices: [notice({ severity: 'warning' })] }, NOW).worst).toBe('attention')
    expect(
      statusOf({ ...good, notices: [notice({ acknowledged: true }), notice({ severity: 'info' })] }, NOW).worst
    ).toBe('good')
  })
})

describe('the state in the tray with schedules', () => {
  const company7 = company(false)
  const policies = (expectEveryHours: number) => ({
    hosts: (company7.hosts ?? []).map(({ name }) => hostPoliciesOf(name, expectEveryHours)),
    known: true
  })

  it('is red with the silence in words, also where a host does not answer', () => {
    const silent = { ...company7, policies: policies(0.001) }
    const { worst, sentence } = statusOf(silent, NOW)
    expect(worst).toBe('danger')
    expect(sentence).toMatch(/^7 of 7 VMs need you; .* is silent since 2026-.* \(and 6 more\)$/)
    const down = { ...silent, hosts: (silent.hosts ?? []).map((each) => ({ ...each, state: 'down' as const })) }
    expect(statusOf(down, NOW).worst).toBe('danger')
  })

  it('is good where every promise is kept', () => {
    expect(statusOf({ ...company7, policies: policies(500) }, NOW).worst).toBe('good')
  })
})

describe('a notice', () => {
  const failed = ended(jobOf(1), 'failed-clean', '2026-11-25T11:00:00.000Z')
  const later = '2026-11-25T11:30:00.000Z'
  const ofJob = notice({ goTo: { screen: 'job', job: failed.id } })
  const open = (jobs: readonly (typeof failed)[], about = ofJob): number =>
    openNotices(seenOf({ jobs, notices: [about] })).length

  it('of a failed backup is no longer open when it was acknowledged, or its VM muted', () => {
    const at = later
    const { uuid, name } = failed.vm
    const openWith = (choices: Partial<typeof DEFAULT_CHOICES>): number =>
      openNotices(seenOf({ jobs: [failed], notices: [ofJob], choices: { ...DEFAULT_CHOICES, ...choices } })).length
    expect(openWith({})).toBe(1)
    expect(openWith({ acknowledged: [{ uuid, what: failed.id, at }] })).toBe(0)
    expect(openWith({ muted: [{ uuid, name, reason: '', at }] })).toBe(0)
  })

  it('of a failed job is superseded by a later success of the same kind for the same VM', () => {
    expect(open([failed])).toBe(1)
    const again = { ...jobOf(2), vm: failed.vm }
    expect(open([ended(again, 'done', later), failed])).toBe(0)
    expect(open([ended(again, 'done', '2026-11-25T10:30:00.000Z'), failed])).toBe(1)
    expect(open([ended({ ...again, kind: 'restore' }, 'done', later), failed])).toBe(1)
    expect(open([ended(jobOf(2), 'done', later), failed])).toBe(1)
    expect(open([ended(again, 'failed-clean', later), failed])).toBe(1)
  })

  it('of a VM is superseded by its next good backup', () => {
    const ofVm = notice({ goTo: { screen: 'vm', host: 'alpha', vm: failed.vm.uuid } })
    expect(open([failed], ofVm)).toBe(1)
    expect(open([ended({ ...jobOf(2), vm: failed.vm }, 'done', later)], ofVm)).toBe(0)
  })

  it('of a host is superseded when the host answers again', () => {
    const ofHost = notice({ severity: 'warning', goTo: { screen: 'hosts', host: 'kvm-1' } })
    const { hosts = [] } = company(false)
    const at = (asOf: string, state: 'up' | 'down') =>
      openNotices(seenOf({ hosts: hosts.map((host) => ({ ...host, asOf, state })), notices: [ofHost] })).length
    expect([at(later, 'up'), at(later, 'down'), at('2026-11-25T10:00:00.000Z', 'up')]).toEqual([0, 1, 1])
  })

  it('of a failure comes before one that only warns', () => {
    const notices = [notice({ id: 'w', severity: 'warning' }), notice({ id: 'f' })]
    expect(openNotices(seenOf({ notices })).map(({ id }) => id)).toEqual(['f', 'w'])
  })
})

describe('the menu of the tray', () => {
  const labels = (entries: readonly TrayEntry[]): string[] =>
    entries.map((entry) => (entry === 'line' ? '-' : entry.label))
  const menu = (seen = company(false)) => trayMenu(seen, { worst: 'good', sentence: 'All is well' })
  const backUps = (seen = company(false)): readonly TrayEntry[] =>
    menu(seen).flatMap((entry) => (entry !== 'line' && 'entries' in entry ? entry.entries : []))

  it('begins with the state and ends with Quit', () => {
    expect(labels(menu())).toEqual(['All is well', '-', 'Back up now', '-', 'Open Stillpoint', 'Quit'])
  })

  it('lists what runs with how far it is, and leads to it', () => {
    const [one, two] = [jobOf(1), jobOf(2, { kind: 'restore' })]
    const entries = menu({ ...company(false), jobs: [one, two], live: [liveOf(one, 'x', 42, 100)] })
    expect(labels(entries).slice(0, 5)).toEqual([
      'All is well',
      '-',
      'Backing up web1 on alpha · 42 %',
      'Restoring web2 on alpha',
      '-'
    ])
    expect(entries[2]).toMatchObject({ action: { do: 'goTo', to: { screen: 'job', job: one.id } } })
  })

  it('stays short when much runs', () => {
    const jobs = Array.from({ length: 20 }, (_, n) => jobOf(n))
    expect(labels(menu({ ...company(false), jobs }))).toContain('12 more jobs in the window…')
  })

  it('offers to back up every VM that runs on a host that answers', () => {
    const offered = backUps()
    const { hosts = [] } = company(false)
    const running = hosts.flatMap(({ vms }) => vms.filter(({ state }) => state === 'running'))
    expect(offered).toHaveLength(running.length)
    const [first] = hosts
    const vm = first?.vms[0]
    expect(offered).toContainEqual({
      label: `${vm?.name} (${first?.name})`,
      action: { do: 'backUp', host: first?.name, vm: vm?.uuid, name: vm?.name }
    })
    const down = hosts.map((host) => ({ ...host, state: 'down' as const }))
    expect(labels(backUps({ ...company(false), hosts: down }))).toEqual(['No VM is running'])
  })

  it('lists VMs as a person would, and the window does', () => {
    const seen = company(false)
    const [host] = seen.hosts ?? []
    const vms = ['web10', 'web2', 'Web1'].flatMap((name, n) => {
      const vm = host?.vms[0]
      return vm === undefined ? [] : [{ ...vm, uuid: `${vm.uuid.slice(0, -1)}${n}`, name, state: 'running' as const }]
    })
    const offered = labels(backUps({ ...seen, hosts: host && [{ ...host, vms }] }))
    expect(offered.map((label) => label.split(' ')[0])).toEqual(['Web1', 'web2', 'web10'])
  })

  it('offers 25 of many, and the window for the rest', () => {
    expect(labels(backUps(company(false, 300)))).toHaveLength(27)
    expect(labels(backUps(company(false, 300))).slice(-2)).toEqual(['-', 'More in the window…'])
  })

  it('shows names as harmless text of one line', () => {
    for (const label of labels(backUps(company(true)))) {
      expect(label).not.toMatch(/[\p{Cc}\p{Cf}]/u)
      expect(label.length).toBeLessThan(110)
    }
  })
})
