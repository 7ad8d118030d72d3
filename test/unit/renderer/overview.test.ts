import { describe, expect, it } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { attentionOf, isCalm } from '../../../src/renderer/features/overview/attention-view.ts'
import { filtered, isFiltering, NO_FILTER } from '../../../src/renderer/features/overview/filter-view.ts'
import { vmKey, overviewSlice, type OverviewSlice } from '../../../src/renderer/features/overview/overview-slice.ts'
import {
  countsOf,
  nextRunOf,
  pointLight,
  provenLight,
  toneOf
} from '../../../src/renderer/features/overview/overview-view.ts'
import type { Failure } from '../../../src/shared/failure.ts'
import type { Safety, VmSafety } from '../../../src/shared/safety.ts'
import type { HostView } from '../../../src/shared/views/host-view.ts'
import { fakeData, uuidOf } from '../../e2e/fake-data.ts'
import { askedCore } from './asked-core.ts'

// Local times: words of what is near are those of this computer's time zone.
const NOW = new Date(2026, 10, 22, 20)
const HOUR_MS = 3_600_000
const hoursFromNow = (hours: number): string => new Date(NOW.getTime() + hours * HOUR_MS).toISOString()
const NIGHTLY = { id: '0123456789ab', name: 'nightly', host: 'kvm-1' }
const DATA = fakeData({ hosts: 2, vms: 4, pointsPerVm: 1, now: NOW, troubles: false })
const [alpha, beta] = DATA.hosts
if (alpha === undefined || beta === undefined) throw new Error('no hosts')
const POINT = DATA.points.points[0]
const JOB = DATA.jobs[0]
const FULL: Failure = { kind: 'no-room', path: '/srv', forWhat: 'the point', neededBytes: 2, freeBytes: 1 }

const vm = (n: number, safety: Safety, more: Partial<VmSafety> = {}): VmSafety => ({
  uuid: uuidOf(n),
  name: `vm${n}`,
  host: alpha.name,
  vm: alpha.vms[0],
  safety,
  lastPoint: undefined,
  pointCount: 0,
  untold: [],
  lastProven: undefined,
  pausesMs: [],
  failing: undefined,
  running: undefined,
  mutedBecause: undefined,
  policies: [],
  notKnown: undefined,
  nextRunAt: undefined,
  expectWithinMs: 26 * HOUR_MS,
  silentSince: undefined,
  isAcknowledged: false,
  ...more
})

const aged = (hours: number): Partial<VmSafety> => ({
  lastPoint: POINT && { ...POINT, takenAt: new Date(NOW.getTime() - hours * 3_600_000).toISOString() }
})

const failing = (retryable: boolean): Partial<VmSafety> => ({
  failing: JOB && { ...JOB, state: 'failed-clean', failure: FULL, retryable }
})

const seen = (vms: readonly VmSafety[], hosts: readonly HostView[] = [alpha, beta]) =>
  attentionOf({ hosts, vms, broken: [], starting: new Map(), now: NOW })

