import { LiveValue } from '../../src/main/core/live/live-value.ts'
import type { Handlers } from '../../src/shared/contract.ts'
import { fail } from '../../src/shared/failure.ts'
import type { VmView } from '../../src/shared/views/host-view.ts'
import type { JobLive, JobView } from '../../src/shared/views/job-view.ts'
import type { PointsView, PointView } from '../../src/shared/views/point-view.ts'
import type { GoTo, Question } from '../../src/shared/views/notice-view.ts'
import type { PoliciesView } from '../../src/shared/views/policy-view.ts'
import { DEFAULT_CHOICES, withChange } from '../../src/shared/views/settings-view.ts'
import { fakeManifest } from './fake-manifest.ts'
import { fakeBackup, fakeData, NASTY, type FakeData } from './fake-data.ts'
import { fakeLog, fakeTroubledJobs, fakeVariety } from './fake-jobs.ts'
import { fakePolicies } from './fake-policies.ts'
import { fakePreflight } from './fake-preflight.ts'

/** `loading` says nothing at all; `failing` refuses what it is asked. */
export const SCENARIOS = ['empty', 'small', 'full', 'failing', 'loading'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** A core that a window cannot tell from the real one, for pictures and for measuring. Nothing it does is real. */
export interface FakeCore {
  readonly handlers: Handlers
  readonly points: LiveValue<PointsView>
  readonly jobs: LiveValue<readonly JobView[]>
  readonly live: LiveValue<readonly JobLive[]>
  readonly policies: LiveValue<PoliciesView>
}

const NOW = new Date()

function dataOf(scenario: Scenario): FakeData {
  const nothing: FakeData = { hosts: [], points: { points: [], broken: [], known: true }, jobs: [], notices: [] }
  if (scenario === 'empty' || scenario === 'loading') return nothing
  const sizes = scenario === 'full' ? { hosts: 10, vms: 300, pointsPerVm: 14 } : { hosts: 3, vms: 7, pointsPerVm: 20 }
  return fakeData({ ...sizes, now: NOW, troubles: scenario !== 'small' })
}

export function fakeCore(scenario: Scenario): FakeCore {
  const data = dataOf(scenario)
  const isSilent = scenario === 'loading'
  const saying = <T>(first: T, everyMs = 0): LiveValue<T> => new LiveValue<T>(everyMs, isSilent ? undefined : first)
  const hosts = saying(data.hosts)
  const points = saying(data.points)
  const running = data.points.points[0]
  const job: JobView | undefined = running && {
    ...fakeBackup({ ...running, takenAt: new Date(NOW.getTime() - 75_000).toISOString() }, 0xfffffe),
    state: 'running',
    endedAt: undefined,
    point: undefined
  }
  const variety = running === undefined ? [] : fakeVariety(running, NOW)
  const [, silent, away] = data.points.points
  const isTroubled = scenario === 'failing' && silent !== undefined && away !== undefined
  const troubled = isTroubled ? fakeTroubledJobs([silent, away], NOW) : { jobs: [], live: [] }
  const jobs = saying<readonly JobView[]>([
    ...(job === undefined ? [] : [job]),
    ...troubled.jobs,
    ...variety,
    ...data.jobs
  ])
  // As seldom as the real core says it.
  const live = saying<readonly JobLive[]>([...(job === undefined ? [] : [liveOf(job)]), ...troubled.live], 200)
  const notices = saying(data.notices)
  const choices = saying(DEFAULT_CHOICES)
  const questions = saying<readonly Question[]>([])
  const refuse = (): never =>
    fail({ kind: 'no-room', path: '/srv', forWhat: 'the point', neededBytes: 4e10, freeBytes: 1e9 })
  const started = (): Promise<{ id: string }> =>
    scenario === 'failing'
      ? Promise.reject(failure(refuse))
      : Promise.resolve({ id: job?.id ?? '20260101T000000Z-000000' })
  const changePoint = (id: string, change: (point: PointView) => PointView): void => {
    const { points: before = [], ...rest } = points.value ?? { broken: [], known: true }
    const after = before.map((point) => (point.id === id ? change(point) : point))
    points.set({ ...rest, points: after.filter(({ places }) => places.length > 0) })
  }
  const troubles = scenario !== 'small'
  const policies = fakePolicies({ data, now: NOW, troubles, refuses: scenario === 'failing', saying })
  const handlers: Handlers = {
    app: {
      info: () =>
        Promise.resolve({
          version: '0.1.0',
          door: 'browser',
          platform: 'linux',
          home: '/home/admin/.config/stillpoint',
          canStartAtLogin: false,
          hasTray: false,
          demoCommand: 'npm run demo'
        }),
      openLink: () => Promise.resolve(),
      goTo: (listener) => new LiveValue<GoTo | undefined>().listen(listener)
    },
    questions: { changed: (listener) => questions.listen(listener), answer: () => Promise.resolve() },
    hosts: {
      changed: (listener) => hosts.listen(listener),
      sshEntries: () =>
        Promise.resolve([
          { alias: 'kvm-1', hostName: '10.20.0.11', user: 'root' },
          { alias: 'kvm-new', hostName: '10.20.0.30', user: 'root', port: 2222 },
          { alias: `${'very-long-alias-'.repeat(6)}end`, hostName: 'backup.example.net' }
        ]),
      probe: ({ name, fingerprint }) =>
        fingerprint === undefined
          ? Promise.reject(
              failure(() =>
                fail({
                  kind: 'host-key-unknown',
                  host: name,
                  address: '10.20.0.30',
                  keyType: 'ssh-ed25519',
                  fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BrrJXVWqhQ2XZ3jWc5wZqJ0Y'
                })
              )
            )
          : Promise.resolve({
              items: [
                { check: 'root', state: 'ok', text: 'commands run as root', fix: '' },
                { check: 'systemd', state: 'ok', text: 'systemd runs this host', fix: '' },
                name.includes('bare')
                  ? { check: 'tools', state: 'problem', text: 'qemu-img is missing', fix: 'apt install qemu-utils' }
                  : { check: 'tools', state: 'ok', text: 'all programs are there', fix: '' },
                { check: 'libvirt', state: 'ok', text: 'libvirt 9.0.0, QEMU 7.2.22, 7 VMs', fix: '' },
                { check: 'room', state: 'warning', text: '1.4 GiB free for points', fix: 'Give backups another place.' }
              ],
              usable: !name.includes('bare'),
              vmNames: ['web1', 'db1', ...NASTY],
              ...(data.hosts[0]?.facts && { facts: data.hosts[0].facts })
            }),
      add: () => Promise.resolve({ rebuilt: false }),
      acceptKey: () => Promise.resolve({ rebuilt: true }),
      remove: () => Promise.resolve([]),
      refresh: () => Promise.resolve(),
      autostart: ({ name, vm, on }) => {
        const decided = (each: VmView): VmView => {
          const { heldAutostart: _, ...rest } = each
          return each.uuid === vm ? { ...rest, autostart: on } : each
        }
        hosts.set(
          (hosts.value ?? []).map((host) => (host.name === name ? { ...host, vms: host.vms.map(decided) } : host))
        )
        return Promise.resolve()
      },
      doctor: ({ repair }) =>
        Promise.resolve([
          {
            kind: 'half point',
            what: '/var/lib/stillpoint/points/x was never completed',
            remedy: 'remove it',
            repaired: repair
          }
        ])
    },
    points: {
      changed: (listener) => points.listen(listener),
      show: (id) => {
        const point = scenario === 'failing' ? undefined : points.value?.points.find((each) => each.id === id)
        return point === undefined
          ? Promise.reject(failure(() => fail({ kind: 'not-found', what: 'point', name: id })))
          : Promise.resolve(fakeManifest(point))
      },
      verify: started,
      copy: started,
      delete: ({ point, place }) => {
        const found = points.value?.points.find(({ id }) => id === point)
        changePoint(point, (each) => ({ ...each, places: each.places.filter(({ label }) => label !== place) }))
        return Promise.resolve({ freedBytes: found?.sizeBytes ?? 0 })
      },
      mark: ({ point, pinned, note }) => {
        changePoint(point, (each) => {
          const { note: before, ...marks } = { ...each.marks, ...(pinned !== undefined && { pinned }) }
          const kept = note ?? before
          return { ...each, marks: { ...marks, ...(kept !== undefined && kept !== '' && { note: kept }) } }
        })
        return Promise.resolve()
      }
    },
    jobs: {
      changed: (listener) => jobs.listen(listener),
      live: (listener) => live.listen(listener),
      log: () => Promise.resolve(fakeLog(NOW)),
      estimate: () =>
        Promise.resolve({
          method: 'live',
          methodReason: 'the VM runs, and its RAM can be saved',
          pauseMs: { low: 30, high: 60 },
          durationMs: { low: 20_000, high: 45_000 },
          sizeBytes: 9e9,
          neededBytes: 1.1e10,
          freeBytes: 4e11,
          classicPauseMs: 4200,
          samples: 12,
          remarks: []
        }),
      backup: started,
      preflight: (question) => Promise.resolve(fakePreflight(question, data, scenario === 'failing')),
      restore: started,
      cancel: () => Promise.resolve(),
      retry: started
    },
    policies: policies.handlers,
    notices: {
      changed: (listener) => notices.listen(listener),
      acknowledge: ({ id }) => {
        notices.set(
          (notices.value ?? []).map((notice) =>
            id === undefined || notice.id === id ? { ...notice, acknowledged: true } : notice
          )
        )
        return Promise.resolve()
      }
    },
    settings: {
      changed: (listener) => choices.listen(listener),
      change: (change) => {
        choices.set(withChange(choices.value ?? DEFAULT_CHOICES, change))
        return Promise.resolve()
      },
      knownKeys: () =>
        Promise.resolve([
          {
            hosts: '10.20.0.11',
            keyType: 'ssh-ed25519',
            fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BrrJXVWqhQ2XZ3jWc5wZqJ0Y',
            file: '/home/admin/.config/stillpoint/known_hosts',
            line: 1,
            ours: true,
            revoked: false
          }
        ]),
      forgetKey: () => Promise.resolve(),
      diagnostics: () => Promise.resolve({ fileName: 'stillpoint-diagnostics.txt', text: 'Stillpoint 0.1.0' })
    }
  }
  return { handlers, points, jobs, live, policies: policies.all }
}

function failure(make: () => never): Error {
  try {
    return make()
  } catch (error) {
    return error as Error
  }
}

/** A backup in the middle of its copy. */
export function liveOf(job: JobView, fraction = 0.42, now = NOW): JobLive {
  const totalBytes = job.sizeBytes ?? 1
  return {
    id: job.id,
    progress: {
      phase: 'copying vda',
      doneBytes: totalBytes * fraction,
      totalBytes,
      bytesPerSecond: 4.1e8,
      secondsLeft: (totalBytes * (1 - fraction)) / 4.1e8
    },
    phases: job.phases.slice(0, 2),
    pauses: job.pauses,
    warnings: [],
    lastSignAt: now.toISOString(),
    cancelling: false
  }
}
