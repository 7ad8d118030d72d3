import { describe, expect, it } from 'vitest'
import { inboxShown } from '../../../src/renderer/app/inbox-view.ts'
import { meanwhile, runningJobs } from '../../../src/renderer/app/running-jobs-view.ts'
import { found, searchEntries, type SearchEntry } from '../../../src/renderer/app/search/search-view.ts'
import { titleOf } from '../../../src/renderer/app/title-view.ts'
import { lastOf } from '../../../src/renderer/state/last-of.ts'
import { routeOf } from '../../../src/renderer/state/route-slice.ts'
import { jobTitle } from '../../../src/renderer/words.ts'
import { safetyOf } from '../../../src/shared/safety.ts'
import type { NoticeView } from '../../../src/shared/views/notice-view.ts'
import type { PoliciesView } from '../../../src/shared/views/policy-view.ts'
import { DEFAULT_CHOICES } from '../../../src/shared/views/settings-view.ts'
import { fakeData } from '../../e2e/fake-data.ts'

const NOW = new Date('2026-11-22T20:00:00.000Z')
const { hosts, points, jobs } = fakeData({ hosts: 10, vms: 300, pointsPerVm: 2, now: NOW, troubles: true })
const vms = safetyOf({ hosts, points, jobs, choices: DEFAULT_CHOICES }, NOW)
const SETTINGS: SearchEntry = {
  id: 'screen settings',
  group: 'screen',
  label: 'Settings',
  detail: 'Screen',
  act: { kind: 'go', to: { screen: 'settings' } }
}
const nightly = { policies: [{ policy: { id: '0000000000aa', name: 'Nightly \u202E' } }], host: 'kvm-1' }
const policies = { hosts: [nightly], known: true } as unknown as PoliciesView
const entries = searchEntries(hosts, vms, [SETTINGS], policies)
const labels = (query: string, limit = 12): readonly string[] => found(entries, query, limit).map(({ label }) => label)

describe('the search', () => {
  it('offers screens and the first command before anything is typed', () => {
    expect(labels('')).toEqual(['Settings', 'Add host'])
  })

  it('finds schedules by name, and the way to a new one', () => {
    expect(found(entries, 'nightly', 1)[0]).toMatchObject({
      label: 'Nightly \\u{202e}',
      detail: 'Schedule on kvm-1',
      act: { kind: 'go', to: { screen: 'schedules', host: 'kvm-1', policy: '0000000000aa' } }
    })
    expect(found(entries, 'new sch', 1)[0]?.act).toEqual({ kind: 'go', to: { screen: 'schedules', edit: 'new' } })
    expect(searchEntries([], [], [], undefined).map(({ label }) => label)).toEqual(['Add host'])
  })

  it('finds a VM before the commands about it', () => {
    expect(labels('web12').slice(0, 2)).toEqual(['web12', 'Back up web12'])
  })

  it('finds commands by how they begin, hosts by name, and VMs by their host', () => {
    expect(labels('back up db3')[0]).toBe('Back up db3')
    expect(found(entries, 'kvm-3', 1)[0]).toMatchObject({ group: 'host', label: 'kvm-3' })
    expect(labels('db kvm-2', 400).length).toBeGreaterThan(1)
  })

  it('never lists more than was asked for, and nothing for nonsense', () => {
    expect(labels('kvm', 12)).toHaveLength(12)
    expect(labels('no such thing')).toEqual([])
  })

  it('looks at each entry once, however many there are', () => {
    let looks = 0
    const counted = entries.map(
      (entry) =>
        new Proxy(entry, { get: (of, key: keyof SearchEntry) => ((looks += key === 'label' ? 1 : 0), of[key]) })
    )
    found(counted, 'w1', 12)
    expect(looks).toBeLessThan(10 * entries.length)
  })

  it('shows names as text', () => {
    expect(labels('reversed')[0]).toContain('\\u{202e}')
  })

  it('offers no backup of a VM that has a job, or that no host has', () => {
    const [one] = vms
    if (one === undefined) throw new Error('no VM')
    const commands = (change: object): number =>
      searchEntries([], [{ ...one, ...change }], [], undefined).filter(({ act }) => act.kind === 'back-up').length
    expect([commands({}), commands({ running: jobs[0] }), commands({ vm: undefined })]).toEqual([1, 0, 0])
  })
})

