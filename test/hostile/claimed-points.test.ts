import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { JobReport } from '../../src/shared/model/job.ts'
import type { Manifest } from '../../src/shared/model/point.ts'
import type { VmSafety } from '../../src/shared/safety.ts'
import type { HostView } from '../../src/shared/views/host-view.ts'
import { hostView, hoursAgo, idAt, jobAt, NOW, PaperLaptop, pointAt, vmView } from '../unit/live/paper-laptop.ts'
import { VM } from '../unit/store-points.ts'
import { tallyOf } from './tally.ts'

const tally = tallyOf('points and restores of VMs of other hosts')
const laptops: PaperLaptop[] = []
afterEach(() => laptops.splice(0).forEach(({ folder }) => rmSync(folder, { recursive: true })))

const OTHER = `${VM.slice(0, -1)}0`
const later = (hours: number): string => new Date(NOW.getTime() + hours * 3_600_000).toISOString()

interface Truth {
  readonly points: readonly Manifest[]
  readonly jobs: readonly JobReport[]
  readonly view?: Partial<HostView>
}

/** How it stands with the VM on the good host, whatever another says. */
const TRUTHS: Readonly<Record<string, Truth>> = {
  'it has no backup': { points: [], jobs: [] },
  'its backup failed': {
    points: [pointAt(50)],
    jobs: [jobAt(50, 'good'), jobAt(2, 'good', { state: 'failed-clean', point: undefined })]
  },
  'its backup is old': { points: [pointAt(50)], jobs: [jobAt(50, 'good')] },
  'its old backup is gone from its store': { points: [], jobs: [jobAt(50, 'good')] },
  'it is backed up': { points: [pointAt(5)], jobs: [jobAt(5, 'good')] },
  'its backup failed, and its host is away': {
    points: [pointAt(50)],
    jobs: [jobAt(50, 'good'), jobAt(2, 'good', { state: 'failed-clean', point: undefined })],
    view: { state: 'down' }
  },
  'its backup is old, and its host was not seen yet': {
    points: [pointAt(50)],
    jobs: [jobAt(50, 'good')],
    view: { state: 'down', asOf: undefined, vms: [] }
  },
  'it was restored, and another VM backed up': {
    points: [pointAt(50)],
    jobs: [
      jobAt(50, 'good'),
      jobAt(3, 'good', { kind: 'restore', mode: 'boot', point: idAt(50) }),
      jobAt(1, 'good', { vm: { uuid: OTHER, name: 'other' } })
    ]
  }
}

const onHost = (name: string): Partial<Manifest> => ({ host: { name, machineId: 'e'.repeat(32) } })
/** Of the id of a point, or of a job, that the good host has told of, and taken a moment ago. */
const justTaken = (hours: number): Manifest => pointAt(hours, { takenAt: hoursAgo(0.01) })

/** What the other has in its store. */
const FORGED: Readonly<Record<string, readonly Manifest[]>> = {
  'taken a moment ago, on the good host': [pointAt(0.01, onHost('good'))],
  'taken a moment ago, on itself': [pointAt(0.01, onHost('bad'))],
  'taken a moment ago, nowhere': [pointAt(0.01, onHost('nobody'))],
  'taken in time to come': [pointAt(-1, onHost('good')), pointAt(-1000, { takenAt: later(1000) })],
  'by the thousand': Array.from({ length: 1000 }, (_, n) => pointAt(0.01 + n, { ...onHost('good'), pauseMs: 1 })),
  'of the id of its point': [justTaken(50), justTaken(5)],
  'of the id of its point, from time to come': [pointAt(50, { takenAt: later(9) }), pointAt(5, { takenAt: later(9) })],
  'of the id of a backup that failed': [justTaken(2), pointAt(2)],
  'of the id of a restore': [justTaken(3), pointAt(3)],
  'of the id of the backup of another VM': [justTaken(1), pointAt(1)],
  'which it has itself told of': [pointAt(0.5, onHost('bad'))],
  'which were copied from it to this computer, and back': [pointAt(0.25)]
}

/** What the other says that it has done. */
const CLAIMED: readonly JobReport[] = [
  jobAt(0.5, 'bad'),
  jobAt(0.4, 'bad', { kind: 'restore', mode: 'resume', point: idAt(50), runningMs: 1 }),
  jobAt(0.3, 'bad', {
    kind: 'restore',
    mode: 'boot',
    vm: { uuid: OTHER, name: 'x' },
    copyOf: { uuid: VM, name: 'web' }
  }),
  jobAt(0.2, 'bad', { kind: 'restore', mode: 'boot', point: idAt(0.25) })
]

async function seen(truth: Truth, forged: readonly Manifest[], claimed: readonly JobReport[]): Promise<VmSafety[]> {
  const laptop = new PaperLaptop(['good', 'bad'])
  laptops.push(laptop)
  laptop.lists('good', truth.points)
  laptop.lists('bad', forged)
  const hosts = [hostView('good', { vms: [vmView()], ...truth.view }), hostView('bad')]
  const copied = { point: idAt(0.25), vm: 'web <1>', uuid: VM, at: hoursAgo(0.1), sizeBytes: 1, ms: 1 }
  await laptop.history.addCopy({ ...copied, from: 'bad', to: '/mnt/usb' })
  await laptop.history.addCopy({ ...copied, from: '/mnt/usb', to: 'bad' })
  // Begun here, of other points: the job of another VM, and of a point that only the other has.
  const begun = { host: 'bad', at: hoursAgo(0.4), takenAt: hoursAgo(50), places: ['bad'] }
  await laptop.history.addBegun({ ...begun, job: idAt(0.4), point: idAt(50), vm: { uuid: OTHER, name: 'other' } })
  await laptop.history.addBegun({ ...begun, job: idAt(0.2), point: idAt(0.25), vm: { uuid: VM, name: 'web' } })
  const { vms } = await laptop.sees(hosts, [...truth.jobs, ...claimed])
  return vms.filter(({ uuid }) => uuid === VM)
}

/** What it is compared by: that something is left out of account is the one thing that may be said. */
const plain = (vms: readonly VmSafety[]): unknown =>
  vms.map(({ untold: _, lastPoint, ...vm }) => ({ ...vm, lastPoint: lastPoint?.takenAt }))

const cases = Object.keys(TRUTHS).flatMap((truth) => Object.keys(FORGED).map((forged) => ({ truth, forged })))

describe('what another host has and says of a VM', () => {
  it.each(cases)('changes nothing of it: points $forged, where $truth', async ({ truth, forged }) => {
    await tally.tried(async () => {
      const of = TRUTHS[truth] ?? { points: [], jobs: [] }
      const alone = await seen(of, [], [])
      const beside = await seen(of, FORGED[forged] ?? [], CLAIMED)
      expect(alone).toHaveLength(1)
      expect(plain(beside)).toEqual(plain(alone))
    })
  })
})
