import type { HostView, VmView } from '../../src/shared/views/host-view.ts'
import type { JobView } from '../../src/shared/views/job-view.ts'
import type { NoticeView } from '../../src/shared/views/notice-view.ts'
import type { PointsView, PointView } from '../../src/shared/views/point-view.ts'

/** Made-up hosts, VMs, points and jobs: the same for the same numbers, so that pictures can be compared. */
export interface FakeData {
  readonly hosts: HostView[]
  readonly points: PointsView
  readonly jobs: JobView[]
  readonly notices: NoticeView[]
}

const GIB = 1024 ** 3
const HOUR_MS = 3_600_000

/** Small, good enough and repeatable (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const NAMES = ['web', 'db', 'mail', 'files', 'git', 'build', 'crm', 'erp', 'vpn', 'dns', 'ldap', 'wiki', 'shop', 'mon']
/** What must show as text, whole and harmless. */
export const NASTY = [
  '<img src=x onerror=alert(1)>',
  '🦔 \u202Ereversed',
  `${'very-long-name-'.repeat(20)}end`,
  '{{7*7}} %s%n'
]

export const uuidOf = (n: number): string =>
  `${n.toString(16).padStart(8, '0')}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
const idAt = (at: number, n: number): string =>
  `${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}-${(n % 0xffffff).toString(16).padStart(6, '0')}`

export interface Sizes {
  readonly hosts: number
  readonly vms: number
  readonly pointsPerVm: number
  readonly now: Date
  /** Some VMs unprotected, old or failing, one host down. */
  readonly troubles: boolean
}

export function fakeData({ hosts, vms, pointsPerVm, now, troubles }: Sizes): FakeData {
  const random = dice(7)
  const hostNames = Array.from({ length: hosts }, (_, n) => `kvm-${n + 1}`)
  const vmsOf = new Map<string, VmView[]>(hostNames.map((name) => [name, []]))
  const points: PointView[] = []
  const jobs: JobView[] = []
  for (let n = 0; n < vms; n++) {
    const host = hostNames[n % hosts] ?? ''
    const vm = fakeVm(n, random, troubles)
    vmsOf.get(host)?.push(vm)
    const ageHours = troubles && n % 17 === 3 ? 90 : random() * 20
    if (troubles && n % 23 === 5) continue
    for (let back = 0; back < pointsPerVm; back++) {
      const at = now.getTime() - (ageHours + 24 * back) * HOUR_MS
      const point = fakePoint(vm, host, at, random, n * 1000 + back)
      points.push(point)
      jobs.push(fakeBackup(point, n * 1000 + back))
    }
    if (n % 3 === 0) jobs.push(fakeRestore(vm, host, now.getTime() - (30 + n) * HOUR_MS, n))
    if (troubles && n % 31 === 8) jobs.push(fakeFailure(vm, host, now.getTime() - HOUR_MS, n))
  }
  jobs.sort((a, b) => b.startedAt.localeCompare(a.startedAt))
  return {
    hosts: hostNames.map((name, n) =>
      fakeHost(name, n, vmsOf.get(name) ?? [], now, troubles ? troubleOf(name, hosts - 1 - n) : undefined)
    ),
    points: { points, broken: troubles ? [brokenOf(points[0])] : [], known: true },
    jobs: jobs.slice(0, 1000),
    notices: jobs
      .filter(({ state }) => state.startsWith('failed'))
      .slice(0, 5)
      .map((job) => ({
        id: job.id,
        at: job.endedAt ?? job.startedAt,
        severity: 'failure',
        title: `The backup of ${job.vm.name} failed`,
        text: 'There is too little room in /var/lib/stillpoint/points.',
        goTo: { screen: 'job', job: job.id },
        acknowledged: false
      }))
  }
}

function fakeVm(n: number, random: () => number, troubles: boolean): VmView {
  const name =
    (troubles ? NASTY[n] : undefined) ?? `${NAMES[n % NAMES.length] ?? 'vm'}${Math.floor(n / NAMES.length) + 1}`
  return {
    uuid: uuidOf(n + 1),
    name,
    state: n % 11 === 7 ? 'shut off' : 'running',
    ramBytes: 2 ** Math.floor(random() * 4) * GIB,
    vcpus: 2 ** Math.floor(random() * 3),
    autostart: n % 4 !== 0,
    ...(troubles && n === 3 && { autostart: false, heldAutostart: { host: 'kvm-1', machineId: '' } }),
    agent: n % 3 === 0 ? 'connected' : 'absent',
    ...(n % 9 === 6 && {
      limits: [
        'Disk vdb is in no point: disks over rbd are not supported yet. A restore leaves it attached as it is on this host, and out elsewhere',
        'Its RAM is in no point, as it cannot be saved with the USB device 046d:c52b: a restored VM boots from its disks'
      ]
    }),
    ...(n % 9 === 4 && {
      limits: [
        'The medium in sda (/srv/install.iso) is in no point: a restore leaves the drive empty where that is not'
      ]
    }),
    disks: [
      {
        target: 'vda',
        device: 'disk',
        type: 'file',
        source: `/var/lib/libvirt/images/disk-${n}.qcow2`,
        format: 'qcow2',
        capacityBytes: 40 * GIB,
        allocationBytes: Math.round(random() * 30 * GIB)
      }
    ]
  }
}

function brokenOf(point: PointView | undefined): PointsView['broken'][number] {
  const path = `/var/lib/stillpoint/points/${point?.vm.uuid ?? ''}/20260101T010101Z-0badc0`
  return { where: point?.host ?? '', path, reason: 'disks/vda.qcow2 is shorter than its manifest says' }
}

/** The last host does not answer, and the one before it shows another key. */
function troubleOf(host: string, fromLast: number): HostView['failure'] {
  if (fromLast === 0) return { kind: 'host-unreachable', host, reason: 'connection timed out' }
  if (fromLast > 1) return undefined
  return {
    kind: 'host-key-changed',
    host,
    address: '10.20.0.12:22',
    keyType: 'ssh-ed25519',
    fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BrrJXVWqhQ2XZ3jWc5wZqJ0Y',
    knownIn: '/home/admin/.config/stillpoint/known_hosts:3'
  }
}

function fakeHost(name: string, n: number, vms: VmView[], now: Date, failure: HostView['failure']): HostView {
  const down = failure !== undefined
  return {
    name,
    address: `10.20.0.${n + 11}`,
    user: 'root',
    addedAt: '2026-03-02T08:00:00.000Z',
    state: down ? 'down' : 'up',
    asOf: new Date(now.getTime() - (down ? 5 * HOUR_MS : 12_000)).toISOString(),
    ...(down && { failure }),
    facts: {
      hostname: `${name}.example.net`,
      os: n % 3 === 2 ? 'Debian GNU/Linux 13 (trixie)' : 'Debian GNU/Linux 12 (bookworm)',
      architecture: 'x86_64',
      libvirt: n % 3 === 2 ? '11.3.0' : '9.0.0',
      qemu: n % 3 === 2 ? '10.0.13' : '7.2.22',
      cpuModel: 'AMD EPYC 7313P 16-Core Processor',
      cpus: 32,
      memoryBytes: 128 * GIB,
      freeMemoryBytes: (20 + 9 * (n % 7)) * GIB,
      load: 1.5 + n * 0.7,
      store: { path: '/var/lib/stillpoint', freeBytes: (120 + 90 * n) * GIB, totalBytes: 2000 * GIB }
    },
    vms
  }
}

/** The policy of a made-up host that all its points are of. */
export const nightlyOf = (host: string): { id: string; name: string } => ({
  id: Number(host.replaceAll(/\D/g, '')).toString(16).padStart(12, '0'),
  name: 'Every night'
})

function fakePoint(vm: VmView, host: string, at: number, random: () => number, n: number): PointView {
  const hasMemory = vm.state === 'running'
  const place = { kind: 'host', host, dir: '/var/lib/stillpoint/points', label: host, reachable: true } as const
  const copy = { kind: 'local', dir: '/mnt/backup/points', label: '/mnt/backup/points', reachable: true } as const
  return {
    id: idAt(at, n),
    vm: { uuid: vm.uuid, name: vm.name },
    host,
    takenAt: new Date(at).toISOString(),
    method: hasMemory ? (n % 9 === 4 ? 'disk' : 'live') : 'offline',
    hasMemory: hasMemory && n % 9 !== 4,
    disks: vm.disks.map(({ target, source = '' }) => ({ target, source })),
    sizeBytes: Math.round(vm.ramBytes * 0.7 + (vm.disks[0]?.allocationBytes ?? 0)),
    pauseMs: hasMemory ? 28 + random() * 40 + (random() > 0.95 ? 260 : 0) : 0,
    ...(hasMemory && n % 9 !== 4 && { memoryBytes: Math.round(vm.ramBytes * 0.7) }),
    // Each thirteenth was made by hand.
    ...(n % 13 !== 1 && { policy: nightlyOf(host) }),
    warnings: [],
    places: n % 2 === 0 ? [place, copy] : [place],
    ...(n % 2 === 0 && { isOurs: true }),
    marks: {
      pinned: n % 13 === 1,
      ...(n % 13 === 1 && { note: 'before the upgrade' }),
      ...(n % 5 === 0 && { verified: { at: new Date(at + HOUR_MS).toISOString(), good: true } })
    }
  }
}

const span = (phase: string, at: number, ms: number) => ({ phase, startedAt: new Date(at).toISOString(), ms })

export function fakeBackup(point: PointView, n: number): JobView {
  const start = Date.parse(point.takenAt)
  const copyMs = point.sizeBytes / 400_000
  return {
    id: idAt(start, n),
    kind: 'backup',
    host: point.host,
    vm: point.vm,
    state: 'done',
    startedAt: point.takenAt,
    endedAt: new Date(start + copyMs + 3000).toISOString(),
    point: point.id,
    ...(point.policy && { policy: point.policy }),
    store: '/var/lib/stillpoint/points',
    method: point.method,
    methodReason: 'the VM runs, and its RAM can be saved',
    sizeBytes: point.sizeBytes,
    pauses:
      point.pauseMs > 0
        ? [
            {
              phase: 'memory',
              startedAt: new Date(start + 2400).toISOString(),
              endedAt: new Date(start + 2400 + point.pauseMs).toISOString(),
              ms: point.pauseMs,
              source: 'qemu-events'
            }
          ]
        : [],
    pauseMs: point.pauseMs,
    phases: [
      span('snapshot', start + 200, 2400),
      span('copy', start + 2600, copyMs),
      span('fold-back', start + 2600 + copyMs, 300),
      span('commit', start + 2900 + copyMs, 60)
    ],
    warnings: [],
    retryable: false
  }
}

function fakeRestore(vm: VmView, host: string, at: number, n: number): JobView {
  return {
    id: idAt(at, n + 500_000),
    kind: 'restore',
    host,
    vm: { uuid: vm.uuid, name: vm.name },
    state: 'done',
    startedAt: new Date(at).toISOString(),
    endedAt: new Date(at + 9000).toISOString(),
    point: idAt(at - HOUR_MS, n),
    mode: 'resume',
    pauses: [],
    pauseMs: 0,
    runningMs: 1100 + (n % 7) * 240,
    clock: { lateMs: 84_000, corrected: true },
    phases: [
      span('verify', at, 2000),
      span('stage', at + 2000, 5000),
      span('define', at + 7000, 40),
      span('start', at + 7040, 900),
      span('settle', at + 7940, 600)
    ],
    warnings: [],
    retryable: false
  }
}

function fakeFailure(vm: VmView, host: string, at: number, n: number): JobView {
  return {
    id: idAt(at, n + 700_000),
    kind: 'backup',
    host,
    vm: { uuid: vm.uuid, name: vm.name },
    state: 'failed-clean',
    startedAt: new Date(at).toISOString(),
    endedAt: new Date(at + 4000).toISOString(),
    pauses: [],
    pauseMs: 0,
    phases: [span('snapshot', at + 200, 2400)],
    warnings: [],
    failure: {
      kind: 'no-room',
      path: '/var/lib/stillpoint/points',
      forWhat: 'the point',
      neededBytes: 40 * GIB,
      freeBytes: 3 * GIB
    },
    retryable: true
  }
}