describe('what needs somebody', () => {
  it('is nothing while all are protected, muted or not known', () => {
    expect(seen([vm(1, 'good'), vm(2, 'muted'), vm(3, 'unknown')])).toEqual([])
  })

  it.each<[Safety, Partial<VmSafety>, string, string]>([
    ['none', {}, 'back-up', 'Nothing can be restored: no store has a good point of it.'],
    ['old', aged(72), 'back-up', 'No good point since Thu 20:00; one is expected every 26 hours.'],
    ['gone', aged(5), 'restore', 'It was on kvm-1. Its last good point is 5 hours old.'],
    [
      'failing',
      { ...aged(5), ...failing(true) },
      'retry',
      'Not enough room in /srv. The last good point is 5 hours old.'
    ],
    [
      'failing',
      { ...aged(5), ...failing(false) },
      'back-up',
      'Not enough room in /srv. The last good point is 5 hours old.'
    ],
    ['none', failing(true), 'retry', 'Not enough room in /srv. There is no good point.']
  ])('says why a VM that is %s does, and what mends it', (safety, more, remedy, text) => {
    expect(seen([vm(1, safety, more)])).toMatchObject([{ kind: 'vm', remedy, text }])
  })

  it('says the silence of a VM that a schedule covers as bad as a failure, and since when', () => {
    const silent = { policies: [NIGHTLY], silentSince: hoursFromNow(-10) }
    expect(seen([vm(1, 'old', { ...aged(36), ...silent })])).toMatchObject([
      { tone: 'danger', label: 'Silent', text: 'No good point since yesterday 08:00; one is expected every 26 hours.' }
    ])
    expect(seen([vm(1, 'none', silent)])).toMatchObject([
      { label: 'Silent', text: 'There is no good point; the first one was due today 10:00.' }
    ])
    const paused = { ...silent, policies: [{ ...NIGHTLY, pausedUntil: hoursFromNow(30) }] }
    expect(seen([vm(1, 'old', { ...aged(36), ...paused })])).toMatchObject([
      { tone: 'attention', label: 'Point too old' }
    ])
  })

  it('says which points do not count, and who has them', () => {
    const untold = [
      { host: 'kvm-2', count: 1 },
      { host: undefined, count: 3 }
    ]
    expect(seen([vm(1, 'none', { untold: untold.slice(0, 1) })])).toMatchObject([
      {
        label: 'No good point',
        text: 'kvm-1 has told of no good point of it. Host kvm-2 has 1 point of it that kvm-1 never told of: it can be restored, but does not count.'
      }
    ])
    expect(seen([vm(1, 'old', { ...aged(36), untold })])).toMatchObject([
      {
        text: 'No good point since yesterday 08:00; one is expected every 26 hours. This computer has 3 newer points of it, and others have some too, that kvm-1 never told of: they can be restored, but do not count.'
      }
    ])
  })

  it('keeps what has been acknowledged in the list, calm', () => {
    const [item, other] = seen([vm(1, 'failing', { ...failing(true), isAcknowledged: true }), vm(2, 'none')])
    expect([item, other].map((each) => each && isCalm(each))).toEqual([true, false])
    expect(item).toMatchObject({ tone: 'muted', label: 'Backup failed' })
    expect(toneOf(vm(1, 'failing'))).toBe('danger')
  })

  it('offers nothing while a job of the VM runs, or its host is away', () => {
    expect(seen([vm(1, 'none', { running: JOB })])).toMatchObject([{ remedy: 'running' }])
    const down: HostView = { ...alpha, state: 'down', failure: { kind: 'host-unreachable', host: 'a', reason: 'no' } }
    expect(seen([vm(1, 'none')], [down, beta])).toMatchObject([
      { kind: 'host', label: 'No answer', text: 'no' },
      { kind: 'vm', remedy: 'wait' }
    ])
  })

  it('tells a host whose key is another one from a silent one', () => {
    const down: HostView = {
      ...alpha,
      state: 'down',
      failure: { kind: 'host-key-changed', host: 'a', address: 'a', keyType: 'k', fingerprint: 'f', knownIn: 'x:1' }
    }
    expect(seen([], [down])).toMatchObject([{ kind: 'host', label: 'Not trusted', text: 'The key of a has changed' }])
  })

  it('puts what was just refused on top, for any VM, until it is dismissed', () => {
    const starting = new Map<string, 'asking' | Failure>([
      [vmKey(alpha.name, uuidOf(1)), 'asking'],
      [vmKey('elsewhere', uuidOf(1)), FULL],
      [vmKey(alpha.name, uuidOf(2)), FULL]
    ])
    const vms = [vm(3, 'old', aged(99)), vm(1, 'good'), vm(2, 'good')]
    const all = attentionOf({ hosts: [alpha], vms, broken: [], starting, now: NOW })
    expect(all).toMatchObject([
      { kind: 'refused', failure: FULL, vm: { name: 'vm2' } },
      { kind: 'vm', vm: { name: 'vm3' } }
    ])
  })

  it('names points that cannot be read last', () => {
    const broken = [{ where: 'alpha', path: '/x', reason: 'half' }]
    const all = attentionOf({
      hosts: [alpha],
      vms: [vm(1, 'none')],
      broken,
      starting: new Map(),
      now: NOW
    })
    expect(all.map(({ kind }) => kind)).toEqual(['vm', 'broken'])
  })
})

