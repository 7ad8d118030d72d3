import type { JobLive, JobView, LogLine } from '../../src/shared/views/job-view.ts'
import type { PointView } from '../../src/shared/views/point-view.ts'
import { fakeBackup } from './fake-data.ts'

const MINUTE_MS = 60_000

/** Jobs of every other kind and end, about a point, for pictures: newest first. */
export function fakeVariety(point: PointView, now: Date): readonly JobView[] {
  const at = (minutesAgo: number): string => new Date(now.getTime() - minutesAgo * MINUTE_MS).toISOString()
  const plain = { phases: [], pauses: [], pauseMs: 0, policy: undefined }
  const job = (n: number, minutesAgo: number, more: Partial<JobView>): JobView => ({
    ...fakeBackup(point, 0xff0000 + n),
    ...plain,
    startedAt: at(minutesAgo),
    endedAt: at(minutesAgo - 1.4),
    ...more
  })
  const checked = { point: point.id, checkedBytes: point.sizeBytes }
  return [
    job(1, 14, { kind: 'copy', place: '/mnt/backup/points', method: undefined }),
    job(2, 18, {
      kind: 'verify',
      place: point.host,
      verify: { ...checked, good: true, problems: [], notes: ['memory.save: only its hash can be compared'] }
    }),
    job(3, 25, {
      kind: 'verify',
      place: '/mnt/backup/points',
      verify: {
        ...checked,
        good: false,
        problems: [{ file: 'disks/vda.qcow2', detail: 'SHA-256 differs from the manifest’s' }],
        notes: []
      }
    }),
    job(4, 40, { state: 'cancelled', failure: { kind: 'cancelled', what: 'The backup' }, retryable: true }),
    job(5, 55, {
      kind: 'restore',
      state: 'failed-needs-you',
      failure: { kind: 'interrupted', job: 'restore', step: 'displace', leftover: 'vda.qcow2.kept-20260101T000000Z-1' },
      retryable: true
    }),
    job(7, 62, {
      kind: 'restore',
      vm: { uuid: '0000c0b1-0000-4000-8000-00000000c0b1', name: 'rehearsal' },
      copyOf: point.vm,
      policy: undefined,
      mode: 'boot',
      runningMs: 2900
    }),
    job(6, 70, {
      kind: 'restore',
      state: 'done-with-warnings',
      mode: 'boot',
      modeReason: 'the RAM could not be resumed here: the CPU lacks avx512f',
      runningMs: 4200,
      clock: { lateMs: 84_000, corrected: false },
      keptAside: ['/var/lib/libvirt/images/disk-0.qcow2.kept-20260101T000000Z-0000ff'],
      phases: [
        { phase: 'verify', startedAt: at(70), ms: 21_000 },
        { phase: 'stage', startedAt: at(69.6), ms: 40_000 },
        { phase: 'start', startedAt: at(68.9), ms: 4200 }
      ],
      warnings: ['Booted from the point’s disks instead; the RAM could not be resumed here']
    })
  ]
}

/** A restore that has gone silent, and a backup whose host is out of reach. */
export function fakeTroubledJobs(
  [silent, away]: readonly [PointView, PointView],
  now: Date
): { readonly jobs: readonly JobView[]; readonly live: readonly JobLive[] } {
  const begun = (point: PointView, n: number, more: Partial<JobView>): JobView => ({
    ...fakeBackup(point, n),
    startedAt: new Date(now.getTime() - 6 * MINUTE_MS).toISOString(),
    endedAt: undefined,
    state: 'running',
    pauses: [],
    pauseMs: 0,
    phases: [],
    ...more
  })
  const jobs = [begun(silent, 0xfffff1, { kind: 'restore', state: 'stalled' }), begun(away, 0xfffff2, {})] as const
  const quietFor = (ms: number): string => new Date(now.getTime() - ms).toISOString()
  const plain = { phases: [], pauses: [], warnings: [], cancelling: false }
  return {
    jobs,
    live: [
      {
        ...plain,
        id: jobs[0].id,
        progress: { phase: 'writing vda', doneBytes: 3e9, totalBytes: 9e9, bytesPerSecond: 0 },
        lastSignAt: quietFor(95_000)
      },
      {
        ...plain,
        id: jobs[1].id,
        progress: { phase: 'copying vda', doneBytes: 7e9, totalBytes: 9e9 },
        lastSignAt: quietFor(20_000),
        lost: { kind: 'host-unreachable', host: away.host, reason: 'connection timed out' }
      }
    ]
  }
}

/** A backup as its host tells it. */
export function fakeLog(now: Date): readonly LogLine[] {
  const said: readonly (readonly [type: string, text: string])[] = [
    ['begin', 'Accepted by the host'],
    ['note', 'Live: RAM and disks at one instant'],
    ['step', 'RAM is being saved while the VM runs'],
    ['pause', 'Stood still 48 ms'],
    ['step', 'Disks are being copied; the VM is running'],
    ['warning', 'The guest agent did not answer, so file systems were not frozen'],
    ['step-done', ''],
    ['end', 'Done']
  ]
  return said.map(([type, text], n) => {
    const at = new Date(now.getTime() - (said.length - n) * 4000).toISOString()
    return { at, type, text, raw: JSON.stringify({ n, at, type, text }) }
  })
}
