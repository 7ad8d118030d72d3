import { describe, expect, it } from 'vitest'
import { overallOf, safetyOf, type Known, type VmSafety } from '../../src/shared/safety.ts'
import { safetySentence } from '../../src/shared/safety-words.ts'
import type { HostView, VmView } from '../../src/shared/views/host-view.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { DEFAULT_CHOICES } from '../../src/shared/views/settings-view.ts'
import { fakeBackup, uuidOf } from '../e2e/fake-data.ts'

const NOW = new Date('2026-11-22T20:00:00.000Z')
const hoursAgo = (hours: number): string => new Date(NOW.getTime() - hours * 3_600_000).toISOString()

const vm = (n: number): VmView => ({
  uuid: uuidOf(n),
  name: `vm${n}`,
  state: 'running',
  ramBytes: 1,
  vcpus: 1,
  autostart: false,
  agent: 'absent',
  disks: []
})

const host = (vms: readonly VmView[], more: Partial<HostView> = {}): HostView => ({
  name: 'alpha',
  address: 'alpha',
  addedAt: hoursAgo(1000),
  state: 'up',
  asOf: NOW.toISOString(),
  vms,
  ...more
})

const point = (n: number, hours: number, more: Partial<PointView> = {}): PointView => ({
  id: `${hoursAgo(hours).replaceAll(/[-:]|\.\d+/g, '')}-00000${n}`,
  vm: { uuid: uuidOf(n), name: `vm${n}` },
  host: 'alpha',
  takenAt: hoursAgo(hours),
  method: 'live',
  hasMemory: true,
  disks: [{ target: 'vda', source: '/images/web1.qcow2' }],
  sizeBytes: 10,
  pauseMs: 40 + hours,
  warnings: [],
  places: [{ kind: 'host', host: 'alpha', dir: '/points', label: 'alpha', reachable: true }],
  marks: { pinned: false },
  ...more
})

const backup = (n: number, hours: number, more: Partial<JobView> = {}): JobView => ({
  ...fakeBackup(point(n, hours), n),
  ...more
})

interface Given {
  readonly hosts?: readonly HostView[]
  readonly points?: readonly PointView[]
  readonly jobs?: readonly JobView[]
}

const known = ({ hosts = [host([vm(1)])], points = [], jobs = [] }: Given): Known => ({
  hosts,
  points: { points, broken: [], known: true },
  jobs,
  choices: DEFAULT_CHOICES
})

function only(of: Known): VmSafety {
  const [first] = safetyOf(of, NOW)
  if (first === undefined) throw new Error('no VM')
  return first
}

describe('how safe a VM is', () => {
  it('is good with a point younger than it should be', () => {
    expect(only(known({ points: [point(1, 25)] }))).toMatchObject({ safety: 'good', pointCount: 1 })
  })

  it('is old when its newest good point is older than that', () => {
    expect(only(known({ points: [point(1, 27), point(1, 60)] })).safety).toBe('old')
  })

  it('is none without a point', () => {
    expect(only(known({})).safety).toBe('none')
  })

  it('counts a damaged point as none', () => {
    const damaged = point(1, 1, { marks: { pinned: false, verified: { at: hoursAgo(0), good: false } } })
    expect(only(known({ points: [damaged] })).safety).toBe('none')
    expect(only(known({ points: [damaged, point(1, 30)] }))).toMatchObject({ safety: 'old', pointCount: 1 })
  })

  it.each(['failed-clean', 'failed-needs-you'] as const)('is failing when a backup after its point %s', (state) => {
    const jobs = [backup(1, 2, { state }), backup(1, 5)]
    expect(only(known({ points: [point(1, 5)], jobs }))).toMatchObject({ safety: 'failing', failing: { state } })
  })

  it('is good again when a backup came after the one that failed', () => {
    const jobs = [backup(1, 1), backup(1, 2, { state: 'failed-clean' })]
    expect(only(known({ points: [point(1, 1)], jobs }))).toMatchObject({ safety: 'good', failing: undefined })
  })

  it('is not failing when somebody cancelled, nor while the next backup runs', () => {
    const cancelled = backup(1, 2, { state: 'cancelled' })
    const running = backup(1, 0, { state: 'running', endedAt: undefined })
    expect(only(known({ points: [point(1, 5)], jobs: [running, cancelled] }))).toMatchObject({
      safety: 'good',
      running: { id: running.id }
    })
  })

  it('is muted, whatever else, and says why', () => {
    const choices = {
      ...DEFAULT_CHOICES,
      muted: [{ uuid: uuidOf(1), name: 'vm1', reason: 'parked', at: hoursAgo(9) }]
    }
    expect(only({ ...known({}), choices })).toMatchObject({ safety: 'muted', mutedBecause: 'parked' })
  })
})