describe('an autostart that a restore has left off', () => {
  const [first] = alpha.vms
  const held = { host: 'beta', machineId: 'b' }
  const holding: HostView = {
    ...alpha,
    state: 'up',
    vms: first ? [{ ...first, autostart: false, heldAutostart: held }] : []
  }
  const twin = (state: HostView['state'], vms: HostView['vms'] = []): HostView => ({
    ...beta,
    name: 'beta',
    state,
    vms
  })
  const rows = (...hosts: HostView[]) => seen([], hosts).filter(({ kind }) => kind === 'autostart')

  it.each([
    ['gone', twin('up')],
    ['there', twin('up', first ? [{ ...first, state: 'running' }] : [])],
    ['silent', twin('down')]
  ])('is for somebody to decide, whether the twin is %s', (kind, other) => {
    const [row, ...more] = rows(holding, other)
    expect(row).toMatchObject({ host: alpha.name, vm: { uuid: first?.uuid }, twin: kind })
    expect(more).toEqual([])
  })

  it('is not shown where nobody has left one off, nor of a host that cannot be told', () => {
    expect(rows(alpha, twin('up'))).toEqual([])
    expect(rows({ ...holding, state: 'down' }, twin('up'))).toEqual([])
  })

  it('is decided by its host, and says why it could not be', async () => {
    const core = askedCore()
    const store = createStore<OverviewSlice>()(overviewSlice(core.bridge))
    const key = vmKey('alpha', uuidOf(1))
    const decide = (on: boolean): void => void store.getState().decideAutostart('alpha', uuidOf(1), on)
    decide(true)
    expect(core.last('hosts.autostart').question).toEqual({ name: 'alpha', vm: uuidOf(1), on: true })
    expect(store.getState().decidingAutostart.get(key)).toBe('asking')
    await core.last('hosts.autostart').fails(FULL)
    expect(store.getState().decidingAutostart.get(key)).toEqual(FULL)
    decide(false)
    await core.last('hosts.autostart').succeeds()
    expect(store.getState().decidingAutostart.size).toBe(0)
  })
})

describe('the two lights of a VM', () => {
  const ago = (): string => '3 h ago'

  it.each<[VmSafety, string, string, string]>([
    [vm(1, 'good', aged(3)), 'good', '3 h ago', 'within 26 hours'],
    [vm(1, 'old', aged(90)), 'attention', '3 h ago', 'older than 26 hours'],
    [vm(1, 'none'), 'danger', 'none', 'nothing protects it'],
    [vm(1, 'unknown'), 'unknown', 'not known', 'stores are still being asked'],
    [vm(1, 'failing', aged(3)), 'danger', '3 h ago', 'the newest backup failed'],
    [vm(1, 'muted', { mutedBecause: 'parked\u202E' }), 'muted', 'none', 'muted: parked\\u{202e}']
  ])('say what the colour of the newest point means', (row, tone, label, reason) => {
    expect(pointLight(row, ago)).toEqual({ tone, label, reason })
  })

  it('are calm once it has been acknowledged', () => {
    expect(pointLight(vm(1, 'old', { ...aged(90), isAcknowledged: true }), ago)).toEqual({
      tone: 'muted',
      label: '3 h ago',
      reason: 'acknowledged'
    })
  })

  it('tell a restore that was proven from none', () => {
    expect(provenLight(vm(1, 'good'), ago)).toMatchObject({ tone: 'unknown', label: 'never' })
    const proven = { at: NOW.toISOString(), host: 'beta', runningMs: 1 }
    expect(provenLight(vm(1, 'good', { lastProven: proven }), ago)).toMatchObject({
      tone: 'good',
      reason: 'ran on beta'
    })
  })
})