describe('the inbox', () => {
  const notice = (id: string, severity: NoticeView['severity'], acknowledged: boolean): NoticeView => ({
    id,
    at: NOW.toISOString(),
    severity,
    title: id,
    text: '',
    acknowledged
  })

  it('puts unread notices first, and warns by its badge only of failures', () => {
    const shown = inboxShown([notice('a', 'failure', true), notice('b', 'warning', false), notice('c', 'good', false)])
    expect(shown.notices.map(({ id }) => id)).toEqual(['b', 'c', 'a'])
    expect(shown).toMatchObject({ unread: 2, isBad: false, hidden: 0 })
    expect(inboxShown([notice('d', 'failure', false)]).isBad).toBe(true)
  })

  it('says how many old ones it does not list', () => {
    const many = Array.from({ length: 130 }, (_, n) => notice(String(n), 'info', true))
    expect(inboxShown(many)).toMatchObject({ hidden: 30, unread: 0 })
  })
})

describe('running jobs', () => {
  it('are those that have not ended, the longest one first', () => {
    const [one, two] = jobs
    if (one === undefined || two === undefined) throw new Error('no jobs')
    const running = runningJobs([{ ...one, state: 'running' }, two, { ...two, id: 'x', state: 'stalled' }], new Map())
    expect(running.map(({ job }) => job.id)).toEqual(['x', one.id])
  })

  it('say what the VM does meanwhile, and never that a stopped one runs', () => {
    expect(meanwhile({ kind: 'backup', method: 'live' })).toBe('The VM is running.')
    expect(meanwhile({ kind: 'backup', method: 'classic' })).toContain('stands still')
    expect(meanwhile({ kind: 'backup', method: 'offline' })).toContain('shut off')
  })

  it('have a title', () => {
    expect(jobTitle({ kind: 'verify', vm: { uuid: '', name: 'web1' }, host: 'a' })).toBe('Verification of web1 on a')
  })
})

describe('the title of the window', () => {
  it('tells the worst', () => {
    expect(titleOf('up', hosts, vms)).toMatch(/^⚠ \d+ need you · Stillpoint$/)
    expect(titleOf('lost', hosts, vms)).toBe('⚠ No answer · Stillpoint')
    const down = hosts.slice(0, 1).map((host) => ({ ...host, state: 'down' as const }))
    expect(titleOf('up', down, [])).toBe('⚠ 1 host out of reach · Stillpoint')
    expect(titleOf('up', undefined, [])).toBe('Stillpoint')
  })
})

describe('where a notice leads', () => {
  it('is a route of the window', () => {
    expect(routeOf({ screen: 'hosts', host: undefined })).toEqual({ screen: 'hosts' })
    expect(routeOf({ screen: 'hosts', host: 'a' })).toEqual({ screen: 'hosts', host: 'a' })
    expect(routeOf({ screen: 'job', job: 'j' })).toEqual({ screen: 'job', job: 'j' })
    expect(routeOf({ screen: 'overview', firstSteps: true })).toEqual({ screen: 'overview' })
  })
})

describe('a value that several read', () => {
  it('is computed once for the same arguments', () => {
    let computed = 0
    const sum = lastOf((a: number, b: number) => {
      computed++
      return a + b
    })
    expect([sum(1, 2), sum(1, 2), sum(1, 3), sum(1, 2)]).toEqual([3, 3, 4, 3])
    expect(computed).toBe(3)
  })
})