describe('what is not known', () => {
  it('is never called unprotected before every store was asked', () => {
    expect(only({ ...known({}), points: { points: [], broken: [], known: false } }).safety).toBe('unknown')
    expect(only({ ...known({}), points: undefined }).safety).toBe('unknown')
  })

  it('is not called old before every store was asked: a younger point may be elsewhere', () => {
    expect(only({ ...known({}), points: { points: [point(1, 99)], broken: [], known: false } }).safety).toBe('unknown')
  })

  it('is what its own host lacks, whatever others have still to say', () => {
    const alpha = { broken: [], known: false, knownOf: ['alpha'] }
    expect(only({ ...known({}), points: { points: [], ...alpha } }).safety).toBe('none')
    expect(only({ ...known({}), points: { points: [point(1, 99)], ...alpha } })).toMatchObject({
      safety: 'old',
      silentSince: hoursAgo(73)
    })
    const ofBeta = known({ hosts: [host([vm(1)], { name: 'beta' })] })
    expect(only({ ...ofBeta, points: { points: [], ...alpha } }).safety).toBe('unknown')
  })

  it('is what each host lacks that was not seen yet and may have it', () => {
    const unseen = (name: string): HostView => host([], { name, state: 'down', asOf: undefined })
    const of = known({ hosts: [unseen('alpha'), unseen('beta'), host([], { name: 'gamma' })] })
    const knownOf = (...hosts: string[]) => ({ points: [point(1, 99)], broken: [], known: false, knownOf: hosts })
    expect(only({ ...of, points: knownOf('alpha') }).safety).toBe('unknown')
    expect(only({ ...of, points: knownOf('alpha', 'beta') }).safety).toBe('old')
  })

  it('is not called good before it is known what is expected', () => {
    expect(only({ ...known({ points: [point(1, 1)] }), choices: undefined }).safety).toBe('unknown')
  })

  it('says nothing of any VM before the hosts are there', () => {
    expect(safetyOf({ ...known({}), hosts: undefined }, NOW)).toEqual([])
  })
})

describe('a VM that no host has', () => {
  const points = [point(2, 1)]

  it('is listed, where its points were taken, and needs somebody', () => {
    const all = safetyOf(known({ points: [point(1, 1), ...points] }), NOW)
    expect(all.map(({ name, safety, vm: there }) => [name, safety, there !== undefined])).toEqual([
      ['vm2', 'gone', false],
      ['vm1', 'good', true]
    ])
  })

  it('is not called gone while a host has never answered: it may be there', () => {
    const hosts = [host([]), host([], { name: 'beta', state: 'connecting', asOf: undefined })]
    expect(only(known({ hosts, points })).safety).toBe('unknown')
    expect(only(known({ hosts, points: [point(2, 1, { toldBy: ['beta'] })] })).safety).toBe('good')
  })

  it('is known by its newest name', () => {
    const renamed = point(2, 1, { vm: { uuid: uuidOf(2), name: 'new' } })
    expect(only(known({ hosts: [host([])], points: [renamed, point(2, 9)] })).name).toBe('new')
    expect(only(known({ hosts: [host([])], points: [point(2, 9), renamed] })).name).toBe('new')
  })
})

