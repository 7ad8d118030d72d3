import { describe, expect, it } from 'vitest'
import { directoryProblem, hostsWithout } from '../../../src/renderer/features/vm/copy-view.ts'
import { deletionOf } from '../../../src/renderer/features/vm/deletion-view.ts'
import { vmFacts, vmKnown } from '../../../src/renderer/features/vm/vm-view.ts'
import type { HostView, VmView } from '../../../src/shared/views/host-view.ts'
import type { JobView } from '../../../src/shared/views/job-view.ts'
import type { PointsView, PointView } from '../../../src/shared/views/point-view.ts'
import { aPlace, aPoint, uuid } from './a-point.ts'

const vm: VmView = {
  uuid,
  name: 'web1',
  state: 'running',
  ramBytes: 1024 ** 3,
  vcpus: 2,
  autostart: true,
  agent: 'absent',
  disks: [
    { target: 'vda', device: 'disk', type: 'file', format: 'qcow2', capacityBytes: 40 * 1024 ** 3 },
    { target: 'sda', device: 'cdrom', type: 'file', format: 'raw' }
  ]
}
const host = (name: string, vms: VmView[]): HostView => ({
  name,
  address: name,
  addedAt: '2026-01-01T00:00:00Z',
  state: 'up',
  vms
})
const points = (...list: PointView[]): PointsView => ({ points: list, broken: [], known: true })
const old = aPoint({ takenAt: '2026-11-20T20:17:44.000Z' })
const bad = aPoint({ marks: { pinned: false, verified: { at: '2026-11-23T00:00:00Z', good: false } } })

describe('what is known of a VM', () => {
  it('is nothing where neither host nor point nor job has it', () => {
    expect(vmKnown({ hosts: [host('alpha', [])], points: points(), jobs: [] }, uuid, 'alpha')).toBeUndefined()
  })

  it('is where it is now, wherever the link led', () => {
    const hosts = [host('alpha', []), host('beta', [vm])]
    expect(vmKnown({ hosts, points: points(), jobs: [] }, uuid, 'alpha')).toMatchObject({ hostName: 'beta', vm })
  })

  it('is the one of the link where two hosts have it', () => {
    const hosts = [host('alpha', [vm]), host('beta', [vm])]
    expect(vmKnown({ hosts, points: points(), jobs: [] }, uuid, 'beta')?.hostName).toBe('beta')
  })

  it('is remembered by its points alone', () => {
    const known = vmKnown({ hosts: [host('beta', [])], points: points(old), jobs: [] }, uuid, 'gone')
    expect(known).toMatchObject({ name: 'web1', hostName: 'alpha', vm: undefined })
  })

  it('has its newest point first, and restores from the newest that is good', () => {
    const known = vmKnown({ hosts: [], points: points(old, bad), jobs: [] }, uuid, 'alpha')
    expect(known?.points).toEqual([bad, old])
    expect(known?.newestGood).toBe(old)
  })

  it('restores from the newest that its own host has told of, before any that only another has', () => {
    const newer = aPoint({ takenAt: '2026-11-24T20:17:44.000Z', places: [aPlace('beta')] })
    const hosts = [host('alpha', [vm]), host('beta', [])]
    const newestGood = (...list: PointView[]): PointView | undefined =>
      vmKnown({ hosts, points: points(...list), jobs: [] }, uuid, 'alpha')?.newestGood
    expect(newestGood(old, newer)).toBe(old)
    expect(newestGood(newer)).toBe(newer)
    expect(newestGood(old, { ...newer, toldBy: ['alpha'] })).toMatchObject({ id: newer.id })
  })

  it('includes what only looks like a point of it, and no other VM’s', () => {
    const broken = (of: string) => ({ where: 'alpha', path: `/var/lib/stillpoint/points/${of}/x`, reason: 'half' })
    const view = { ...points(old), broken: [broken(uuid), broken('other')] }
    expect(vmKnown({ hosts: [], points: view, jobs: [] }, uuid, 'alpha')?.broken).toEqual([broken(uuid)])
  })

  it('includes the jobs that run for it', () => {
    const job = { id: '1', vm: { uuid, name: 'web1' }, endedAt: undefined } as unknown as JobView
    const ended = { ...job, endedAt: '2026-11-22T20:17:44.000Z' }
    const jobs = [job, ended, { ...job, vm: { uuid: 'x', name: 'y' } }]
    expect(vmKnown({ hosts: [], points: points(), jobs }, uuid, 'alpha')?.running).toEqual([job])
  })

  it('names its disks, and no drive for CDs', () => {
    expect(vmFacts({ vm })).toContainEqual(['Disks', 'vda 40 GiB'])
  })
})

describe('deleting a point', () => {
  it('in one of two places leaves the other', () => {
    const point = aPoint({ places: [aPlace('alpha'), aPlace('beta')] })
    const deletion = deletionOf(point, 'alpha', [point])
    expect(deletion.sentences[0]).toContain('stays in beta')
    expect(deletion.typed).toBeUndefined()
  })

  it('that is the last copy says what is left', () => {
    const point = aPoint()
    expect(deletionOf(point, 'alpha', [point, old, bad]).sentences).toEqual([
      expect.stringContaining('only place'),
      '1 other good point of this VM is left.'
    ])
  })

  it('that is the only good one needs the VM’s name typed', () => {
    const deletion = deletionOf(old, 'alpha', [old, bad])
    expect(deletion.typed).toBe('web1')
    expect(deletion.sentences[1]).toContain('only good point of web1')
  })

  it('counts none as left that only another host has told of', () => {
    const elsewhere = aPoint({ places: [aPlace('beta')] })
    expect(deletionOf(old, 'alpha', [old, elsewhere]).typed).toBe('web1')
    expect(deletionOf(old, 'alpha', [old, { ...elsewhere, toldBy: ['alpha'] }]).typed).toBeUndefined()
    expect(deletionOf(old, 'alpha', [old, { ...elsewhere, isOurs: true }]).typed).toBeUndefined()
  })

  it('that is damaged needs no more than a click', () => {
    expect(deletionOf(bad, 'alpha', [bad]).typed).toBeUndefined()
  })

  it('says that it was pinned', () => {
    const pinned = aPoint({ marks: { pinned: true } })
    expect(deletionOf(pinned, 'alpha', [pinned, old]).sentences.at(-1)).toContain('pinned')
  })

  it('shows names as text', () => {
    const odd = aPoint({ vm: { uuid, name: 'a\u202eb' } })
    expect(deletionOf(odd, 'alpha', [odd]).title).toContain('a\\u{202e}b')
  })
})

describe('copying a point', () => {
  it('goes to hosts that do not have it', () => {
    const hosts = [host('alpha', []), host('beta', [])]
    expect(hostsWithout(old, hosts)).toEqual(['beta'])
    expect(hostsWithout(aPoint({ places: [aPlace('alpha:/srv/points')] }), hosts)).toEqual(['alpha', 'beta'])
  })

  it('takes a whole path of this computer', () => {
    expect(['', '/mnt/usb', 'D:\\points'].map(directoryProblem)).toEqual([undefined, undefined, undefined])
    expect(directoryProblem('points')).toBeDefined()
  })
})