describe('the next run of a VM', () => {
  const nextOf = (more: Partial<VmSafety>) => nextRunOf(vm(1, 'good', more), NOW)

  it('is a time, and how far it is', () => {
    expect(nextOf({ policies: [NIGHTLY], nextRunAt: hoursFromNow(6) })).toEqual({
      text: 'tomorrow 02:00',
      more: 'in 6 h'
    })
  })

  it('is missing where no schedule means the VM, and that can be mended', () => {
    expect(nextOf({})).toEqual({ text: 'no schedule', more: '', isUncovered: true })
  })

  it('is not known where others may mean the VM, and none is asked for', () => {
    expect(nextOf({ notKnown: 'left-out' })).toEqual({ text: 'not known', more: '' })
    expect(nextOf({ notKnown: 'left-out', policies: [NIGHTLY], nextRunAt: hoursFromNow(6) }).more).toBe('in 6 h')
  })

  it('says until when it is paused, or that it is for good', () => {
    const until = (pausedUntil: string) => nextOf({ policies: [{ ...NIGHTLY, pausedUntil }] })
    expect(until(hoursFromNow(30))).toEqual({ text: 'paused', more: 'until Tue 02:00' })
    expect(until('9999-12-31T00:00:00.000Z')).toEqual({ text: 'paused', more: '' })
  })

  it('says where a schedule does not get to run', () => {
    expect(nextOf({ policies: [NIGHTLY] })).toMatchObject({ text: 'no run planned', isStuck: true })
  })
})

describe('the counts below the sentence', () => {
  it('name what there is, worst first', () => {
    const vms = [vm(1, 'good'), vm(2, 'muted'), vm(3, 'none'), vm(4, 'failing'), vm(5, 'good')]
    expect(countsOf([{ ...alpha, state: 'down' }, beta], vms)).toBe(
      '1 host out of reach · 1 without a good point · 1 backup fails · 1 muted · 2 protected'
    )
  })
})

describe('the filter', () => {
  const vms = [vm(1, 'good'), vm(2, 'old', { host: 'beta' }), vm(3, 'good', { running: JOB, name: 'Web One' })]
  const names = (change: Partial<typeof NO_FILTER>): readonly string[] =>
    filtered(vms, { ...NO_FILTER, ...change }).map(({ name }) => name)

  it('leaves all without one', () => {
    expect(names({})).toHaveLength(3)
    expect([isFiltering(NO_FILTER), isFiltering({ ...NO_FILTER, text: ' ' })]).toEqual([false, false])
  })

  it('wants every word, in name, host or UUID, in any case', () => {
    expect(names({ text: 'one WEB' })).toEqual(['Web One'])
    expect(names({ text: 'bet' })).toEqual(['vm2'])
    expect(names({ text: uuidOf(1).slice(0, 8) })).toEqual(['vm1'])
    expect(names({ text: 'web beta' })).toEqual([])
  })

  it('knows states and hosts', () => {
    expect(names({ state: 'needs-you' })).toEqual(['vm2'])
    expect(names({ state: 'running' })).toEqual(['Web One'])
    expect(names({ state: 'no-schedule' })).toHaveLength(3)
    expect(filtered([vm(1, 'unknown', { notKnown: 'left-out' })], { ...NO_FILTER, state: 'no-schedule' })).toEqual([])
    expect(names({ state: 'acknowledged' })).toEqual([])
    expect(names({ state: 'good', host: 'beta' })).toEqual([])
  })
})