describe('what is told of a VM', () => {
  it('is its newest restore on its host after which it ran', () => {
    const restore = (hours: number, more: Partial<JobView>): JobView =>
      backup(1, hours, { kind: 'restore', mode: 'resume', runningMs: 1100, ...more })
    const jobs = [
      restore(1, { state: 'failed-clean' }),
      restore(2, { mode: 'define' }),
      restore(2, { host: 'beta' }),
      restore(3, { endedAt: hoursAgo(3) }),
      restore(9, {})
    ]
    expect(only(known({ jobs })).lastProven).toEqual({ at: hoursAgo(3), host: 'alpha', runningMs: 1100 })
  })

  it('is proven by a copy of it that ran: the copy itself has no points to prove', () => {
    const copy = { uuid: uuidOf(2), name: 'twin' }
    const jobs = [backup(2, 3, { kind: 'restore', mode: 'boot', vm: copy, copyOf: { uuid: uuidOf(1), name: 'vm1' } })]
    const all = safetyOf(known({ hosts: [host([vm(1), vm(2)])], jobs }), NOW)
    expect(all.map(({ uuid, lastProven }) => [uuid, lastProven !== undefined])).toEqual([
      [uuidOf(1), true],
      [uuidOf(2), false]
    ])
  })

  it('is the pauses of its last twenty points, oldest first, without those of a VM that was shut off', () => {
    const points = Array.from({ length: 25 }, (_, n) => point(1, n))
    const { pausesMs } = only(known({ points: [...points, point(1, 0.5, { method: 'offline', pauseMs: 0 })] }))
    expect(pausesMs).toHaveLength(20)
    expect([pausesMs[0], pausesMs.at(-1)]).toEqual([59, 40])
  })

  it('comes worst first, then by name', () => {
    const hosts = [host([vm(3), vm(2), vm(10), vm(4)])]
    const all = safetyOf(known({ hosts, points: [point(10, 1), point(2, 30), point(4, 1)] }), NOW)
    expect(all.map(({ name }) => name)).toEqual(['vm3', 'vm2', 'vm4', 'vm10'])
  })
})

describe('the company in one word and one sentence', () => {
  const told = (of: Known): readonly [string, string] => {
    const vms = safetyOf(of, NOW)
    return [overallOf(of.hosts, vms), safetySentence(of.hosts, vms, NOW)]
  }
  const two = [host([vm(1), vm(2)])]

  it.each<[string, Known, string, string]>([
    [
      'all are protected',
      known({ hosts: two, points: [point(1, 2), point(2, 9)] }),
      'good',
      'All 2 VMs are protected; the oldest good point is 9 hours old'
    ],
    [
      'the only one is protected',
      known({ points: [point(1, 1)] }),
      'good',
      'Your VM is protected; its last good point is 1 hour old'
    ],
    ['one has no point', known({ hosts: two, points: [point(1, 2)] }), 'danger', '1 of 2 VMs needs you'],
    ['both are old', known({ hosts: two, points: [point(1, 99), point(2, 99)] }), 'attention', '2 of 2 VMs need you'],
    ['the only one is old', known({ points: [point(1, 99)] }), 'attention', 'Your VM needs you'],
    [
      'a host is down',
      known({ hosts: [host([vm(1)], { state: 'down' })], points: [point(1, 1)] }),
      'attention',
      'alpha is out of reach; its VMs are as they were last seen'
    ],
    [
      'a host has never answered',
      known({
        hosts: [...two, host([], { name: 'beta', state: 'connecting', asOf: undefined })],
        points: [point(1, 2), point(2, 9)]
      }),
      'unknown',
      'Not known yet: hosts and stores are being asked'
    ],
    ['there is no host', known({ hosts: [] }), 'empty', 'There are no hosts yet'],
    ['there is no VM', known({ hosts: [host([])] }), 'good', 'There are no VMs on your hosts'],
    ['nothing was heard', { ...known({}), hosts: undefined }, 'unknown', 'Not known yet: Stillpoint is still looking']
  ])('when %s', (_, of, word, sentence) => {
    expect(told(of)).toEqual([word, sentence])
  })
})
